/** What the kernel said, in the words that keepstate's output uses. It shares no code with the engine. */
import type { KernelEntry, KernelTuple, KernelVerdict } from './oracle.ts';

/** An object of trace --json, as far as it is compared. */
export interface JsonPacket {
  readonly packet: number;
  readonly time: number;
  readonly skipped: string | null;
  readonly verdict: string | null;
  readonly ctstate: string | null;
  readonly ctdir: string | null;
  readonly ctstatus: readonly string[];
  readonly flow: number | null;
  readonly tcpstate: string | null;
  readonly sctpstate: string | null;
  readonly timeout: number | null;
  readonly reason: string | null;
  readonly src: string | null;
  readonly dst: string | null;
  readonly protocol: string | null;
}

/** A tuple of flows --json. */
export type JsonTuple = Readonly<Record<string, string | number>>;

/** An object of flows --json. */
export interface JsonFlow {
  readonly id: number;
  readonly family: string;
  readonly protocol: string;
  readonly protonum: number;
  readonly state: string | null;
  readonly timeout: number;
  readonly original: JsonTuple;
  readonly reply: JsonTuple;
  readonly status: readonly string[];
  readonly counters: unknown;
  readonly mark: number;
  readonly zone: number;
  readonly helper: string | null;
  readonly master: number | null;
}

// linux/netfilter/nf_conntrack_common.h (userspace API), enum ip_conntrack_status.
const STATUS = [
  'EXPECTED',
  'SEEN_REPLY',
  'ASSURED',
  'CONFIRMED',
  'SRC_NAT',
  'DST_NAT',
  'SEQ_ADJUST',
  'SRC_NAT_DONE',
  'DST_NAT_DONE',
  'DYING',
  'FIXED_TIMEOUT',
];
// linux/netfilter/nf_conntrack_tcp.h and _sctp.h.
const TCP = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
];
const SCTP = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  47: 'gre',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
};

function statusWords(status: number): string[] {
  return STATUS.filter((_, bit) => (status & (1 << bit)) !== 0);
}

/** What trace must say of a packet, as text. */
export function packetWords(v: KernelVerdict): string {
  const loose = v.state === 'INVALID' || v.state === 'UNTRACKED';
  if (v.state !== null) return `${v.state} ${loose ? null : v.dir} ${statusWords(v.status)}`;
  return v.stage === 'defrag' ? 'never tracked, a fragment' : `never tracked, dropped by ${v.stage}`;
}

/** The same as trace said it. */
export function saidOfPacket(p: JsonPacket): string {
  if (p.ctstate !== null) return `${p.ctstate} ${p.ctdir} ${p.ctstatus}`;
  if (p.verdict === 'held') return p.skipped === null ? 'never tracked, a fragment' : 'held, but skipped';
  if (p.verdict !== 'drop') return `never tracked, ${p.verdict}`;
  // Fragments may also be dropped by reassembly; the reason says so.
  if (/fragment|reassembl/.test(p.reason ?? '')) return 'never tracked, a fragment';
  return p.skipped === null ? 'never tracked, dropped by conntrack' : 'never tracked, dropped by ip';
}

function tupleWords(t: KernelTuple): JsonTuple {
  const ends = { src: t.src, dst: t.dst };
  if (t.icmpType !== null) return { ...ends, type: t.icmpType, code: t.icmpCode ?? 0, id: t.icmpId ?? 0 };
  if (t.protocol === 47) return { ...ends, srckey: t.sport ?? 0, dstkey: t.dport ?? 0 };
  return t.sport === null ? ends : { ...ends, sport: t.sport, dport: t.dport ?? 0 };
}

/** What flows must print of an entry; id and timeout, which cannot be equal, apart. */
export function flowWords(e: KernelEntry): Omit<JsonFlow, 'id' | 'timeout'> {
  const unreplied = (e.status & 2) === 0 ? ['UNREPLIED'] : [];
  return {
    family: e.family,
    protocol: PROTOCOLS[e.protocol] ?? 'unknown',
    protonum: e.protocol,
    state: e.tcp ? TCP[e.tcp.state]! : e.sctp ? SCTP[e.sctp.state]! : null,
    original: tupleWords(e.original),
    reply: tupleWords(e.reply),
    status: [...statusWords(e.status), ...unreplied],
    counters: e.counters && { original: e.counters[0], reply: e.counters[1] },
    mark: e.mark,
    zone: e.zone,
    helper: e.helper,
    master: null,
  };
}

/** A tuple as a key. */
export function tupleKey(protonum: number, t: JsonTuple): string {
  return `${protonum} ${Object.values(t).join(' ')}`;
}
