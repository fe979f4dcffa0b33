import { type Chain, familyWord, type Outcome, type Rule } from '@keepstate/engine';

/** `ip filter INPUT`, as nft names a chain. */
export function chainWords(chain: Chain): string {
  return `${familyWord(chain.table.family)} ${chain.table.name} ${chain.name}`;
}

/** `rules.v4:12`, where a rule was written; '' if nobody wrote it. */
export function placeWords(rule: Rule | null): string {
  return rule === null || rule.at === null ? '' : `${rule.at.file}:${rule.at.line}`;
}

/** A rule as its tool would list it, without its chain. */
export function ruleWords(rule: Rule): string {
  return rule.parts.map((part) => part.text).join(' ');
}

/** ` by rules.v4:12 (ip filter INPUT)` or ` by policy of ip filter INPUT`: who decided; '' if no chain did. */
export function decidedBy({ chain, rule }: Outcome): string {
  if (chain === null) return '';
  if (rule === null) return ` by policy of ${chainWords(chain)}`;
  const place = placeWords(rule);
  return place === '' ? ` by ${chainWords(chain)}` : ` by ${place} (${chainWords(chain)})`;
}
