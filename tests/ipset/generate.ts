/** Random ipset commands, most of them right, near each other so that elements meet. */
import { Random } from '../../engine/base/random.ts';

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

/** The types that the kernel of the tests knows. */
const TYPES: readonly string[] = [
  'bitmap:ip',
  'bitmap:ip,mac',
  'bitmap:port',
  'hash:ip',
  'hash:ip',
  'hash:net',
  'hash:net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net,iface',
];

interface Made {
  readonly name: string;
  readonly type: string;
  readonly v6: boolean;
  readonly flags: ReadonlySet<string>;
}

function rangeOf(type: string, random: Random): string {
  if (type === 'bitmap:port') return pick(random, [' range 0-100', ' range 20-90', ' range tcp:1-http']);
  if (type === 'bitmap:ip')
    return pick(random, [
      ' range 10.0.0.0/24',
      ' range 10.0.0.3-10.0.1.200',
      ' range 10.0.0.0/16 netmask 28',
    ]);
  return type === 'bitmap:ip,mac' ? ' range 10.0.0.0-10.0.0.100' : '';
}

function hashOptions(type: string, v6: boolean, random: Random): string {
  let text = v6 ? ` family ${pick(random, ['inet6', 'ipv6', '-6'])}` : pick(random, ['', ' family inet']);
  if (random.below(4) === 0) text += ` hashsize ${pick(random, ['1', '64', '100', '4096', '0x200'])}`;
  if (random.below(4) === 0) text += ` maxelem ${pick(random, ['3', '1000', '65536'])}`;
  // What forceadd evicts depends on the secret hash.
  else if (random.below(8) === 0) text += ' forceadd';
  if (random.below(6) === 0) text += ` bucketsize ${random.below(16)}`;
  if ((type === 'hash:ip' || type === 'hash:ip,port') && random.below(3) === 0)
    text += pick(
      random,
      v6 ? [' netmask 64', ' bitmask ffff::ff'] : [' netmask 28', ' netmask 32', ' bitmask 255.0.255.3'],
    );
  if (random.below(30) === 0)
    text += pick(random, [' netmask 33', ' size 3', ' nomatch', ' maxelem', ' hashsize x']);
  return text;
}

function createLine(name: string, random: Random): [string, Made] {
  const type = pick(random, TYPES);
  const isHash = type.startsWith('hash');
  const v6 = isHash && random.below(3) === 0;
  const flags = new Set<string>();
  let text = `create ${name} ${type}${rangeOf(type, random)}`;
  if (isHash) text += hashOptions(type, v6, random);
  for (const flag of ['timeout 10000', 'counters', 'comment', 'skbinfo'])
    if (random.below(3) === 0) {
      text += ` ${flag}`;
      flags.add(flag.split(' ')[0]!);
    }
  return [text, { name, type, v6, flags }];
}

function ip4(random: Random): string {
  return `10.0.${pick(random, ['0', '0', '1'])}.${random.below(24)}`;
}

function ip(v6: boolean, random: Random, whole: boolean): string {
  if (v6) {
    const a = `fe80::${random.below(4)}:${random.below(12).toString(16)}`;
    return whole ? a : `${a}${pick(random, ['', '/64', '/124', '/126', '/128', '/112'])}`;
  }
  const a = ip4(random);
  if (whole) return a;
  return pick(random, [
    a,
    a,
    `${a}/32`,
    `${a}/30`,
    `${a}/28`,
    `${a}/24`,
    `10.0.0.${random.below(24)}-10.0.1.${random.below(24)}`,
  ]);
}

function port(v6: boolean, random: Random): string {
  const icmp = v6
    ? ['icmpv6:echo-request', 'ipv6-icmp:1/3', 'icmpv6:135/0']
    : ['icmp:ping', 'icmp:3/1', 'icmp:30/2'];
  return pick(random, [
    '80',
    'http',
    '78-82',
    'udp:53',
    'udp:50-54',
    'tcp:ssh',
    'sctp:9',
    'udplite:7',
    'vrrp:0',
    '47:0',
    ...icmp,
  ]);
}

function element(set: Made, random: Random): string {
  const [, parts] = set.type.split(':') as [string, string];
  if (set.type === 'bitmap:port')
    return pick(random, ['80', 'http', '22-25', '20', 'udp:53', '101', '90', '1-3']);
  return parts
    .split(',')
    .map((part, i) => {
      if (part === 'ip') return ip(set.v6, random, i > 0 || set.type === 'bitmap:ip,mac');
      if (part === 'net') return ip(set.v6, random, false);
      if (part === 'port') return port(set.v6, random);
      if (part === 'mac') return `0:1:2:3:4:${random.below(3)}`;
      return pick(random, ['eth0', 'eth1', 'physdev:eth0', 'lo']);
    })
    .join(',');
}

function extras(set: Made, random: Random): string {
  let text = '';
  const maybe = (flag: string, words: readonly string[]): void => {
    if (set.flags.has(flag) ? random.below(3) === 0 : random.below(150) === 0)
      text += ` ${pick(random, words)}`;
  };
  maybe('timeout', ['timeout 0', 'timeout 5000', 'timeout 2147483', 'timeout 2147484']);
  maybe('counters', ['packets 5', 'bytes 0x10 packets 3', 'bytes 99999999999']);
  maybe('comment', ['comment "a b"', 'comment x', 'comment "a\\b"']);
  maybe('skbinfo', [
    'skbmark 0x10/0xff',
    'skbmark 0x1 skbprio 1:a',
    'skbqueue 7',
    'skbmark 0x0/0xff',
    'skbprio 10',
  ]);
  if (set.type.includes('net') && random.below(5) === 0) text += ' nomatch';
  return text;
}

function change(sets: readonly Made[], random: Random): string {
  const set = pick(random, sets);
  const other = pick(random, sets);
  return pick(random, [
    `flush ${set.name}`,
    `rename ${set.name} ${set.name}x`,
    `swap ${set.name} ${other.name}`,
    `destroy ${set.name}`,
    `create l list:set`,
    `add l ${set.name}`,
    `add l ${set.name} before ${other.name}`,
    `add l ${set.name} after ${other.name}`,
    `del l ${set.name}`,
    'flush l',
    'create m list:set size 2 timeout 5000 counters comment',
    `add m ${set.name} timeout 100 comment "x y"`,
    `add m l`,
    `-exist add m ${set.name} packets 7`,
  ]);
}

/** The lines of one namespace's run. */
export function ipsetScript(seed: number): string[] {
  const random = new Random(seed);
  const sets: Made[] = [];
  const lines: string[] = [];
  const count = 1 + random.below(3);
  for (let i = 0; i < count; i++) {
    const [line, made] = createLine(`s${i}`, random);
    lines.push(line);
    sets.push(made);
  }
  for (let i = 0; i < 14; i++) {
    const set = pick(random, sets);
    const roll = random.below(20);
    const exist = random.below(5) === 0 ? '-exist ' : '';
    if (roll < 13) lines.push(`${exist}add ${set.name} ${element(set, random)}${extras(set, random)}`);
    else if (roll < 16) lines.push(`${exist}del ${set.name} ${element(set, random)}`);
    else lines.push(change(sets, random));
  }
  return lines;
}
