/** Flows and expectations as lines that both sides can equal. */
import { TCP_STATE_NAMES } from '../../engine/base/tcp-state-names.ts';
import type { Conntrack } from '../../engine/conntrack/conntrack.ts';
import type { Expectation } from '../../engine/conntrack/expectation.ts';
import { readFlow, type TupleRecord } from '../../engine/conntrack/flow-record.ts';
import { F_MASTER, ROW_WORDS } from '../../engine/conntrack/flow-table.ts';
import { statusNames } from '../../engine/conntrack/status.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC } from '../../engine/conntrack/tuple.ts';
import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';
import { AF_INET } from '../../engine/packet/packet.ts';
import type { KernelExpect } from './expect-table.ts';
import type { KernelEntry, KernelSeqAdj, KernelTuple } from './types.ts';

const ZERO: readonly number[] = [0, 0, 0, 0];

/** An IPv6 address without the dots of one of IPv4 at its end, as the oracle writes it. */
function undotted(address: string): string {
  return address.replace(/^(::(?:ffff:)?)(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, head, ...bytes) => {
    const [a, b, c, d] = bytes.map(Number);
    return `${head}${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`;
  });
}

function tupleText(t: TupleRecord): string {
  const rest = [t.sport ?? t.srckey ?? t.id ?? 0, t.dport ?? t.dstkey ?? 0, t.type ?? 0, t.code ?? 0];
  return `${undotted(t.src)} > ${undotted(t.dst)} ${rest.join('/')}`;
}

function kernelTupleText(t: KernelTuple): string {
  return `${t.src} > ${t.dst} ${[t.icmpId ?? t.sport ?? 0, t.dport ?? 0, t.icmpType ?? 0, t.icmpCode ?? 0].join('/')}`;
}

const SEQ_ADJUST = 1 << 6;

function seqText(seq: readonly [KernelSeqAdj, KernelSeqAdj] | null): string {
  if (seq === null) return '';
  const one = (s: KernelSeqAdj): string =>
    `${s.correctionPos >>> 0}:${s.offsetBefore | 0}:${s.offsetAfter | 0}`;
  return ` seqadj ${one(seq[0])} ${one(seq[1])}`;
}

/** An entry of the kernel; its timeout is apart. */
export function kernelFlowLine(e: KernelEntry): string {
  const state = e.tcp ? ` ${TCP_STATE_NAMES[e.tcp.state]}` : e.sctp ? ` sctp${e.sctp.state}` : '';
  const counters = e.counters?.map((c) => ` ${c.packets}/${c.bytes}`).join('') ?? '';
  const zones = [e.original.zone ?? e.zone, e.reply.zone ?? e.zone];
  const master = e.master === null ? '' : ` master ${kernelTupleText(e.master)}`;
  const seq = (e.status & SEQ_ADJUST) !== 0 ? seqText(e.seqAdj) : '';
  return `${e.protocol}${state} ${kernelTupleText(e.original)} | ${kernelTupleText(e.reply)} [${statusNames(e.status).join(',')}] mark ${e.mark} zones ${zones} use ${e.use} helper ${e.helper ?? ''}${counters}${master}${seq}`;
}

/** A flow of keepstate. */
export function flowLine(ct: Conntrack, flow: number): string {
  const f = readFlow(ct, flow);
  const state = f.state === null ? '' : ` ${f.state}`;
  const both = f.counters === null ? [] : [f.counters.original, f.counters.reply];
  const counters = both.map((c) => ` ${c.packets}/${c.bytes}`).join('');
  const row = ct.table.words[flow * ROW_WORDS + F_MASTER]!;
  const master = row === 0 ? '' : ` master ${tupleText(readFlow(ct, row).original)}`;
  const adjust = ct.extension(flow)?.seq ?? null;
  const [a, b] = adjust ?? [];
  const toKernel = (s: NonNullable<typeof a>): KernelSeqAdj => ({
    correctionPos: s.place,
    offsetBefore: s.before,
    offsetAfter: s.after,
  });
  const seq = (f.status & SEQ_ADJUST) !== 0 && a && b ? seqText([toKernel(a), toKernel(b)]) : '';
  return `${f.protonum}${state} ${tupleText(f.original)} | ${tupleText(f.reply)} [${statusNames(f.status).join(',')}] mark ${f.mark} zones ${[f.zoneOriginal, f.zoneReply]} use ${f.uses} helper ${f.helper ?? ''}${counters}${master}${seq}`;
}

/** An expectation of the kernel; its timeout is apart. */
export function kernelExpectLine(e: KernelExpect): string {
  const nat = e.nat === null ? '' : ` nat ${e.nat.dir} ${kernelTupleText(e.nat.tuple)}`;
  const mask = `${e.mask.src} ${e.mask.sport ?? 0}`;
  return `${e.tuple.protocol} ${kernelTupleText(e.tuple)} mask ${mask} master ${kernelTupleText(e.master)} class ${e.class} helper ${e.helper} flags ${e.flags}${nat}`;
}

function addressText(family: number, words: readonly number[]): string {
  return family === AF_INET
    ? ipv4Text(words[0]!)
    : undotted(ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!));
}

/** An expectation of keepstate. */
export function expectLine(ct: Conntrack, e: Expectation): string {
  const kind = e.tuple[T_KIND]!;
  const family = kind >>> 8;
  const address = (word: number): string =>
    family === AF_INET
      ? ipv4Text(word)
      : addressText(family, word === 0 ? ZERO : [0, 1, 2, 3].map((i) => ct.pool.word(word, i)));
  const ports = e.tuple[T_PORTS]!;
  const ends = `${address(e.tuple[T_SRC]!)} > ${address(e.tuple[T_DST]!)} ${ports >>> 16}/${ports & 0xffff}/0/0`;
  const isTranslated = e.savedPort !== 0 || e.savedAddress.some((word) => word !== 0);
  const saved = e.savedAddress.length === 0 ? ZERO : e.savedAddress;
  const none = addressText(family, ZERO);
  const nat = isTranslated
    ? ` nat ${e.dir} ${addressText(family, saved)} > ${none} ${e.savedPort}/0/0/0`
    : '';
  const mask = `${addressText(family, e.sourceMask)} ${e.portMask}`;
  const master = tupleText(readFlow(ct, e.master).original);
  const helper = ct.extension(e.master)?.helper?.name ?? '';
  return `${kind & 255} ${ends} mask ${mask} master ${master} class ${e.class} helper ${helper} flags ${e.flags}${nat}`;
}
