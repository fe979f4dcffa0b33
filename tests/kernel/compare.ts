/** Runs packets through the kernel and through the engine, and tells every difference. */

import { reasonText } from '../../engine/base/reason-text.ts';
import { TCP_STATE_NAMES } from '../../engine/base/tcp-state-names.ts';
import type { FlowRecord, TupleRecord } from '../../engine/conntrack/flow-record.ts';
import { readFlow } from '../../engine/conntrack/flow-record.ts';
import { ROW_WORDS } from '../../engine/conntrack/flow-table.ts';
import { Settings } from '../../engine/conntrack/settings.ts';
import { statusNames } from '../../engine/conntrack/status.ts';
import { Firewall } from '../../engine/hook/firewall.ts';
import { DLT_RAW } from '../../engine/packet/link.ts';
import {
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_UNTRACKED,
  Packet,
  resetPacket,
} from '../../engine/packet/packet.ts';
import { sideFlags, sideScale } from '../../engine/proto/tcp-words.ts';
import type { Kernel, KernelEntry, KernelPacket, KernelRun, KernelTuple, KernelVerdict } from './oracle.ts';

/** What either side says of one packet, as text that can be compared. */
export interface Verdict {
  readonly state: string;
  readonly status: string;
  readonly log: string;
}

const STATES: readonly string[] = [
  'ESTABLISHED original',
  'RELATED original',
  'NEW original',
  'ESTABLISHED reply',
  'RELATED reply',
];

function engineState(pkt: Packet): string {
  if (pkt.ctinfo === CTINFO_INVALID) return 'INVALID';
  if (pkt.ctinfo === CTINFO_NONE) return 'none';
  return pkt.ctinfo === IP_CT_UNTRACKED ? 'UNTRACKED' : STATES[pkt.ctinfo]!;
}

/** The engine with a clock that the kernel's replay gives. */
export class EngineSide {
  readonly firewall: Firewall;
  private readonly pkt = new Packet();
  /** Whether the packet at hand gets past routing: the kernel says so, the engine has no routes here. */
  private leaves = true;

  constructor(sysctls: Readonly<Record<string, string | number>>) {
    const settings = new Settings();
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    this.firewall = new Firewall({ settings });
    const ct = this.firewall.conntrack;
    const confirm = ct.confirm.bind(ct);
    ct.confirm = (pkt) => {
      if (!this.leaves) {
        ct.abandon(pkt);
        return false;
      }
      return confirm(pkt);
    };
  }

  /** One packet through the engine. */
  receive(bytes: Uint8Array, now: number, leaves = true): Verdict {
    const { pkt } = this;
    this.leaves = leaves;
    resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
    pkt.time = now;
    this.firewall.receive(pkt, DLT_RAW);
    return {
      state: engineState(pkt),
      status: statusNames(pkt.status & COMPARED).join(','),
      log: pkt.reason === 0 ? '' : reasonText(pkt.reason, pkt.operands),
    };
  }

  /** What ctnetlink tells of a TCP flow's two sides: window scale and flags. */
  private tcpSides(flow: number): string {
    const w = this.firewall.conntrack.table.words;
    const at = flow * ROW_WORDS;
    const both = (of: (w: Int32Array, at: number, dir: number) => number): string =>
      `${of(w, at, 0)},${of(w, at, 1)}`;
    return ` scale ${both(sideScale)} flags ${both(sideFlags)}`;
  }

  /**
   * A flow as one line that {@link kernelLine} can equal.
   * @param protoinfo how much to tell of the protocol: a dump tells all, events less
   */
  line(flow: number, protoinfo: 'all' | 'state' | 'none' = 'all'): string {
    const record = readFlow(this.firewall.conntrack, flow);
    const sides = protoinfo === 'all' && record.protonum === 6 ? this.tcpSides(flow) : '';
    return engineLine(protoinfo === 'none' ? { ...record, state: null } : record, sides);
  }

  /** The table, one line a flow, timeouts (s) apart. */
  table(): Map<string, number> {
    const lines = new Map<string, number>();
    const ct = this.firewall.conntrack;
    ct.eachFlow((flow) => {
      lines.set(this.line(flow), ct.left(flow) / 1000);
    });
    return lines;
  }
}

function tupleText(t: TupleRecord): string {
  const rest = [t.sport ?? t.srckey ?? t.id ?? 0, t.dport ?? t.dstkey ?? 0, t.type ?? 0, t.code ?? 0];
  return `${t.src} > ${t.dst} ${rest.join('/')}`;
}

function kernelTupleText(t: KernelTuple): string {
  return `${t.src} > ${t.dst} ${[t.icmpId ?? t.sport ?? 0, t.dport ?? 0, t.icmpType ?? 0, t.icmpCode ?? 0].join('/')}`;
}

function engineLine(f: FlowRecord, sides: string): string {
  return `${f.protonum} ${f.state ?? ''}${sides} [${statusNames(f.status).join(',')}] ${tupleText(f.original)} | ${tupleText(f.reply)}`;
}

/** The status bits that the engine has so far: those below TEMPLATE. */
const COMPARED = 0x7ff;

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

/** An entry of the kernel as one line, timeout left out. */
export function kernelLine(e: KernelEntry): string {
  const state = e.tcp ? TCP_STATE_NAMES[e.tcp.state] : e.sctp ? SCTP[e.sctp.state] : '';
  const sides = e.tcp?.scale && e.tcp.flags ? ` scale ${e.tcp.scale} flags ${e.tcp.flags}` : '';
  return `${e.protocol} ${state}${sides} [${statusNames(e.status & COMPARED).join(',')}] ${kernelTupleText(e.original)} | ${kernelTupleText(e.reply)}`;
}

/**
 * A logged reason as it can be compared: without the protocol in front; SCTP's tags and lengths, which the
 * kernel logs in the machine's byte order, and IPv6 addresses, which we do not print, left out.
 */
function comparableLog(text: string): string {
  return text
    .replace(/^nf_ct_proto_\d+: /, '')
    .replace(/[0-9a-f]+ vs [0-9a-f]+/, 'tags')
    .replace(/\blen \d+/, 'len')
    .replace(/outer daddr [0-9a-f:]{39} != inner [0-9a-f:]{39}/, 'outer daddr is not the quoted sender')
    .trim();
}

/** A difference between the two sides. */
export interface Difference {
  /** Index of the packet, or -1 for the table after the last one. */
  readonly packet: number;
  readonly kernel: string;
  readonly engine: string;
}

/** Options of a comparison. */
export interface CompareOptions {
  readonly sysctls?: Readonly<Record<string, string | number>>;
  /** Differences to tell at the most. */
  readonly most?: number;
  readonly compareTable?: boolean;
  readonly dumpEvery?: boolean;
}

/** What the two sides say of one packet: state, direction, status bits, reason; null if they say the same. */
export function compareVerdict(packet: number, v: KernelVerdict, ours: Verdict): Difference | null {
  const state =
    v.state === null
      ? 'none'
      : v.dir === null || v.state === 'INVALID' || v.state === 'UNTRACKED'
        ? v.state
        : `${v.state} ${v.dir}`;
  const status = statusNames(v.status & COMPARED).join(',');
  if (ours.state !== state || (state !== 'none' && ours.status !== status))
    return {
      packet,
      kernel: `${state} [${status}] ${v.log.join('; ')}`,
      engine: `${ours.state} [${ours.status}] ${ours.log}`,
    };
  if (v.log.length > 0 && comparableLog(v.log[0]!) !== comparableLog(ours.log))
    return { packet, kernel: `log ${v.log.join('; ')}`, engine: `log ${ours.log}` };
  return null;
}

/** Seconds that the kernel's clock may be ahead of the engine's when a table is listed at once. */
const SLACK = 0.2;

/**
 * Entries that only one side has, or whose timeouts differ.
 * @param engine lines of {@link EngineSide.table}
 * @param slack seconds that the kernel's clock may be ahead of the engine's
 * @param lag seconds that may have passed until the kernel listed its table
 */
export function compareTables(
  packet: number,
  kernel: readonly KernelEntry[],
  engine: Map<string, number>,
  slack: number,
  lag = 0,
): Difference[] {
  const out: Difference[] = [];
  const left = new Map(engine);
  for (const entry of kernel) {
    const line = kernelLine(entry);
    const timeout = left.get(line);
    left.delete(line);
    const theirs = entry.timeout ?? 0;
    if (timeout === undefined) out.push({ packet, kernel: `${line} ${theirs}`, engine: 'no such entry' });
    else if (timeout < theirs - 0.1 || timeout > theirs + 1 + slack + lag)
      out.push({ packet, kernel: `${line} timeout ${theirs}`, engine: `timeout ${timeout}` });
  }
  for (const [line, timeout] of left)
    if (timeout > lag + 0.05) out.push({ packet, kernel: 'no such entry', engine: `${line} ${timeout}` });
  return out;
}

/**
 * Replays packets through both and compares state, direction, status bits, reasons and the table.
 * @param kernel an open namespace, emptied first
 */
export async function compare(
  kernel: Kernel,
  packets: readonly KernelPacket[],
  options: CompareOptions = {},
): Promise<Difference[]> {
  await kernel.reset();
  await kernel.sysctls(options.sysctls ?? {});
  const run = await kernel.replay(packets, { dumpEvery: options.dumpEvery ?? false });
  return compareRun(run, packets, options);
}

/** The engine's half of {@link compare}, for a kernel run that was made before. */
export function compareRun(
  run: KernelRun,
  packets: readonly KernelPacket[],
  options: CompareOptions = {},
): Difference[] {
  const most = options.most ?? 10;
  const engine = new EngineSide(options.sysctls ?? {});
  const out: Difference[] = [];
  const start = 1_000_000;
  for (const [i, packet] of packets.entries()) {
    const ours = engine.receive(packet.bytes, start + run.times[i]!, run.verdicts[i]!.stage !== 'forward');
    const difference = compareVerdict(i, run.verdicts[i]!, ours);
    if (difference !== null) out.push(difference);
    // The table was listed before the next packet was sent: on a busy machine that may be a while.
    const lag = ((run.times[i + 1] ?? run.elapsedMs) - run.times[i]!) / 1000;
    if (run.tables !== undefined) out.push(...compareTables(i, run.tables[i]!, engine.table(), SLACK, lag));
    if (out.length >= most) return out;
  }
  if (options.compareTable !== false) {
    engine.firewall.tick(start + run.elapsedMs);
    out.push(...compareTables(-1, run.table, engine.table(), SLACK));
  }
  return out.slice(0, most);
}
