import type { Span } from '../base/error.ts';
import type { RuleTable } from '../rules/chain.ts';
import type { Finding } from './finding.ts';
import { unreached } from './reach.ts';
import { openIpv6, relatedWithoutHelper, stateMistakes } from './states.ts';

/** A named set as lint sees it. */
export interface NamedSet {
  /** `set blocklist of table inet filter`, `IP set blocklist`. */
  readonly what: string;
  readonly at: Span | null;
  /** Whether a rule looks at it or adds to it. */
  readonly used: boolean;
}

function position({ at }: Finding): readonly [string, number, number] {
  return at === null ? ['', 0, 0] : [at.file, at.line, at.col];
}

/** In the order of the source. */
function compare(a: Finding, b: Finding): number {
  const [fileA, lineA, colA] = position(a);
  const [fileB, lineB, colB] = position(b);
  return fileA < fileB ? -1 : fileA > fileB ? 1 : lineA - lineB || colA - colB;
}

/**
 * What of a ruleset is legal and most likely not meant.
 * @param tables all tables of the host, of both families and languages
 * @returns findings in the order of the source
 */
export function lint(tables: readonly RuleTable[], sets: readonly NamedSet[]): Finding[] {
  const unused: Finding[] = sets
    .filter((set) => !set.used)
    .map((set) => ({
      code: 'unused-set',
      at: set.at,
      message: `no rule uses ${set.what}`,
      fix: 'remove it, or add a rule that looks at it',
    }));
  return [
    ...tables.flatMap(unreached),
    ...tables.flatMap(stateMistakes),
    ...openIpv6(tables),
    ...relatedWithoutHelper(tables),
    ...unused,
  ].sort(compare);
}
