import { type HostModel, type Rule, type RuleTable, SourceError } from '@keepstate/engine';
import type { RuleFiles } from '../rule-files.ts';

/** The device lo, whose addresses nobody can be answered by. */
const LOOPBACK = 1;

/** Expressions that translate to an address of this machine, with what rules call them. */
const TO_OWN_ADDRESS: ReadonlyMap<string, string> = new Map([
  ['masq', 'masquerade'],
  ['redir', 'redirect'],
]);

/** What rules say that does not work where they run: texts with place, line and caret. */
export interface RuleWarnings {
  /** Wherever they run: what scripts hide, and rules that cannot be evaluated. */
  readonly always: readonly string[];
  /** Where the machine has no address, as a bridge. */
  readonly withoutAddress: readonly string[];
}

/** Looks through rules for what does not work. */
export function ruleWarnings(files: RuleFiles): RuleWarnings {
  const { ruleset } = files;
  const always = [...ruleset.warnings, ...ruleset.unsupported()];
  const needy = ruleset.tables().flatMap(needAddress);
  const text = (error: SourceError): string => files.text(error, 'Warning');
  return { always: always.map(text), withoutAddress: needy.map(text) };
}

/** Those that hold for a machine. @param host null where rules do not run */
export function warningsFor({ always, withoutAddress }: RuleWarnings, host: HostModel | null): string[] {
  const hasAddress = host === null || host.addresses.some(({ device }) => device !== LOOPBACK);
  return [...always, ...(hasAddress ? [] : withoutAddress)];
}

function needAddress({ chains }: RuleTable): SourceError[] {
  return [...chains.values()].flatMap(({ rules }) => rules.flatMap(needsAddress));
}

function needsAddress({ exprs, at }: Rule): SourceError[] {
  const word = exprs.map(({ name }) => TO_OWN_ADDRESS.get(name)).find((name) => name !== undefined);
  if (word === undefined || at === null) return [];
  const why = `${word}: there is no address of this machine's to translate to, and the packet is dropped`;
  return [new SourceError(why, at, 'snat to and dnat to name an address themselves')];
}
