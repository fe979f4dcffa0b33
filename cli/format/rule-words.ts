import { type Chain, familyWord, type Rule } from '@keepstate/engine';

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
