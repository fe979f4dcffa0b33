/** Listings of both sides, brought to the form in which they are compared. */
import type { CaseKind } from './rules-case.ts';
import type { EngineRules } from './rules-engine.ts';
import type { Collect, Source, Texts } from './rules-types.ts';

/** What the kernel's side is to list for these sources; `counters`: iptables' counters too. */
export function listingOf(sources: readonly Source[], counters = false): Collect {
  const commands: Record<string, readonly string[]> = {};
  for (const { kind } of sources) {
    if (kind === 'ipset') commands.ipset = ['ipset', 'save'];
    else if (kind.includes('tables')) commands[kind] = counters ? [`${kind}-save`, '-c'] : [`${kind}-save`];
  }
  const nft = sources.some(({ kind }) => kind.startsWith('nft'));
  return { commands, nft, nftJson: nft && !counters };
}

/** Tables that the text of iptables-restore speaks of, in any order. */
function tablesOf(text: string): string[] {
  return Array.from(text.matchAll(/^\*(\S+)/gm), (m) => m[1]!);
}

/** iptables-save's text without comments; of legacy only the tables in hand, since others stay registered for ever. */
function saveText(text: string, tables: readonly string[]): string[] {
  return text
    .replace(/^#.*\n/gm, '')
    .split(/^(?=\*)/m)
    .filter((block) => tables.includes(/^\*(\S+)/.exec(block)?.[1] ?? ''))
    .sort();
}

/** ipset save without what is drawn at random or runs down, elements sorted within their set. */
function setsText(text: string): string[] {
  const lines = text
    .replace(/ initval 0x[\da-f]+/g, '')
    .replace(/^(add .* timeout) \d+/gm, '$1 N')
    .trimEnd()
    .split('\n');
  return [...lines.filter((l) => l.startsWith('create')), ...lines.filter((l) => l.startsWith('add')).sort()];
}

/** nft's listing; what elements have left runs on while it is asked for. */
export function nftText(text: string): string[] {
  return text.replace(/ expires [\ddhms]+/g, ' expires N').split('\n');
}

/** JSON without handles, metainfo, and the seconds that elements have left. */
function jsonOf(text: string): unknown {
  const { nftables } = JSON.parse(text.replace(/"expires": ?\d+/g, '"expires":0')) as {
    nftables: Record<string, Record<string, unknown>>[];
  };
  for (const item of nftables) for (const body of Object.values(item)) delete body.handle;
  return nftables.filter((item) => item.metainfo === undefined);
}

/** The listings that differ: name, the kernel's, keepstate's. `counters`: of iptables with its counters; `now`: when (ms). */
export function listingDifferences(
  sources: readonly Source[],
  kernel: Texts,
  rules: EngineRules,
  counters = false,
  now?: number,
): [string, unknown, unknown][] {
  const out: [string, unknown, unknown][] = [];
  const check = (name: string, a: unknown, b: unknown): void => {
    if (JSON.stringify(a) !== JSON.stringify(b)) out.push([name, a, b]);
  };
  for (const { kind, text } of sources) {
    if (kind.includes('tables')) {
      const tables = tablesOf(text);
      check(kind, saveText(kernel[kind]!, tables), saveText(rules.save(kind as CaseKind, counters), tables));
    }
    if (kind === 'ipset') check(kind, setsText(kernel.ipset!), setsText(rules.saveSets()));
  }
  if (kernel.nft !== undefined) check('nft', nftText(kernel.nft), nftText(rules.listNft(now)));
  if (kernel.nftJson !== undefined) check('nft -j', jsonOf(kernel.nftJson), jsonOf(rules.listNftJson(now)));
  return out;
}

/** The first line in which two lists of lines differ. */
export function firstDifference(a: unknown, b: unknown): string {
  const lines = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.flatMap((v: unknown) => (typeof v === 'string' ? v.split('\n') : [JSON.stringify(v)]))
      : [JSON.stringify(value)];
  const [left, right] = [lines(a), lines(b)];
  const at = left.findIndex((line, i) => line !== right[i]);
  const n = at < 0 ? left.length : at;
  return `  kernel    ${left[n] ?? '(end)'}\n  keepstate ${right[n] ?? '(end)'}`;
}
