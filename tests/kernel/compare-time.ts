/**
 * Kernel and engine on conversations in real time. The kernel counts time in jiffies and reads its clock a little
 * after the packet was written, so near the moment when a timer runs out either answer is right. Three engines take
 * part, their clocks right, slow and fast: where they disagree among themselves, the conversation is left out from
 * there on; where they agree, the kernel has to agree too.
 */
import { compareVerdict, EngineSide, kernelLine } from './compare.ts';
import { type EventLine, eventText, kernelEvent, RecordingSide, sameEvents } from './compare-events.ts';
import type { KernelEntry, KernelRun } from './oracle.ts';
import type { Plan } from './talk.ts';

/** How fast the engines' clocks go: over a second, the shortest timer, three jiffies of 10 ms apart. */
const RATES: readonly number[] = [0.97, 1.03];
/** What the kernel's clock may be away from the replay's, in ms. */
const TICK = 30;
const START = 1_000_000;
/** An entry that has less left (s) may be gone from the kernel when its table is read. */
const NEARLY_OVER = 0.1;

/** A difference, by conversation. */
export interface TalkDifference {
  readonly talk: string;
  /** Milliseconds after the replay began. */
  readonly at: number;
  readonly kernel: string;
  readonly engine: string;
}

/** What a comparison in real time gave. */
export interface TimeComparison {
  readonly differences: readonly TalkDifference[];
  /** Packets compared, those of conversations left out not counted. */
  readonly packets: number;
  /** Entries that ran out, on both sides. */
  readonly expired: number;
  /** Names of conversations that came too near a border. */
  readonly unsure: readonly string[];
}

interface Variant {
  readonly side: EngineSide;
  readonly clock: (ms: number) => number;
}

/** An entry that ran out: when it was due (engine), or when the kernel told of it. */
interface Expired {
  readonly text: string;
  readonly at: number;
  /** Kernel: when it was still there, if each entry was looked up after each packet; engine: when it was due. */
  readonly notBefore: number;
}

class TimeCompare {
  private readonly plan: Plan;
  private readonly run: KernelRun;
  private readonly exact: RecordingSide;
  private readonly variants: readonly Variant[];
  private readonly byHost: ReadonlyMap<string, number>;
  private readonly unsure = new Set<number>();
  private readonly differences: TalkDifference[] = [];
  private readonly theirExpired: Expired[][];
  private readonly ourExpired: Expired[][];
  private packets = 0;
  private expired = 0;

  constructor(plan: Plan, run: KernelRun, sysctls: Readonly<Record<string, string | number>>) {
    this.plan = plan;
    this.run = run;
    this.exact = new RecordingSide(sysctls);
    const others = RATES.map((rate) => ({
      side: new EngineSide(sysctls),
      clock: (ms: number): number => START + ms * rate,
    }));
    this.variants = [{ side: this.exact, clock: (ms): number => START + ms }, ...others];
    this.byHost = new Map(plan.talks.map(({ host }, n) => [host, n]));
    this.theirExpired = plan.talks.map(() => []);
    this.ourExpired = plan.talks.map(() => []);
  }

  compare(): TimeComparison {
    for (let i = 0; i < this.plan.packets.length; i++) this.packet(i);
    const { elapsedMs, table } = this.run;
    for (const { side, clock } of this.variants) side.firewall.tick(clock(elapsedMs));
    this.noteExpired(this.exact.take());
    this.tables(elapsedMs, table);
    this.ends();
    const unsure = [...this.unsure].map((n) => this.plan.talks[n]!.name);
    return { differences: this.differences, packets: this.packets, expired: this.expired, unsure };
  }

  private packet(i: number): void {
    const { plan, run } = this;
    const owner = plan.owners[i]!;
    const at = run.times[i]!;
    const bytes = plan.packets[i]!.bytes;
    const verdicts = this.variants.map(({ side, clock }) => side.receive(bytes, clock(at)));
    const said = new Set(verdicts.map(({ state, status, log }) => `${state} ${status} ${log}`));
    if (said.size > 1) this.unsure.add(owner);
    if (!this.unsure.has(owner)) {
      this.packets++;
      const difference = compareVerdict(i, run.verdicts[i]!, verdicts[0]!);
      if (difference !== null) this.differ(owner, at, difference.kernel, difference.engine);
    }
    if (run.events !== undefined) this.events(i, owner, at);
    if (run.tables !== undefined) this.tables(at, run.tables[i]!);
  }

  /** Events of packet `i`. Those of entries that ran out are kept for the end: the kernel tells them when it likes. */
  private events(i: number, owner: number, at: number): void {
    const all = this.exact.take();
    const ours = all.filter(({ expired }) => !expired);
    const told = this.run
      .events![i]!.map(kernelEvent)
      .map((event) => (ours.some(({ text }) => text === event.text) ? { ...event, expired: false } : event));
    const theirs = told.filter(({ expired }) => !expired);
    if (!this.unsure.has(owner) && !sameEvents(theirs, ours))
      this.differ(owner, at, eventText(theirs), eventText(ours));
    this.noteExpired(all);
    // Seen by the lookups behind the packet before, hence not yet by those one packet earlier.
    const notBefore = this.run.times[i - 2] ?? 0;
    for (const { text, expired } of told)
      if (expired) this.theirExpired[this.ownerOf(text)]!.push({ text, at, notBefore });
  }

  private noteExpired(events: readonly EventLine[]): void {
    for (const { text, expired, at } of events)
      if (expired) this.ourExpired[this.ownerOf(text)]!.push({ text, at: at - START, notBefore: at - START });
  }

  /** What the kernel has, one engine has too; what all engines have, the kernel has. */
  private tables(at: number, kernel: readonly KernelEntry[]): void {
    const ours = this.variants.map(({ side }) => side.table());
    const there = new Set<string>();
    for (const entry of kernel) {
      const line = kernelLine(entry);
      there.add(line);
      const owner = this.ownerOf(line);
      const timeout = entry.timeout ?? 0;
      const left = ours.map((table) => table.get(line)).filter((s) => s !== undefined);
      if (this.unsure.has(owner) || left.some((s) => s > timeout - 0.15 && s < timeout + 1.2)) continue;
      this.differ(owner, at, `${line} timeout ${timeout}`, `timeout ${left.join(' or ')}`);
    }
    for (const [line, timeout] of ours[0]!) {
      if (there.has(line) || timeout < NEARLY_OVER || !ours.every((table) => table.has(line))) continue;
      const owner = this.ownerOf(line);
      if (!this.unsure.has(owner)) this.differ(owner, at, 'no such entry', `${line} timeout ${timeout}`);
    }
  }

  /** Which entries ran out, and that the kernel told of none before it was due. */
  private ends(): void {
    if (this.run.events === undefined) return;
    for (const [owner, theirs] of this.theirExpired.entries()) {
      if (this.unsure.has(owner)) continue;
      const ours = [...this.ourExpired[owner]!];
      for (const told of theirs) this.matchEnd(owner, told, ours);
      if (this.run.tables === undefined) continue;
      for (const { text, at } of ours)
        if (at < this.run.times.at(-2)! - TICK) this.differ(owner, at, 'did not run out', text);
    }
  }

  /** Looks for the engine's side of an entry that ran out, and takes it from `ours`. */
  private matchEnd(owner: number, told: Expired, ours: Expired[]): void {
    const n = ours.findIndex(({ text }) => text === told.text);
    const own = ours[n];
    if (own === undefined) {
      this.differ(owner, told.at, told.text, 'did not run out');
      return;
    }
    ours.splice(n, 1);
    this.expired++;
    // With a lookup of every entry after every packet the kernel cannot be late either.
    const late = this.run.tables !== undefined && own.at < told.notBefore - TICK;
    if (late || told.at < own.at - TICK)
      this.differ(owner, told.at, `${told.text} told at ${told.at}`, `due at ${own.at}`);
  }

  private ownerOf(line: string): number {
    const [, src, dst] = /\] (\S+) > (\S+) /.exec(line)!;
    return this.byHost.get(src!) ?? this.byHost.get(dst!)!;
  }

  private differ(owner: number, at: number, kernel: string, engine: string): void {
    this.differences.push({ talk: this.plan.talks[owner]!.name, at: Math.round(at), kernel, engine });
  }
}

/**
 * Compares verdicts, events (of a kernel opened with `events`), which entries ran out, and the tables that the
 * run has.
 * @param sysctls those that the kernel had
 */
export function compareTime(
  plan: Plan,
  run: KernelRun,
  sysctls: Readonly<Record<string, string | number>>,
): TimeComparison {
  return new TimeCompare(plan, run, sysctls).compare();
}
