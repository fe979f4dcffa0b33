/** IP sets of all types that the kernel has, with rules that ask and change them, and packets. */
import type { Case } from '../kernel/rules-case.ts';
import { PacketGenerator } from '../kernel/rules-gen-packet.ts';
import type { RulePacket, Source } from '../kernel/rules-types.ts';
import { ALL4, ALL6, NETS4, NETS6 } from '../kernel/rules-world.ts';
import { Dice } from '../traffic/dice.ts';

interface Made {
  readonly name: string;
  readonly type: string;
  readonly counters: boolean;
}

const TYPES4: readonly string[] = ['bitmap:ip', 'bitmap:port'];
const TYPES: readonly string[] = [
  'hash:ip',
  'hash:net',
  'hash:net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net,iface',
];

function createLine(dice: Dice, v6: boolean, name: string): [string, Made] {
  const type = dice.pick(v6 ? TYPES : [...TYPES4, ...TYPES]);
  const counters = dice.chance(40);
  let text = `create ${name} ${type}`;
  if (type === 'bitmap:ip') text += ' range 192.168.0.0/16';
  else if (type === 'bitmap:port') text += ' range 0-65535';
  else if (v6) text += ' family inet6';
  if (type === 'hash:ip' && dice.chance(30)) text += v6 ? ' netmask 64' : ' netmask 24';
  if (dice.chance(40)) text += ' timeout 5000';
  if (counters) text += ' counters';
  return [text, { name, type, counters }];
}

function part(dice: Dice, v6: boolean, word: string): string {
  const all = v6 ? ALL6 : ALL4;
  if (word === 'ip') return dice.pick(all);
  if (word === 'net') return dice.chance(50) ? dice.pick(all) : dice.pick(v6 ? NETS6 : NETS4);
  if (word === 'iface') return dice.pick(['eth0', 'eth1', 'lo']);
  return dice.pick([
    'tcp:22',
    'tcp:80',
    'tcp:443',
    'udp:53',
    'udp:5060',
    'sctp:80',
    v6 ? 'icmpv6:128/0' : 'icmp:8/0',
    v6 ? 'icmpv6:129/0' : 'icmp:0/0',
    'tcp:1024-1026',
    'gre:0',
  ]);
}

function elementOf(dice: Dice, v6: boolean, { type }: Made): string {
  if (type === 'bitmap:port') return dice.pick(['22', '53', '80', '443', '1024-1026', '5060']);
  if (type === 'bitmap:ip')
    return dice.pick(['192.168.1.5', '192.168.1.1', '192.168.1.6', '192.168.1.128/30']);
  const text = type
    .slice(5)
    .split(',')
    .map((word) => part(dice, v6, word))
    .join(',');
  return type.includes('net') && dice.chance(25) ? `${text} nomatch` : text;
}

function flags(dice: Dice, { type }: Made): string {
  const words = type.slice(type.indexOf(':') + 1).split(',');
  const dims = Math.max(1, words.length + (dice.chance(10) ? dice.pick([-1, 1]) : 0));
  return Array.from({ length: dims }, () => dice.pick(['src', 'dst'])).join(',');
}

function ruleOf(dice: Dice, sets: readonly Made[]): string {
  const set = dice.pick(sets);
  const other = dice.pick(sets);
  const chain = dice.pick(['PREROUTING', 'FORWARD', 'FORWARD', 'INPUT', 'OUTPUT', 'POSTROUTING']);
  let match = `-m set ${dice.chance(20) ? '! ' : ''}--match-set ${set.name} ${flags(dice, set)}`;
  if (set.type.includes('net') && dice.chance(20)) match += ' --return-nomatch';
  if (set.counters && dice.chance(30))
    match += dice.pick([' ! --update-counters', ' --packets-gt 2', ' --bytes-lt 300', ' ! --packets-eq 1']);
  if (dice.chance(40))
    return `-A ${chain} ${match} -j MARK --set-xmark ${dice.pick(['0x1/0xff', '0x10/0x0'])}`;
  const change = dice.pick([
    `--add-set ${other.name} ${flags(dice, other)}`,
    `--add-set ${other.name} ${flags(dice, other)} --exist`,
    `--del-set ${other.name} ${flags(dice, other)}`,
  ]);
  return dice.chance(50) ? `-A ${chain} ${match}` : `-A ${chain} -j SET ${change}`;
}

function makeCase(v6: boolean, sets: string, rules: readonly string[], packets: readonly RulePacket[]): Case {
  const kind: Source['kind'] = v6 ? 'ip6tables-nft' : 'iptables-nft';
  const chains = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].map((c) => `:${c} ACCEPT [0:0]`);
  return {
    sources: [
      { kind: 'ipset', text: sets },
      { kind, text: ['*mangle', ...chains, ...rules, 'COMMIT', ''].join('\n') },
    ],
    packets,
    *smaller(): Iterable<Case> {
      for (let i = 0; i < packets.length; i++) yield makeCase(v6, sets, rules, packets.toSpliced(i, 1));
      for (let i = 0; i < rules.length; i++) yield makeCase(v6, sets, rules.toSpliced(i, 1), packets);
      const lines = sets.split('\n');
      for (let i = 0; i < lines.length; i++)
        if (lines[i]!.includes('add ')) yield makeCase(v6, lines.toSpliced(i, 1).join('\n'), rules, packets);
    },
  };
}

/** The case of a seed. */
export function setCase(seed: number): Case {
  const dice = new Dice(seed);
  const v6 = dice.chance(40);
  const sets: Made[] = [];
  const lines: string[] = [];
  for (let i = 0; i < 3; i++) {
    const [line, made] = createLine(dice, v6, `s${i}`);
    lines.push(line);
    sets.push(made);
    for (let n = dice.below(8); n > 0; n--)
      lines.push(`-exist add ${made.name} ${elementOf(dice, v6, made)}`);
  }
  if (dice.chance(30)) {
    lines.push(`create l list:set${dice.chance(50) ? ' counters' : ''}`, 'add l s0', 'add l s2');
    sets.push({ name: 'l', type: sets[0]!.type, counters: false });
  }
  const rules = Array.from({ length: 6 }, () => ruleOf(dice, sets));
  const text = rules.join('\n');
  const packets = new PacketGenerator(dice, v6 ? 6 : 4, text).take(24);
  return makeCase(v6, `${lines.join('\n')}\n`, rules, packets);
}
