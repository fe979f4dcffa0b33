/** Random valid iptables and ip6tables rulesets, most frequent features first (language-frequency.md). */
import type { Dice } from '../traffic/dice.ts';
import { xtMatch } from './rules-gen-xt-match.ts';
import { xtTarget } from './rules-gen-xt-target.ts';

/** What a rule may use where it stands. */
export interface XtScope {
  readonly dice: Dice;
  readonly v6: boolean;
  readonly repeatable: boolean;
  table: string;
  /** A built-in chain's name, or `user`. */
  chain: string;
  /** Chains that may be jumped to. */
  chains: readonly string[];
  /** ipsets there are. */
  readonly sets: readonly string[];
  /** `-p` of the rule in hand. */
  proto: string | null;
  /** Whether the rule says --syn, as TCPMSS asks for. */
  syn: boolean;
  /** Of names drawn so far. */
  count: number;
}

/** A rule in pieces, so that a shrinker can take it apart. */
export interface XtRule {
  readonly chain: string;
  readonly parts: readonly string[];
}

/** A table. */
export interface XtTable {
  readonly name: string;
  /** `:FORWARD DROP [0:0]` and user chains. */
  readonly chains: readonly string[];
  readonly rules: readonly XtRule[];
}

/** A ruleset of one family, and the sets it uses. */
export interface XtRuleset {
  readonly v6: boolean;
  /** Lines of `ipset restore`. */
  readonly sets: readonly string[];
  readonly tables: readonly XtTable[];
}

/** The text of `iptables-restore`. */
export function xtText({ tables }: XtRuleset): string {
  return tables
    .map(
      ({ name, chains, rules }) =>
        `*${name}\n${chains.map((c) => `${c}\n`).join('')}${rules
          .map(({ chain, parts }) => `-A ${chain} ${parts.join(' ')}\n`)
          .join('')}COMMIT\n`,
    )
    .join('');
}

/** The text of `ipset restore`. */
export function setText({ sets }: XtRuleset): string {
  return sets.map((line) => `${line}\n`).join('');
}

const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** One to three tables. */
export function xtRuleset(dice: Dice, v6: boolean, repeatable: boolean): XtRuleset {
  const sets = dice.chance(25) ? ipsets(dice, v6) : [];
  const names = dice.pick([
    ['filter'],
    ['filter'],
    ['filter'],
    ['mangle'],
    ['raw', 'filter'],
    ['mangle', 'filter'],
    ['security', 'filter'],
  ]);
  const scope: XtScope = {
    dice,
    v6,
    repeatable,
    table: 'filter',
    chain: 'FORWARD',
    chains: [],
    sets: sets
      .filter((line) => line.startsWith('create'))
      .map((line) => line.split(' ').slice(1, 3).join(' ')),
    proto: null,
    syn: false,
    count: 0,
  };
  return { v6, sets, tables: names.map((name) => tableOf(scope, name)) };
}

function tableOf(scope: XtScope, name: string): XtTable {
  const { dice } = scope;
  scope.table = name;
  const built = BUILT_IN[name]!;
  const users = Array.from({ length: dice.below(3) }, (_, i) => `user${i}`);
  const policy = (): string => (name === 'filter' && dice.chance(30) ? 'DROP' : 'ACCEPT');
  const chains = [...built.map((c) => `:${c} ${policy()} [0:0]`), ...users.map((u) => `:${u} - [0:0]`)];
  const rules: XtRule[] = [];
  for (const [i, chain] of users.entries()) {
    scope.chains = users.slice(i + 1);
    scope.chain = 'user';
    for (let n = dice.between(1, 3); n > 0; n--) rules.push({ chain, parts: rule(scope) });
  }
  scope.chains = users;
  for (let n = dice.between(2, 9); n > 0; n--) {
    scope.chain = dice.pick(name === 'filter' ? [...built, 'FORWARD'] : built);
    rules.push({ chain: scope.chain, parts: rule(scope) });
  }
  return { name, chains, rules };
}

function rule(scope: XtScope): string[] {
  const { dice } = scope;
  scope.proto = null;
  const parts: string[] = [];
  for (let n = dice.pick([0, 1, 1, 1, 2, 2, 3]); n > 0; n--) {
    const text = xtMatch(scope);
    // Of -s, -d, -i, -o and -p there is one a rule; a match module may come twice, but not with every option.
    const head = /^!? ?(?:-m )?\S+/.exec(text)![0].replace('! ', '');
    if (!parts.some((part) => part.replace('! ', '').startsWith(head))) parts.push(text);
  }
  // -p first: its options follow it.
  parts.sort((a, b) => Number(/^(! )?-p /.test(b)) - Number(/^(! )?-p /.test(a)));
  scope.syn = parts.some((part) => / --syn$/.test(part) && !part.includes('! --syn'));
  const target = dice.chance(96) ? xtTarget(scope) : '';
  return target === '' ? (parts.length === 0 ? ['-j ACCEPT'] : parts) : [...parts, target];
}

/** Some sets of the types that real rulesets have, as `ipset restore` takes them. */
export function ipsets(dice: Dice, v6: boolean): string[] {
  const family = v6 ? ' family inet6' : '';
  const [a, b, net] = v6
    ? ['fd00:1::5', '2001:db8:5::1', '2001:db8:5::/64']
    : ['192.168.1.5', '198.51.100.7', '198.51.100.0/24'];
  const extra = dice.pick([
    '',
    '',
    ' timeout 3600',
    ' counters',
    ' comment',
    ' timeout 0',
    ' skbinfo',
    ' maxelem 1000',
    ' hashsize 64',
  ]);
  const noMatch = dice.chance(40) ? [`add nets ${a} nomatch`] : [];
  const possible: Readonly<Record<string, readonly string[]>> = {
    hosts: [`create hosts hash:ip${family}${extra}`, `add hosts ${a}`, `add hosts ${b}`],
    nets: [`create nets hash:net${family}`, `add nets ${net}`, ...noMatch],
    pairs: [
      `create pairs hash:ip,port${family}`,
      `add pairs ${b},tcp:22`,
      `add pairs ${b},udp:53`,
      `add pairs ${a},80`,
    ],
    blocks: [
      `create blocks hash:net,port${family}`,
      `add blocks ${net},tcp:22`,
      `add blocks ${net},udp:50-60`,
    ],
    triples: [`create triples hash:ip,port,ip${family}`, `add triples ${a},tcp:22,${b}`],
    ways: [`create ways hash:net,iface${family}`, `add ways ${net},eth0`],
    ports: ['create ports bitmap:port range 0-1024', 'add ports 22', 'add ports 50-60'],
    ...(v6
      ? {}
      : {
          range: [
            'create range bitmap:ip range 192.168.1.0/24',
            'add range 192.168.1.5',
            'add range 192.168.1.128/25',
          ],
        }),
  };
  const names = Object.keys(possible).filter(() => dice.chance(28));
  const lines = names.flatMap((name) => [...possible[name]!]);
  if (names.includes('hosts') && dice.chance(30)) lines.push('create all list:set', 'add all hosts');
  return lines;
}
