import {
  type CaptureRecord,
  dissect,
  type EventSink,
  enterLink,
  Firewall,
  type HostModel,
  IP_CT_NEW,
  NF_DROP,
  Packet,
  PROFILES,
  REASONS,
  type RuleTable,
  resetPacket,
  Settings,
} from '@keepstate/engine';
import { type Moment, momentAt } from './moment.ts';
import { type Given, oneOf, wholeNumber } from './options.ts';
import { UsageError } from './trouble.ts';

const REASON_NUMBERS = Math.max(...REASONS.map((r) => r.id)) + 1;
const LINK_UNKNOWN = REASONS.find((r) => r.name === 'link-unknown')!.id;

/**
 * The last moment that a Date holds (ms since the epoch). Damaged timestamps of pcapng go on to the year 584 942
 * and beyond, where a double no longer tells one millisecond from the next and no timer would ever run out.
 */
const LAST_MOMENT = 8.64e15;

function withinTime(ms: number): number {
  return Math.min(Math.max(ms, -LAST_MOMENT), LAST_MOMENT);
}

/** What a session starts with, as the command line gave it. */
export interface SessionOptions {
  readonly settings: Settings;
  readonly seed: number;
  /** Hold the clock still. */
  readonly noTime: boolean;
  /** When to stop, null for the last packet. */
  readonly at: Moment | null;
  /** The machine and its rules, null to track only. */
  readonly rules?: SessionRules | null;
}

/** What packets have to pass. */
export interface SessionRules {
  readonly host: HostModel;
  readonly tables: readonly RuleTable[];
}

/**
 * What --profile, --sysctl, --seed and --no-time say.
 * @throws UsageError or SysctlError for names and values that do not exist
 */
export function sessionOptions(
  given: Given,
  at: Moment | null,
  rules: SessionRules | null = null,
): SessionOptions {
  const names = PROFILES.map((p) => p.name);
  const name = oneOf('profile', given.value('profile') ?? names[0]!, names);
  const settings = new Settings(PROFILES.find((p) => p.name === name)!);
  for (const assignment of given.all('sysctl')) {
    const equals = assignment.indexOf('=');
    if (equals < 1) throw new UsageError(`bad value '${assignment}' of --sysctl: expected NAME=VALUE`);
    settings.set(assignment.slice(0, equals).trim(), assignment.slice(equals + 1).trim());
  }
  return {
    settings,
    seed: wholeNumber('seed', given.value('seed') ?? '1'),
    noTime: given.has('no-time'),
    at,
    rules,
  };
}

/** A firewall that a capture is played to, and counts of what came of it. */
export class Session {
  readonly firewall: Firewall;
  /** What packets have to pass, null to track only. */
  readonly rules: SessionRules | null;
  /** The packet that was received last. */
  readonly pkt: Packet = new Packet();
  /** The same as it came: rules may have rewritten {@link pkt}. Only its bytes and where its headers are. */
  arrived: Packet = this.pkt;
  /** Packets seen, every record counted. */
  packets = 0;
  /** Time of the first packet (ms). */
  first: number = Number.NaN;
  /** Time of the last packet that was received (ms). */
  last = 0;
  /** Link types of packets that could not be read. */
  readonly unreadLinks: Set<number> = new Set();
  /** By how much (ms) a packet was older than one before it, at the most. */
  backwards = 0;
  /** How often each reason was given, by its number. */
  readonly reasons: Uint32Array = new Uint32Array(REASON_NUMBERS);
  /** Packets by ctinfo. */
  readonly states: Uint32Array = new Uint32Array(16);
  /** NEW packets that were dropped: no flow of theirs came into the table. */
  newDropped = 0;

  private readonly untouched: Packet = new Packet();
  private readonly noTime: boolean;
  private readonly at: Moment | null;
  private stop: number = Number.POSITIVE_INFINITY;
  /** The latest time of all packets so far (ms). */
  private latest: number = Number.NEGATIVE_INFINITY;

  constructor(options: SessionOptions) {
    const { settings, seed, rules = null } = options;
    this.firewall = new Firewall(
      rules === null ? { settings, seed } : { settings, seed, host: rules.host, rules: rules.tables },
    );
    this.rules = rules;
    this.noTime = options.noTime;
    this.at = options.at;
  }

  /** Tells a sink of all events from now on. */
  listen(sink: EventSink): void {
    this.firewall.conntrack.sink = sink;
  }

  /**
   * Plays a record.
   * @returns NF_*; -1 if it came after the moment to stop at
   */
  receive(record: CaptureRecord): number {
    const time = withinTime(record.time);
    if (this.packets++ === 0) this.begin(time);
    const now = this.noTime ? this.first : time;
    if (now > this.stop) return -1;
    if (now > this.latest) this.latest = now;
    else if (this.latest - now > this.backwards) this.backwards = this.latest - now;
    this.last = now;
    const { pkt } = this;
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    if (record.origlen > record.caplen) pkt.missing = record.origlen - record.caplen;
    pkt.time = now;
    const verdict = this.firewall.receive(pkt, record.linktype);
    this.arrived = pkt.bytes === pkt.own && this.readAgain(record) ? this.untouched : pkt;
    this.reasons[pkt.reason]!++;
    if (pkt.reason === LINK_UNKNOWN) this.unreadLinks.add(record.linktype);
    this.states[pkt.ctinfo]!++;
    if (verdict === NF_DROP && pkt.ctinfo === IP_CT_NEW) this.newDropped++;
    return verdict;
  }

  /** After the last packet: lets time pass until the moment to stop at, if there is one. */
  finish(): void {
    if (this.at === null || this.packets === 0) return;
    this.firewall.tick(this.stop);
    this.last = Math.max(this.last, this.stop);
  }

  /** Reads a record that the firewall rewrote. Returns false for a fragment: what it made whole is elsewhere. */
  private readAgain(record: CaptureRecord): boolean {
    const { untouched } = this;
    resetPacket(untouched, record.bytes, record.view, record.off, record.off + record.caplen);
    return enterLink(untouched, record.linktype) && dissect(untouched) && untouched.frag === 0;
  }

  private begin(time: number): void {
    this.first = time;
    if (this.at !== null) this.stop = withinTime(momentAt(this.at, time));
  }
}
