import { servicePort } from '../nft/type-services.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { addressText, readAddress } from './address.ts';
import { type XtArg, XtError } from './extension.ts';
import { readUint } from './values.ts';

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

function port(text: string): number {
  const number = readUint(text, 0, 65535) ?? servicePort(text);
  if (number === undefined) throw new XtError(`Port \`${text}' not valid`, undefined, 0);
  return number;
}

/** `port[-port]`, or with `/port` behind where a base is allowed. @throws XtError */
export function readPorts(text: string, range: NatRange, base: boolean): void {
  if (text.includes(':')) throw new XtError('Invalid port:port syntax - use dash', undefined, 0);
  const slash = base ? text.indexOf('/') : -1;
  const span = slash < 0 ? text : text.slice(0, slash);
  const dash = span.indexOf('-', 1);
  const low = port(dash < 0 ? span : span.slice(0, dash));
  const high = dash < 0 ? low : port(span.slice(dash + 1));
  if (high < low) throw new XtError(`Port range \`${span.slice(dash + 1)}' funky`, undefined, 0);
  if (slash >= 0) {
    if (dash < 0) throw new XtError('a base port needs a range of ports', undefined, 0);
    range.base = port(text.slice(slash + 1));
  }
  range.ports = [low, high];
}

function address(text: string, family: number): readonly number[] {
  const words = readAddress(text, family);
  if (words === undefined) throw new XtError(`Bad IP address "${text}"`, undefined, 0);
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
    const rest = text.slice(close + 1);
    if (rest !== '' && !rest.startsWith(':')) throw new XtError(`Port \`${rest}' not valid`, undefined, 0);
    ports = rest === '' ? undefined : rest.slice(1);
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
