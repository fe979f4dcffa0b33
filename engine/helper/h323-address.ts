/** Transport addresses in H.225.0 and H.245 messages. */
import type { HelpCall } from '../conntrack/helper.ts';
import { mangleTcp, mangleUdp } from '../nat/mangle.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { PerRecord, PerSpan, PerValue } from './per-decode.ts';

/** An address of the flow's own family. */
export interface H323Address {
  /** First of its bytes, counted from `pkt.off`; the port's two stand right behind. */
  readonly at: number;
  readonly words: readonly number[];
  readonly port: number;
}

/** A component of a decoded value, through several levels; undefined if one of them is not there. */
export function pick(value: PerValue | undefined, ...path: readonly string[]): PerValue | undefined {
  let here = value;
  for (const name of path) here = (here as PerRecord | undefined)?.[name];
  return here;
}

/** The items of a SEQUENCE OF that may not be there. @param most further ones are not looked at */
export function itemsOf(value: PerValue | undefined, most: number): readonly PerValue[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

/** H.225.0's TransportAddress, null if it is none of the flow's family. */
export function signalAddress(call: HelpCall, value: PerValue | undefined): H323Address | null {
  const isIpv4 = call.pkt.family === AF_INET;
  return addressOf(call, pick(value, isIpv4 ? 'ipAddress' : 'ip6Address'), 'ip', 'port');
}

/** H.245's TransportAddress: a unicast one. */
export function mediaAddress(call: HelpCall, value: PerValue | undefined): H323Address | null {
  const isIpv4 = call.pkt.family === AF_INET;
  const found = pick(value, 'unicastAddress', isIpv4 ? 'iPAddress' : 'iP6Address');
  return addressOf(call, found, 'network', 'tsapIdentifier');
}

function addressOf(
  { pkt }: HelpCall,
  value: PerValue | undefined,
  ip: string,
  port: string,
): H323Address | null {
  const octets = pick(value, ip) as PerSpan | undefined;
  if (octets === undefined) return null;
  const words: number[] = [];
  for (let i = 0; i < octets.length; i += 4) words.push(pkt.view.getInt32(pkt.off + octets.at + i));
  return { at: octets.at, words, port: pick(value, port) as number };
}

/** Writes another address and port over one. */
export function writeAddress(
  call: HelpCall,
  { at }: H323Address,
  words: readonly number[],
  port: number,
): void {
  const bytes = new Uint8Array(words.length * 4 + 2);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setInt32(i * 4, word);
  view.setUint16(words.length * 4, port);
  const mangle = call.pkt.proto === IPPROTO_TCP ? mangleTcp : mangleUdp;
  mangle(call, call.pkt.off + at, bytes.length, bytes);
}
