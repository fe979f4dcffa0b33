import type { HeaderField, ProtocolDesc } from './proto-header.ts';
import { NETWORK_HEADERS } from './proto-network.ts';
import { TRANSPORT_HEADERS } from './proto-transport.ts';

const PROTOCOLS: ReadonlyMap<string, ProtocolDesc> = new Map(
  [...NETWORK_HEADERS, ...TRANSPORT_HEADERS].map((protocol) => [protocol.name, protocol]),
);

/** The header of a protocol by its name in the language (`tcp`, `ip6`, `th`, `comp`, …). */
export function findProtocol(name: string): ProtocolDesc | null {
  return PROTOCOLS.get(name) ?? null;
}

/** A field of a protocol's header. */
export function findField(protocol: string, field: string): HeaderField | null {
  return PROTOCOLS.get(protocol)?.fields.get(field) ?? null;
}

/**
 * Where a VLAN's header stands: behind Ethernet's and those of other VLANs.
 * @param before how many other VLANs' headers
 * @returns bits from the link layer's begin
 */
export function vlanOffset(before: number): number {
  return PROTOCOLS.get('ether')!.bits + before * PROTOCOLS.get('vlan')!.bits;
}

/** The names of all protocols. */
export function protocolHeaderNames(): readonly string[] {
  return [...PROTOCOLS.keys()];
}
