import {
  Firewall,
  type FlowRecord,
  type HostModel,
  ips,
  NF_ACCEPT,
  NF_QUEUE,
  NF_STOLEN,
  type Outcome,
  Packet,
  type RuleTable,
  readFlow,
  resetPacket,
  Settings,
} from '@keepstate/engine';
import { conntrackLine } from '../format/conntrack-line.ts';
import { decidedBy } from '../format/rule-words.ts';
import { openingPacket } from './opening-packet.ts';
import { eachFlowInSlices } from './rows.ts';

/** Number of lo. */
const LOOPBACK = 1;
/** LINKTYPE_RAW: the bytes begin with the IP header. */
const DLT_RAW = 101;
/** Most flows whose lines are kept. */
const LINES_MOST = 100;
/**
 * Time that passes in the trial between two flows: what limits rates is at rest again, and a rule that asks for the hour
 * or the day of the week finds the same.
 */
const WEEK = 7 * 24 * 3600 * 1000;

/** Flows that rules would not let begin. */
export interface RefusedFlows {
  /** Flows that were looked at. */
  readonly flows: number;
  /** Whether these were all: not if other rules came meanwhile. */
  readonly complete: boolean;
  readonly refused: number;
  /** By what would refuse them, most first. */
  readonly refusedBy: readonly { readonly by: string; readonly flows: number }[];
  /** The first of them, as `conntrack -L` shows them. */
  readonly lines: readonly string[];
}

/** Who refused, for users. */
function refuserText(outcome: Outcome): string {
  const by = decidedBy(outcome).replace(/^ by /, '');
  if (outcome.verdict === 'unknown') return `${by === '' ? 'a rule' : by}, which keepstate cannot evaluate`;
  return by === '' ? 'no rule: the packet comes to none, or has no route' : by;
}

/** A firewall of its own in which opening packets are tried: neither flows nor counters of the running one are touched. */
class Trial {
  private readonly firewall: Firewall;
  private readonly host: HostModel;
  private readonly pkt: Packet = new Packet();
  private now: number;

  constructor(live: Firewall, tables: readonly RuleTable[], seed: number) {
    const settings = new Settings(live.settings.profile);
    for (const { sysctl, value } of live.settings.entries()) settings.set(sysctl.name, value);
    this.host = live.host;
    this.firewall = new Firewall({ settings, seed, host: this.host, rules: tables });
    this.now = live.conntrack.now;
  }

  /** @returns null if the flow could begin, else who refuses it */
  refuser(flow: FlowRecord): string | null {
    const bytes = openingPacket(flow);
    // Of a bridge's flow it is not known which way it came: one way that is open is enough.
    let why: string | null = null;
    for (const [ifin, ifout] of this.ways()) {
      why = this.judge(bytes, ifin, ifout);
      if (why === null) return null;
    }
    return why;
  }

  private judge(bytes: Uint8Array, ifin: number, ifout: number): string | null {
    const { pkt, firewall } = this;
    // Rules may rewrite it.
    const own = bytes.slice();
    resetPacket(pkt, own, new DataView(own.buffer), 0, own.length);
    this.now += WEEK;
    pkt.time = this.now;
    pkt.ifin = ifin;
    pkt.ifout = ifout;
    const verdict = firewall.receive(pkt, DLT_RAW);
    const why =
      verdict === NF_ACCEPT || verdict === NF_QUEUE || verdict === NF_STOLEN
        ? null
        : refuserText(firewall.outcome);
    if (firewall.conntrack.table.count > 0) firewall.conntrack.flush();
    return why;
  }

  private ways(): readonly (readonly [number, number])[] {
    if (!this.host.transparent) return [[0, 0]];
    const ports = this.host.devices.flatMap((d) => (d === null || d.index === LOOPBACK ? [] : [d.index]));
    return ports.flatMap((from) => ports.flatMap((to) => (from === to ? [] : [[from, to] as const])));
  }
}

/**
 * Looks which live flows rules would not accept if they began now. Each is judged by the packet that would open it, as
 * NEW. A flow that a helper expected goes with the one that told of it.
 * @param tables a copy of the rules that nobody else uses: limits and sets of theirs change
 * @param goesOn asked now and then; false ends it with what was found
 */
export async function refusedFlows(
  live: Firewall,
  tables: readonly RuleTable[],
  seed: number,
  goesOn: () => boolean,
): Promise<RefusedFlows> {
  const trial = new Trial(live, tables, seed);
  const { conntrack } = live;
  const by = new Map<string, number>();
  const lines: string[] = [];
  const refusedIds = new Map<number, string>();
  const expected: FlowRecord[] = [];
  let flows = 0;
  let refused = 0;
  const note = (flow: FlowRecord, why: string): void => {
    refused++;
    by.set(why, (by.get(why) ?? 0) + 1);
    if (lines.length < LINES_MOST) lines.push(conntrackLine(flow, conntrack.now));
  };
  const look = (row: number): void => {
    const flow = readFlow(conntrack, row);
    flows++;
    if ((flow.status & ips.IPS_EXPECTED) !== 0 && flow.master !== null) {
      expected.push(flow);
      return;
    }
    const why = trial.refuser(flow);
    if (why === null) return;
    refusedIds.set(flow.flowId, why);
    note(flow, why);
  };
  await eachFlowInSlices(conntrack, look, goesOn);
  // One that was expected may itself have told of others, which are younger.
  for (const flow of expected.sort((a, b) => a.flowId - b.flowId)) {
    const why = refusedIds.get(flow.master!);
    if (why === undefined) continue;
    refusedIds.set(flow.flowId, why);
    note(flow, why);
  }
  const refusedBy = [...by].map(([word, n]) => ({ by: word, flows: n })).sort((a, b) => b.flows - a.flows);
  return { flows, complete: goesOn(), refused, refusedBy, lines };
}
