import { AF_INET, AF_INET6, type FlowRecord, parseAddress } from '@keepstate/engine';

/**
 * What a filter looks at: a packet or a flow, brought to numbers. One object that is filled again and again;
 * -1 is "has none", which no comparison matches.
 */
export class Subject {
  /** AF_INET, AF_INET6, or 0 for what is not IP. */
  family = 0;
  protonum = -1;
  /** Big-endian words of the source, one for IPv4, four for IPv6. */
  readonly src: Int32Array = new Int32Array(4);
  readonly dst: Int32Array = new Int32Array(4);
  sport = -1;
  dport = -1;
  /** ICMP type and code. */
  type = -1;
  code = -1;
  /** The flow's id. */
  flow = -1;
  mark = -1;
  zone = -1;
  /** State in the table, null if none. */
  state: string | null = null;
  /** IPS_* bits, -1 without a flow. */
  status = -1;
  /** Bytes and packets a second, both directions together. */
  byteRate = -1;
  packetRate = -1;
  /** Number of the packet. */
  packet = -1;
  /** ct state of the packet, null if it never reached tracking. */
  ctstate: string | null = null;
  /** What became of the packet, null for frames that carry no IP. */
  verdict: string | null = null;
  /** Name of the reason given for the packet, null if none. */
  reason: string | null = null;
}

function writeAddress(text: string, out: Int32Array): void {
  const words = parseAddress(text);
  for (let i = 0; i < 4; i++) out[i] = words?.[i] ?? 0;
}

/** Fills a subject from a flow, by its original direction. */
export function subjectOfFlow(flow: FlowRecord, out: Subject): void {
  const { original } = flow;
  out.family = flow.family;
  out.protonum = flow.protonum;
  writeAddress(original.src, out.src);
  writeAddress(original.dst, out.dst);
  out.sport = original.sport ?? -1;
  out.dport = original.dport ?? -1;
  out.type = original.type ?? -1;
  out.code = original.code ?? -1;
  out.flow = flow.flowId;
  out.mark = flow.mark;
  out.zone = flow.zoneOriginal;
  out.state = flow.state;
  out.status = flow.status;
}

/** A network, or an address with all its bits. */
export interface Network {
  readonly family: number;
  readonly words: readonly number[];
  readonly bits: number;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or an address alone; undefined if it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  const words = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (words === undefined) return undefined;
  const most = words.length * 32;
  if (slash < 0) return { family: words.length === 1 ? AF_INET : AF_INET6, words, bits: most };
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || Number(length) > most) return undefined;
  return { family: words.length === 1 ? AF_INET : AF_INET6, words, bits: Number(length) };
}

/** Whether an address lies in a network; the families must already be the same. */
export function inNetwork(address: Int32Array, network: Network): boolean {
  let left = network.bits;
  for (let i = 0; left > 0; i++, left -= 32) {
    const mask = left >= 32 ? -1 : ~(0xffffffff >>> left);
    if (((address[i]! ^ network.words[i]!) & mask) !== 0) return false;
  }
  return true;
}
