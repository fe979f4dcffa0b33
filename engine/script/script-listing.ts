import { BUILTIN } from '../iptables/table.ts';
import type { Xtables } from '../iptables/xtables.ts';

/**
 * What `iptables -S` prints.
 * @param words what follows `iptables`
 * @returns null if that is not what they ask for
 */
export function rulesText(family: Xtables, words: readonly string[]): string | null {
  const at = words.findIndex((word) => word === '-S' || word === '--list-rules');
  if (at < 0) return null;
  const t = words.findIndex((word) => word === '-t' || word === '--table');
  const chain = words[at + 1]?.startsWith('-') === true ? undefined : words[at + 1];
  const table = t < 0 ? 'filter' : (words[t + 1] ?? '');
  const text = family.save({ table });
  const empty = (BUILTIN.get(table) ?? []).map((builtin) => `:${builtin.name} ACCEPT`);
  const lines = text === '' ? empty : text.split('\n');
  const heads = lines.flatMap((line) => {
    const m = /^:(\S+) (\S+)/.exec(line);
    if (m === null || (chain !== undefined && m[1] !== chain)) return [];
    return [m[2] === '-' ? `-N ${m[1]}` : `-P ${m[1]} ${m[2]}`];
  });
  const rules = lines.filter((line) =>
    chain === undefined ? line.startsWith('-A ') : line === `-A ${chain}` || line.startsWith(`-A ${chain} `),
  );
  return [...heads, ...rules].map((line) => `${line}\n`).join('');
}
