/** docs/coverage.md and the summary in the README, from what the tests have shown. */

import { SET_TYPES } from '../../engine/ipset/set-type.ts';
import { CORE_MATCHES, CORE_TARGETS } from '../../engine/iptables/extensions-core.ts';
import { MORE_MATCHES, MORE_TARGETS } from '../../engine/iptables/extensions-more.ts';
import type { Feature } from './features.ts';
import { keptResults, SHOWN, type Shown } from './record.ts';

interface Group {
  readonly title: string;
  readonly features: readonly Feature[];
}

const KEPT = keptResults();

/** The features of a group: those that are known, or where there is no list of them, those that tests met. */
function group(title: string, prefix: string, known: readonly string[]): Group {
  if (known.length > 0) return { title, features: known.map((name) => prefix + name).sort() };
  const met = SHOWN.flatMap((what) => [...KEPT[what]]).filter((f) => f.startsWith(prefix));
  return { title, features: [...new Set(met)].sort() };
}

function groups(): Group[] {
  const names = (list: readonly { readonly name: string }[]): string[] => list.map((e) => e.name);
  return [
    group('nftables statements', 'nft statement ', []),
    group('nftables expressions', 'nft expression ', []),
    group('nftables objects', 'nft object ', []),
    group('iptables matches', 'iptables match ', names([...CORE_MATCHES, ...MORE_MATCHES])),
    group('iptables targets', 'iptables target ', [
      ...['ACCEPT', 'DROP', 'RETURN'],
      ...names([...CORE_TARGETS, ...MORE_TARGETS]),
    ]),
    group('IP set types', 'ipset type ', names(SET_TYPES)),
  ].filter((g) => g.features.length > 0);
}

function mark(what: Shown, feature: Feature): string {
  return KEPT[what].has(feature) ? 'yes' : '';
}

function table({ title, features }: Group): string {
  const short = (feature: Feature): string => feature.split(' ').slice(2).join(' ').replaceAll('|', '\\|');
  const rows = features.map((f) => `| \`${short(f)}\` | ${SHOWN.map((what) => mark(what, f)).join(' | ')} |`);
  return `## ${title}\n\n| | ${SHOWN.join(' | ')} |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** The whole table. */
export function coveragePage(): string {
  return `# Coverage

What the tests have shown of each feature, written by them (\`npm run coverage\`): *parsed*; *listed* back byte for byte as
the real tool does; *evaluated*, that is, a rule with it holds nothing that makes a verdict unknown; *compared*: the
kernel gave the same verdict, bytes, answers and log lines for rulesets with it.

${groups().map(table).join('\n')}`;
}

/** The summary: how many of each group. */
export function coverageSummary(): string {
  const rows = groups().map(({ title, features }) => {
    const counts = SHOWN.map((what) => features.filter((f) => KEPT[what].has(f)).length);
    return `| ${title} | ${features.length} | ${counts.join(' | ')} |`;
  });
  return `| | known | ${SHOWN.join(' | ')} |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
}
