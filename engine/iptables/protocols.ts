import { didYouMean } from '../base/suggest.ts';
import { protocolName, protocolNames, protocolNumber } from '../nft/type-protocols.ts';
import { XtError } from './extension.ts';
import { readUint } from './values.ts';

/** Names that iptables knows besides /etc/protocols. */
const OWN_NAMES: ReadonlyMap<string, number> = new Map([
  ['all', 0],
  ['icmpv6', 58],
  ['ipv6-mh', 135],
  ['mh', 135],
]);

/** What is meant most often, for suggestions. */
const USUAL: readonly string[] = ['tcp', 'udp', 'icmp'];

/** A protocol's number or name, in any case of letters; undefined if it is none. */
export function findProtocol(text: string): number | undefined {
  const lower = text.toLowerCase();
  const number =
    readUint(text, 0, 255) ?? OWN_NAMES.get(lower) ?? protocolNumber(lower) ?? protocolNumber(text);
  return number !== undefined && number <= 255 ? number : undefined;
}

/** @throws XtError 'unknown protocol "x" specified' */
export function readProtocol(text: string): number {
  const number = findProtocol(text);
  if (number !== undefined) return number;
  const near = didYouMean(text.toLowerCase(), [...USUAL, ...OWN_NAMES.keys(), ...protocolNames()]);
  throw new XtError(`unknown protocol "${text}" specified`, near);
}

/** The protocol's name as iptables-save prints it, its number if it has none. */
export function protocolText(number: number): string {
  return protocolName(number) ?? String(number);
}
