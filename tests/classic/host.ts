/** A host under test: packets go in with the time, ct states and lines of the table come out. */
import { procIpConntrack } from '../../cli/format/proc-ip-conntrack.ts';
import { procNfConntrack } from '../../cli/format/proc-nf-conntrack.ts';
import { reasonOf } from '../../engine/base/reason.ts';
import type { EventSink } from '../../engine/conntrack/events.ts';
import { type FlowRecord, readFlow } from '../../engine/conntrack/flow-record.ts';
import { LINUX_2_4, LINUX_2_4_TCP_WINDOW, LINUX_6_18, type Profile } from '../../engine/conntrack/profile.ts';
import { Settings } from '../../engine/conntrack/settings.ts';
import { Firewall } from '../../engine/hook/firewall.ts';
import { type CtState, ctStateOf } from '../../engine/packet/ct-state.ts';
import { DLT_RAW } from '../../engine/packet/link.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';
import { NF_STOLEN } from '../../engine/rules/verdict.ts';

/** The four states that rules know, and what else can come of a packet. */
export type State = CtState | 'dropped' | 'held';

/** The profiles by what tests of the classic system concern. */
export const CLASSIC: Profile = LINUX_2_4;
/** Linux 2.4 with the tcp-window-tracking extension. */
export const WINDOW: Profile = LINUX_2_4_TCP_WINDOW;
/** Today's. */
export const TODAY: Profile = LINUX_6_18;

/** A profile with its name in front, for the names of tests, and what is expected of it behind. */
export function on<T extends readonly unknown[]>(profile: Profile, ...rest: T): [string, Profile, ...T] {
  return [profile.name, profile, ...rest];
}

/** All three. */
export const EVERY: readonly [string, Profile][] = [CLASSIC, WINDOW, TODAY].map((profile) => on(profile));

const GRE_TIMEOUTS = { timeout: 30, stream: 180 };

/** A firewall of one profile with a clock of its own that tests move on. */
export class Host {
  readonly firewall: Firewall;
  /** Now, in ms. */
  now = 1_000_000;
  /** Name of the reason that the last packet carried, '' if none. */
  reason = '';
  private readonly profile: Profile;
  private readonly pkt = new Packet();
  private refusing = false;

  /** @param sysctls by any name that a kernel generation gave them */
  constructor(profile: Profile, sysctls: Readonly<Record<string, string | number>> = {}, sink?: EventSink) {
    this.profile = profile;
    const settings = new Settings(profile);
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    this.firewall = new Firewall(sink === undefined ? { settings } : { settings, sink });
    const ct = this.firewall.conntrack;
    const confirm = ct.confirm.bind(ct);
    // A rule that drops stands between tracking and confirmation.
    ct.confirm = (pkt) => {
      if (!this.refusing) return confirm(pkt);
      ct.abandon(pkt);
      return false;
    };
  }

  /** Hands over a packet, from its IP header on, and lets it pass. */
  send(bytes: Uint8Array): State {
    const { pkt } = this;
    resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
    pkt.time = this.now;
    const verdict = this.firewall.receive(pkt, DLT_RAW);
    this.reason = pkt.reason === 0 ? '' : reasonOf(pkt.reason).name;
    return ctStateOf(pkt.ctinfo) ?? (verdict === NF_STOLEN ? 'held' : 'dropped');
  }

  /** Hands over a packet that a rule then drops. */
  refuse(bytes: Uint8Array): State {
    this.refusing = true;
    try {
      return this.send(bytes);
    } finally {
      this.refusing = false;
    }
  }

  /** Lets so many seconds pass. */
  wait(seconds: number): void {
    this.now += seconds * 1000;
    this.firewall.tick(this.now);
  }

  /** Every flow in the table. */
  flows(): FlowRecord[] {
    const flows: FlowRecord[] = [];
    this.firewall.conntrack.eachFlow((flow) => flows.push(readFlow(this.firewall.conntrack, flow)));
    return flows;
  }

  /** The one flow in the table. @throws if there is another number of them */
  flow(): FlowRecord {
    const flows = this.flows();
    if (flows.length !== 1) throw new Error(`${flows.length} flows in the table, not one`);
    return flows[0]!;
  }

  /** Seconds that the one flow in the table has left. */
  left(): number {
    return this.flow().timeout / 1000;
  }

  /** The table as the file under /proc shows it: ip_conntrack, today nf_conntrack. */
  lines(): string[] {
    return this.flows().map((flow) =>
      this.profile.classicProc
        ? procIpConntrack(flow, this.now, GRE_TIMEOUTS, false)
        : procNfConntrack(flow, this.now, GRE_TIMEOUTS),
    );
  }

  /** What stands in front of the addresses in the one line of the table, and its marks: `tcp 6 60 SYN_RECV`. */
  entry(): string {
    const line = this.lines();
    if (line.length !== 1) throw new Error(`${line.length} lines in the table, not one`);
    const head = line[0]!.replace(/^ipv4 +2 /, '').replace(/src=.*/, '');
    const marks = line[0]!.match(/\[\w+\]/g) ?? [];
    return [head.replace(/ +/g, ' ').trim(), ...marks].join(' ');
  }
}
