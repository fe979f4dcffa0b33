import { servicePort } from '../nft/type-services.ts';
import { parseAddress } from '../packet/address.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { addressText } from './address.ts';
import { type XtArg, XtError } from './extension.ts';
import { scanUint } from './values.ts';

/** What a target of address translation maps to (nf_nat_range2). */
export interface NatRange {
  /** First and last address, null if the address stays. */
  min: readonly number[] | null;
  max: readonly number[] | null;
  /** First and last port, null if the port stays. */
  ports: readonly [number, number] | null;
  /** Of DNAT: the port that the first one of the range stands for. */
  base: number | null;
  random: boolean;
  randomFully: boolean;
  persistent: boolean;
}

/** Nothing said yet. */
export function natRange(): NatRange {
  return {
    min: null,
    max: null,
    ports: null,
    base: null,
    random: false,
    randomFully: false,
    persistent: false,
  };
}

/** Protocols that have ports for it: TCP, UDP, SCTP, DCCP, and ICMP's id. */
const WITH_PORTS: readonly number[] = [1, 6, 17, 132, 33];

/** Refuses ports without a protocol that has some. @throws XtError */
export function needsPorts(arg: XtArg): void {
  if (!WITH_PORTS.includes(arg.ctx.proto))
    throw new XtError('Need TCP, UDP, SCTP or DCCP with port specification', 'write -p before the target', 0);
}

function notValid(text: string): XtError {
  return new XtError(`Port \`${text}' not valid`, undefined, 0);
}

/** The port at the beginning of a text, and where it ends. @throws XtError */
function portAt(text: string, from: number): { value: number; end: number } {
  const got = scanUint(text, from);
  if (got === null || got.value > 65535) throw notValid(text.slice(from));
  return got;
}

/** The port that the first of a range stands for: a number, whatever stands behind it, or a service (measured). */
function basePort(text: string): number {
  const port = scanUint(text)?.value ?? servicePort(text) ?? 0;
  if (port < 1 || port > 65535) throw notValid(text);
  return port;
}

/**
 * `port[-port][/base]`, or a service alone: what begins with no number is a service's name to its end (measured).
 * @param bases whether the base is kept; where it is not the kernel gets 0 (measured), and undefined refuses one
 * @throws XtError
 */
export function readPorts(text: string, range: NatRange, bases: boolean | undefined): void {
  if (text.includes(':')) throw new XtError('Invalid port:port syntax - use dash', undefined, 0);
  const low = scanUint(text);
  if (low === null) {
    const service = servicePort(text);
    if (service === undefined) throw notValid(text);
    range.ports = [service, service];
    return;
  }
  if (low.value > 65535) throw notValid(text);
  range.ports = [low.value, low.value];
  if (low.end === text.length) return;
  if (text[low.end] !== '-')
    throw new XtError(`Garbage after port value: \`${text.slice(low.end)}'`, undefined, 0);
  const high = portAt(text, low.end + 1);
  if (high.value < low.value)
    throw new XtError(`Port range \`${text.slice(low.end + 1)}' funky`, undefined, 0);
  range.ports = [low.value, high.value];
  if (high.end === text.length) return;
  if (text[high.end] !== '/')
    throw new XtError(`Garbage after port range: \`${text.slice(high.end)}'`, undefined, 0);
  const base = basePort(text.slice(high.end + 1));
  if (bases === undefined)
    throw new XtError('Shifted portmap ranges not supported with this kernel', undefined, 0);
  range.base = bases ? base : 0;
}

function address(text: string, family: number): readonly number[] {
  // Measured: all four numbers in decimal, no names.
  const words = parseAddress(text);
  if (words?.length !== (family === NFPROTO_IPV4 ? 1 : 4))
    throw new XtError(`Bad IP address "${text}"`, undefined, 0);
  return words;
}

function addresses(text: string, family: number, range: NatRange): void {
  const dash = text.indexOf('-');
  range.min = address(dash < 0 ? text : text.slice(0, dash), family);
  range.max = dash < 0 ? range.min : address(text.slice(dash + 1), family);
}

/** `[address[-address]][:ports]`, of IPv6 in brackets where ports follow. @throws XtError */
export function readNat(arg: XtArg, range: NatRange, base: boolean): void {
  const { text, ctx } = arg;
  let hosts = text;
  let ports: string | undefined;
  if (ctx.family === NFPROTO_IPV4) {
    const colon = text.lastIndexOf(':') === text.indexOf(':') ? text.indexOf(':') : -1;
    if (colon >= 0) [hosts, ports] = [text.slice(0, colon), text.slice(colon + 1)];
  } else if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0) throw new XtError('Invalid address format', undefined, 0);
    hosts = text.slice(1, close);
    // What stands between the bracket and a colon is passed over (measured).
    const colon = text.indexOf(':', close);
    ports = colon < 0 ? undefined : text.slice(colon + 1);
  } else if (text.startsWith(':') && !text.startsWith('::')) [hosts, ports] = ['', text.slice(1)];
  if (ports !== undefined) {
    needsPorts(arg);
    readPorts(ports, range, base);
  }
  if (hosts !== '' || ports === undefined) addresses(hosts, ctx.family, range);
}

/** `80`, `80-90`, `80-90/1000`. */
export function portsText(range: NatRange): string {
  if (range.ports === null) return '';
  const [low, high] = range.ports;
  const base = range.base === null ? '' : `/${range.base}`;
  return (low === high ? `${low}` : `${low}-${high}`) + base;
}

/** As {@link readNat} reads it. */
export function natText(range: NatRange): string {
  const ports = portsText(range);
  if (range.min === null) return `:${ports}`;
  const first = addressText(range.min);
  const last = addressText(range.max!);
  const hosts = first === last ? first : `${first}-${last}`;
  if (ports === '') return hosts;
  return range.min.length === 4 ? `[${hosts}]:${ports}` : `${hosts}:${ports}`;
}

/** The flags, each with a space in front. */
export function natFlags(range: NatRange): string {
  const flags = [
    range.random && '--random',
    range.randomFully && '--random-fully',
    range.persistent && '--persistent',
  ];
  return flags.filter((f) => f !== false).join(' ');
}

/** Words that say something, with a space between. */
export function joined(...words: readonly string[]): string {
  return words.filter((w) => w !== '').join(' ');
}
