import type { Firewall, RuleTable } from '@keepstate/engine';
import type { ReloadReport, RulesStatus } from '../control/protocol.ts';
import { counted } from '../counted.ts';
import type { Given } from '../options.ts';
import type { Log } from './log.ts';
import { refusedFlows } from './refused.ts';
import { turn } from './rows.ts';
import { warningsFor } from './rule-warnings.ts';
import { isErrors, type ReadRules, readRulesAgain, textOf } from './rules.ts';

/** Why rules are read anew. */
export type ReloadCause = 'signal' | 'control' | 'watch';

/** Flows whose lines go to the log; all that are kept go to who asked by the control socket. */
const LOGGED_MOST = 10;
/** What is wrong with rules goes to the log up to so many. */
const TEXTS_MOST = 20;

/** Where no flow was looked at. */
const NOTHING = { flows: 0, complete: false, refused: 0, refusedBy: [], lines: [] } as const;

/** The rules of a running firewall, and how others take their place. */
export class Rules {
  /** Called with the files of the rules that run. */
  onFiles: ((files: readonly string[]) => void) | null = null;
  /** Reloads by what came of them, for metrics. */
  readonly reloads: { ok: number; error: number } = { ok: 0, error: 0 };
  /** How long the last successful one took (ms), and when it was. */
  took = 0;
  loaded: number = Date.now();

  private readonly firewall: Firewall;
  private readonly given: Given;
  private readonly log: Log;
  private readonly seed: number;
  private running: ReadRules;
  private error: string | null = null;
  /** How often new rules were asked for. */
  private asked = 0;
  private under: Promise<ReloadReport> | null = null;

  /** @param running those that the firewall has */
  constructor(firewall: Firewall, running: ReadRules, given: Given, seed: number, log: Log) {
    this.firewall = firewall;
    this.running = running;
    this.given = given;
    this.seed = seed;
    this.log = log;
  }

  /** The files that the rules are from, includes as well. */
  get files(): readonly string[] {
    return [...this.running.sources.keys()];
  }

  /** The tables of the rules that run. */
  get tables(): readonly RuleTable[] {
    return this.running.tables;
  }

  get status(): RulesStatus {
    return { files: this.files, ...this.running.counts, loaded: this.loaded, error: this.error };
  }

  /** Says what of the rules that run does not work here. */
  warn(): void {
    const warnings = warningsFor(this.running.warnings, this.firewall.host);
    for (const text of warnings.slice(0, TEXTS_MOST)) this.log.warning('rules', text);
    const more = warnings.length - TEXTS_MOST;
    if (more > 0)
      this.log.warning('rules', `${counted(more, 'more warning')}: keepstate check --strict has all`);
  }

  /** Whether the files say something else than the rules that run. */
  get isChanged(): boolean {
    for (const [name, text] of this.running.sources) if (textOf(name) !== text) return true;
    return false;
  }

  /**
   * Reads the rules anew. One that is asked for while another is under way comes after it, which then looks no longer for
   * flows that it would refuse.
   */
  async reload(cause: ReloadCause): Promise<ReloadReport> {
    this.asked++;
    while (this.under !== null) await this.under.catch(() => {});
    this.under = this.reloadNow(cause).finally(() => {
      this.under = null;
    });
    return this.under;
  }

  /** The same after a change of files, unless they say what they said before. */
  async reloadIfChanged(): Promise<void> {
    while (this.under !== null) await this.under.catch(() => {});
    // A file that a pattern of include finds now is none of those known: only reading tells.
    // Files that say again what runs put an end to the error, too.
    const read = this.isChanged || this.error !== null ? null : readRulesAgain(this.given);
    if (read !== null && !isErrors(read) && sameSources(read, this.running)) return;
    await this.reload('watch');
  }

  private async reloadNow(cause: ReloadCause): Promise<ReloadReport> {
    const begin = performance.now();
    const read = readRulesAgain(this.given);
    if (isErrors(read)) return this.refuse(read, cause, performance.now() - begin);
    this.firewall.loadRules(read.tables);
    this.running = read;
    this.error = null;
    this.loaded = Date.now();
    this.took = performance.now() - begin;
    this.reloads.ok++;
    this.onFiles?.(this.files);
    const { took } = this;
    const { tables, rules } = read.counts;
    this.log.info('reload', 'new rules run', { cause, tables, rules, ms: Number(took.toFixed(1)) });
    this.warn();
    const { asked } = this;
    // What the trial changes of sets and limits is no business of the rules that run: it has a copy.
    const isEmpty = this.firewall.conntrack.table.count === 0;
    // Packets wait while rules are read, a tenth of a second for a thousand rules: not for twice that (docs/live.md).
    await turn();
    const copy = isEmpty ? [] : readRulesAgain(this.given);
    const found = isErrors(copy)
      ? { ...NOTHING, complete: isEmpty }
      : await refusedFlows(this.firewall, copy.tables, this.seed, () => asked === this.asked);
    const report: ReloadReport = { ok: true, errors: [], ...read.counts, took, ...found };
    this.tell(report);
    return report;
  }

  private refuse(errors: readonly string[], cause: ReloadCause, took: number): ReloadReport {
    this.reloads.error++;
    this.error = errors[0] ?? null;
    const count = counted(errors.length, 'error');
    this.log.error('reload', `the rules that were there stay: ${count} in the new ones`, { cause });
    for (const error of errors.slice(0, TEXTS_MOST)) this.log.error('rules', error);
    const { counts } = this.running;
    // The files may be others now, and the next change of theirs counts.
    this.onFiles?.(this.files);
    return { ok: false, errors, ...counts, took, ...NOTHING };
  }

  private tell(report: ReloadReport): void {
    const { flows, refused } = report;
    if (refused === 0) return;
    this.log.warning(
      'reload',
      `${refused} of ${counted(flows, 'live flow')} could not begin with the new rules`,
      {
        by: report.refusedBy.slice(0, LOGGED_MOST).map(({ by, flows: n }) => `${n} by ${by}`),
      },
    );
    for (const line of report.lines.slice(0, LOGGED_MOST)) this.log.warning('refused-flow', line);
  }
}

function sameSources(a: ReadRules, b: ReadRules): boolean {
  if (a.sources.size !== b.sources.size) return false;
  for (const [name, text] of a.sources) if (b.sources.get(name) !== text) return false;
  return true;
}
