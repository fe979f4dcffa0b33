/** Notes which features a test has shown, for docs/coverage.md. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ruleset } from '../../engine/hook/ruleset.ts';
import { type Feature, featuresOf } from './features.ts';

/** What a test can show of a feature: read, listed back as the real tool does, evaluated, verdicts equal to the kernel's. */
export type Shown = 'parsed' | 'listed' | 'evaluated' | 'compared';

/** All of them, in the order of the table's columns. */
export const SHOWN: readonly Shown[] = ['parsed', 'listed', 'evaluated', 'compared'];

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));
/** Set to write the results; else tests leave the tree as it is. */
const WRITES = process.env.KEEPSTATE_COVERAGE === 'write';

function nothing(): Record<Shown, Set<Feature>> {
  return { parsed: new Set(), listed: new Set(), evaluated: new Set(), compared: new Set() };
}

const seen = nothing();

/** Notes the features of the rules that hold nothing which cannot be evaluated. */
function evaluates(kind: string, text: string): void {
  const ruleset = new Ruleset();
  const readAs = kind.startsWith('nft') ? 'nft' : kind.startsWith('ip6') ? 'ip6tables-save' : 'iptables-save';
  ruleset.load({ name: 'rules', text }, readAs);
  for (const table of ruleset.tables()) {
    for (const chain of table.chains.values()) {
      for (const { exprs, parts } of chain.rules) {
        if (exprs.some((expr) => expr.unknowable !== undefined)) continue;
        const rule = parts.map((part) => part.text).join(' ');
        const alone = readAs === 'nft' ? `add rule ip t c ${rule}` : rule;
        for (const feature of featuresOf(kind, alone)) seen.evaluated.add(feature);
      }
    }
  }
}

/** A ruleset passed: every feature of it is shown. */
export function shows(what: 'listed' | 'compared', kind: string, text: string): void {
  if (!WRITES) return;
  for (const feature of featuresOf(kind, text)) {
    seen.parsed.add(feature);
    seen[what].add(feature);
    // A set of any type answers every packet; that it does so rightly is what was compared.
    if (kind.includes('ipset') && what === 'compared') seen.evaluated.add(feature);
  }
  if (!kind.includes('ipset')) evaluates(kind, text);
}

/** At the end of a test file: keeps what it has shown. @param test its name */
export function keepResults(test: string): void {
  if (!WRITES) return;
  mkdirSync(RESULTS, { recursive: true });
  const sorted = Object.fromEntries(Object.entries(seen).map(([what, set]) => [what, [...set].sort()]));
  writeFileSync(`${RESULTS}${test}.json`, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** What all tests together have shown, as they kept it. */
export function keptResults(): Record<Shown, Set<Feature>> {
  const all = nothing();
  for (const file of readdirSync(RESULTS).filter((name) => name.endsWith('.json'))) {
    const one = JSON.parse(readFileSync(`${RESULTS}${file}`, 'utf8')) as Record<Shown, Feature[]>;
    for (const what of SHOWN) for (const feature of one[what]) all[what].add(feature);
  }
  return all;
}
