import { protocolName as nameOf, protocolNumber } from '../nft/type-protocols.ts';
import { servicePort as portOf, type ServiceProtocol } from '../nft/type-services.ts';

export { protocolNumber };

const SERVICES: ReadonlyMap<number, ServiceProtocol> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

/** A protocol's name, or its number if it has none. */
export function protocolName(proto: number): string {
  return nameOf(proto) ?? `${proto}`;
}

/** The port of a service's name for a protocol, undefined if there is none. */
export function servicePort(name: string, proto: number): number | undefined {
  const protocol = SERVICES.get(proto);
  return protocol === undefined ? undefined : portOf(name, protocol);
}
