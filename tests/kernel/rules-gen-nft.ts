/** Random valid nft rulesets, most frequent features first (language-frequency.md). */
import type { Dice } from '../traffic/dice.ts';
import { match } from './rules-gen-nft-match.ts';
import type { NftScope } from './rules-gen-nft-scope.ts';
import { statement, verdict } from './rules-gen-nft-statement.ts';
import { ALL4, ALL6, NETS4, NETS6 } from './rules-world.ts';

/** A chain as text; rules in pieces, so that a shrinker can take them apart. */
export interface NftChain {
  readonly name: string;
  /** `type … hook … priority …; policy …;`, or null for a chain that is jumped to. */
  readonly header: string | null;
  readonly rules: readonly (readonly string[])[];
}

/** A table as text. */
export interface NftTable {
  readonly family: string;
  readonly name: string;
  /** Sets, maps, objects: one whole definition each. */
  readonly objects: readonly string[];
  readonly chains: readonly NftChain[];
}

/** What to draw. */
export interface NftOptions {
  /** Leave out what no two runs give alike (time, chance, CPU numbers, ids). */
  readonly repeatable: boolean;
}

/** The ruleset's text, as a file for `nft -f`. */
export function nftText(tables: readonly NftTable[]): string {
  return tables.map(tableText).join('');
}

function tableText({ family, name, objects, chains }: NftTable): string {
  const body = chains.map(
    (chain) =>
      `  chain ${chain.name} {\n${chain.header === null ? '' : `    ${chain.header}\n`}${chain.rules
        .map((rule) => `    ${rule.join(' ')}\n`)
        .join('')}  }\n`,
  );
  return `table ${family} ${name} {\n${objects.map((o) => `  ${o}\n`).join('')}${body.join('')}}\n`;
}

const PRIORITIES: Readonly<Record<string, readonly string[]>> = {
  prerouting: ['raw', 'mangle', 'filter', '-300', 'mangle + 5', '-150', 'raw - 10', 'dstnat'],
  input: ['filter', 'mangle', '0', 'filter + 1', 'security', 'filter - 5'],
  forward: ['filter', 'mangle', '0', '10', 'security', 'filter - 1'],
  output: ['filter', 'raw', 'mangle', '0', 'security', '-300'],
  postrouting: ['mangle', 'filter', 'srcnat', '0', '300'],
};

/** One or two tables. */
export function nftRuleset(dice: Dice, options: NftOptions): NftTable[] {
  const count = dice.chance(85) ? 1 : 2;
  return Array.from({ length: count }, (_, n) => table(dice, options, n));
}

function table(dice: Dice, { repeatable }: NftOptions, n: number): NftTable {
  const family = dice.weighted({ inet: 55, ip: 24, ip6: 14, netdev: 5 });
  const scope: NftScope = {
    dice,
    family,
    hook: 'forward',
    priority: '0',
    repeatable,
    v4: family !== 'ip6',
    v6: family !== 'ip',
    has: new Set(),
    chains: [],
    count: 0,
  };
  const objects = family === 'netdev' ? [] : objectsOf(scope);
  const names = Array.from({ length: dice.below(3) }, (_, i) => `user${i}`);
  const chains: NftChain[] = [];
  // Last first: a chain jumps only to those behind it.
  for (const [i, name] of [...names.entries()].reverse()) {
    scope.chains = names.slice(i + 1);
    scope.hook = 'user';
    chains.push({ name, header: null, rules: rules(scope, dice.between(1, 3)) });
  }
  scope.chains = names;
  if (family === 'netdev') {
    scope.hook = 'ingress';
    const device = dice.pick(['eth0', 'eth1']);
    const header = `type filter hook ingress device "${device}" priority ${dice.pick(['filter', '-500', '10'])}; policy accept;`;
    return {
      family,
      name: `t${n}`,
      objects,
      chains: [...chains, { name: 'in', header, rules: rules(scope, dice.between(1, 4)) }],
    };
  }
  const hooks = dice.pick([
    ['forward'],
    ['input'],
    ['input', 'forward', 'output'],
    ['prerouting', 'forward'],
    ['forward', 'postrouting'],
    ['prerouting'],
    ['input', 'output'],
    ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  ]);
  for (const hook of hooks) {
    scope.hook = hook;
    scope.priority = dice.pick(PRIORITIES[hook]!);
    const type = hook === 'output' && dice.chance(10) ? 'route' : 'filter';
    const policy = dice.pick(['', 'policy accept;', 'policy accept;', 'policy drop;']);
    const header = `type ${type} hook ${hook} priority ${scope.priority}; ${policy}`.trim();
    chains.push({
      name: hook === 'input' && dice.chance(20) ? 'INPUT' : hook,
      header,
      rules: rules(scope, dice.between(1, 5)),
    });
  }
  return { family, name: `t${n}`, objects, chains };
}

function rules(scope: NftScope, count: number): string[][] {
  const { dice } = scope;
  return Array.from({ length: count }, () => {
    // A rule speaks of one family; inet's rules of either.
    const saved = [scope.v4, scope.v6] as const;
    scope.proto = null;
    const parts: string[] = [];
    for (let i = dice.pick([0, 1, 1, 1, 2, 2, 3]); i > 0; i--) parts.push(match(scope));
    for (let i = dice.pick([0, 0, 0, 1, 1, 2]); i > 0; i--) parts.push(statement(scope));
    if (parts.length === 0 || dice.chance(75)) parts.push(verdict(scope));
    [scope.v4, scope.v6] = saved;
    if (dice.chance(4)) parts.push('comment "what for"');
    return parts;
  });
}

/** Named sets, maps and objects; `scope.has` tells the rules which there are. */
function objectsOf(scope: NftScope): string[] {
  const { dice, has } = scope;
  const v6 = !scope.v4 || (scope.v6 && dice.chance(35));
  const [type, all, nets] = v6 ? ['ipv6_addr', ALL6, NETS6] : ['ipv4_addr', ALL4, NETS4];
  const some = (values: readonly string[], n: number): string[] => [
    ...new Set(Array.from({ length: n }, () => dice.pick(values))),
  ];
  const list = (values: readonly string[]): string =>
    values.length === 0 ? '' : ` elements = { ${values.join(', ')} };`;
  const extra = dice.pick(['', '', ' counter;', ' comment "some";']);
  const family = v6 ? '6' : '4';
  const possible: Readonly<Record<string, () => string>> = {
    [`hosts${family}`]: () => `set hosts${family} { type ${type};${extra}${list(some(all, 3))} }`,
    [`nets${family}`]: () => `set nets${family} { type ${type}; flags interval;${list([dice.pick(nets)])} }`,
    ports: () => 'set ports { type inet_service; elements = { 22, 80, 443, 5060 }; }',
    ranges: () =>
      'set ranges { type inet_service; flags interval; elements = { 1-21, 53, 80-443, 1024-65535 }; }',
    [`pairs${family}`]: () =>
      `set pairs${family} { type ${type} . inet_service;${list(some(all, 2).map((a) => `${a} . ${dice.pick(['22', '53', '80'])}`))} }`,
    [`boxes${family}`]: () =>
      `set boxes${family} { type ${type} . inet_service; flags interval;${list(some(nets, 1).map((a) => `${a} . ${dice.pick(['22', '53-80', '1024-65535'])}`))} }`,
    [`seen${family}`]: () =>
      `set seen${family} { type ${type}; size ${dice.pick([2, 128])}; flags dynamic,timeout;${dice.pick(['', ' timeout 1h;', ' timeout 60s;'])} }`,
    [`dyn${family}`]: () => `set dyn${family} { type ${type}; size 64; flags dynamic; }`,
    protos: () => 'set protos { type inet_proto; elements = { tcp, udp, ipv6-icmp, sctp }; }',
    ifaces: () => 'set ifaces { type ifname; elements = { "eth1", "lo" }; }',
    verdicts: () =>
      `map verdicts { type inet_service : verdict; elements = { 22 : accept, 80 : drop, 53 : ${dice.pick(['return', 'continue', 'drop'])} }; }`,
    [`marks${family}`]: () =>
      `map marks${family} { type ${type} : mark; elements = { ${all[0]!} : 0x1, ${all[4]!} : 0x00000002 }; }`,
    portmarks: () =>
      'map portmarks { type inet_service : mark; flags interval; elements = { 1-79 : 5, 80 : 6, 1000-65535 : 7 }; }',
    hits: () => `counter hits {${dice.pick(['', ' packets 5 bytes 70'])} }`,
    budget: () =>
      `quota budget { ${dice.pick(['over 200 bytes', '1 mbytes', 'over 1 kbytes', 'until 90 bytes'])} }`,
    pace: () => `limit pace { rate ${dice.pick(['3/hour', '5/minute burst 7 packets', 'over 2/minute'])} }`,
  };
  const chosen = Object.keys(possible).filter(() => dice.chance(22));
  return chosen.map((name) => {
    has.add(name);
    return possible[name]!();
  });
}
