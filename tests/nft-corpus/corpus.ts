/** Rules to compare with the real nft, one by one, and what it says of them. */
import { readFileSync } from 'node:fs';
import { netlinkText } from '../../engine/nft/netlink-text.ts';
import { NftRuleset } from '../../engine/nft/ruleset.ts';
import { inNamespace } from '../nft-listing/real.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** A rule and the chain that it is for. */
export interface CorpusRule {
  readonly family: string;
  readonly chain: string;
  readonly rule: string;
}

/** What becomes of a rule: null if it is refused. */
export interface Outcome {
  /** As `nft --debug=netlink` prints its expressions. */
  readonly expressions: readonly string[];
  /** As `nft -s list` prints it. */
  readonly listing: string;
}

const CHAINS: Readonly<Record<string, string>> = {
  in: 'type filter hook input priority filter',
  out: 'type filter hook output priority filter',
  fwd: 'type filter hook forward priority filter',
  pre: 'type filter hook prerouting priority filter',
  post: 'type filter hook postrouting priority filter',
  raw_out: 'type filter hook output priority raw',
  npre: 'type nat hook prerouting priority dstnat',
  npost: 'type nat hook postrouting priority srcnat',
};

/** The families of IP packets, whose tables have the whole preamble. */
const IP_LIKE = ['ip', 'ip6', 'inet'];

/** The table that a family's rules are added to. */
export function preamble(family: string): string {
  if (!IP_LIKE.includes(family)) {
    const hook = family === 'netdev' ? 'ingress device lo' : 'input';
    return `table ${family} t {\n\tchain c_in { type filter hook ${hook} priority 0; }\n}\n`;
  }
  const chains = Object.entries(CHAINS).map(([name, what]) => `\tchain c_${name} { ${what}; }\n`);
  return `${read('preamble.nft').replace('FAM', family).trimEnd().slice(0, -1)}${chains.join('')}}\n`;
}

/** The rules of a file: `[families]chain: rule`. */
export function rulesIn(name: string): CorpusRule[] {
  const out: CorpusRule[] = [];
  for (const line of read(name).split('\n')) {
    const match = /^(?:\[([\w,]+)\])?(\w+): (.+)$/.exec(line);
    if (match === null) continue;
    const chain = /^r\d$/.test(match[2]!) ? match[2]! : `c_${match[2]}`;
    for (const family of match[1]?.split(',') ?? IP_LIKE) out.push({ family, chain, rule: match[3]! });
  }
  return out;
}

/** The command that adds a rule. */
export function command({ family, chain, rule }: CorpusRule): string {
  return `add rule ${family} t ${chain} ${rule}\n`;
}

// Two texts that say the same: the level that is the default, and which kind of object a name is.
function plainExpression(line: string): string {
  return line
    .trim()
    .replace(/ level 4$/, '')
    .replace(/jhash\((reg \d+, \d+), 0x[0-9a-f]+\)/, 'jhash($1)')
    .replace(/objref type \d+ /, 'objref ')
    .replace(/ct load (src|dst)_ip6? /, 'ct load $1 ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** What keepstate makes of rules of one family. */
export interface Judged {
  readonly taken: readonly CorpusRule[];
  /** Of those taken. */
  readonly outcomes: readonly Outcome[];
  readonly refused: readonly CorpusRule[];
}

/** Adds rules of one family, each in a transaction of its own, to the preamble's table. */
export function ours(rules: readonly CorpusRule[]): Judged {
  const ruleset = new NftRuleset();
  const { family } = rules[0]!;
  const before = ruleset.load({ name: 'preamble', text: preamble(family) });
  if (before.length > 0) throw before[0]!;
  const taken: CorpusRule[] = [];
  const refused: CorpusRule[] = [];
  for (const rule of rules) {
    const errors = ruleset.load({ name: 'rule', text: command(rule) });
    (errors.length === 0 ? taken : refused).push(rule);
  }
  const { chains } = ruleset.tables()[0]!;
  const listed = listedRules(ruleset.list({ stateless: true }), family);
  const next = new Map<string, number>();
  const outcomes = taken.map(({ chain }) => {
    const index = next.get(chain) ?? 0;
    next.set(chain, index + 1);
    const expressions = chains.get(chain)!.rules[index]!.exprs;
    return {
      expressions: expressions.map((expr) => plainExpression(netlinkText(expr))),
      listing: listed.get(chain)![index]!,
    };
  });
  return { taken, outcomes, refused };
}

/** The rules in a listing of one table, by chain. */
function listedRules(listing: string, family: string): Map<string, string[]> {
  const out = new Map<string, string[]>();
  let rules: string[] = [];
  let inside = false;
  for (const line of listing.split('\n')) {
    if (line.startsWith(`table ${family} t`)) inside = true;
    const chain = /^\tchain (\S+) \{$/.exec(line);
    if (chain !== null) {
      rules = [];
      if (inside) out.set(chain[1]!, rules);
    } else if (line.startsWith('\t\t') && !line.startsWith('\t\ttype ')) rules.push(line.trim());
  }
  return out;
}

/** The expressions of each rule in what `nft --debug=netlink` printed, by chain, in order. */
function debuggedRules(text: string, family: string): Map<string, string[][]> {
  const out = new Map<string, string[][]>();
  let current: string[] | null = null;
  for (const line of text.split('\n')) {
    const head = new RegExp(`^${family} t (\\S+)( |$)`).exec(line);
    if (head !== null) {
      current = [];
      const list = out.get(head[1]!) ?? [];
      list.push(current);
      out.set(head[1]!, list);
    } else if (line.startsWith('  [ ') && current !== null)
      current.push(plainExpression(line.trim().slice(1, -1)));
    else if (line === '') current = null;
  }
  return out;
}

/**
 * What the real nft makes of rules of one family that it takes.
 * @returns an outcome for each, or the tool's message if it refuses any
 */
export function realOutcomes(rules: readonly CorpusRule[]): Outcome[] | string {
  const { family } = rules[0]!;
  const text = rules.map(command).join('');
  const script = `cat > /tmp/ks-rules.$$; nft -f - <<'BASE' || exit 1
${preamble(family)}BASE
nft --debug=netlink -f /tmp/ks-rules.$$; status=$?; rm -f /tmp/ks-rules.$$
echo =-=-=; nft -s list ruleset; exit $status`;
  const { status, stdout, stderr } = inNamespace(script, text);
  if (status !== 0) return stderr;
  const [debug, listing] = stdout.split('=-=-=\n') as [string, string];
  const debugged = debuggedRules(debug, family);
  const listed = listedRules(listing, family);
  return rules.map(({ chain }) => ({
    expressions: debugged.get(chain)!.shift()!,
    listing: listed.get(chain)!.shift()!,
  }));
}

/** Which of some rules of one family the real nft takes, each tried alone. */
export function realTakes(rules: readonly CorpusRule[]): boolean[] {
  const { family } = rules[0]!;
  const each = `while IFS= read -r line; do
printf '%s\\n' "$line" | nft -c -f - >/dev/null 2>&1 && echo 1 || echo 0; done`;
  const script = `nft -f - <<'BASE' || exit 1\n${preamble(family)}BASE\n`;
  const whole = `exec 3<&0; ${script.replace('nft -f -', 'nft -f /dev/stdin')}${each.replace('do\n', 'do\n')} <&3`;
  const { stdout } = inNamespace(whole, rules.map(command).join(''));
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === '1');
}
