/** Rulesets of single rules of extensions.txt, with packets that carry what they look for. */
import { readFileSync } from 'node:fs';
import { worldSets } from '../../engine/iptables/ipset-world.ts';
import { XtWorld } from '../../engine/iptables/world.ts';
import { Xtables } from '../../engine/iptables/xtables.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../../engine/rules/family.ts';
import type { Case } from '../kernel/rules-case.ts';
import { PacketGenerator } from '../kernel/rules-gen-packet.ts';
import type { RulePacket, Source } from '../kernel/rules-types.ts';
import { Dice } from '../traffic/dice.ts';

/** The sets that the rules name. */
export const SETS = `create s4 hash:ip
create s6 hash:ip family inet6
create t4 hash:ip skbinfo timeout 10
create p4 hash:ip,port
`;

/** All rules, each as `family table rule`. */
export function ruleLines(): string[] {
  const text = readFileSync(new URL('./extensions.txt', import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => (line.startsWith('b ') ? [`4${line.slice(1)}`, `6${line.slice(1)}`] : [line]));
}

/** What keepstate makes of a rule: its listing, or null if it is refused. */
export function listed(line: string): string | null {
  const [family, table, ...rule] = line.split(' ');
  const world = new XtWorld();
  worldSets(world).restore({ name: 'sets', text: SETS });
  const xtables = new Xtables(family === '4' ? NFPROTO_IPV4 : NFPROTO_IPV6, { world });
  const errors = xtables.restore({ name: 'rules', text: `*${table}\n${rule.join(' ')}\nCOMMIT\n` });
  if (errors.length > 0) return null;
  // What can be listed can be lowered.
  xtables.tables();
  const text = xtables.save({ table: table! });
  return text
    .split('\n')
    .filter((l) => l.startsWith('-A'))
    .join('\n');
}

/**
 * What cannot be compared: translation (a later issue), what only the machine knows or keepstate cannot evaluate,
 * chance, queues that nobody reads, copies to machines that are not there.
 */
const LEFT_OUT =
  /-j (MASQUERADE|SNAT|DNAT|REDIRECT|NETMAP|TPROXY|SYNPROXY|NFQUEUE|HMARK|TEE|TRACE|IDLETIMER|RATEEST)|random|osf|socket|--zone-|owner|cgroup|connlimit|--clamp|-m cpu|-m time|group 65535|SNPT|(ttl|hl)-(dec|set)/;

/** Rules that can be compared, with those of INPUT moved to FORWARD where they may stand there. */
export function comparable(): string[] {
  return ruleLines()
    .filter((line) => !LEFT_OUT.test(line))
    .map((line) => {
      const moved = line.replace('-A INPUT', '-A FORWARD');
      return listed(moved) === null ? line : moved;
    })
    .filter((line) => listed(line) !== null);
}

const BUILTIN: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

function textOf(lines: readonly string[]): string {
  const tables = [...new Set(lines.map((line) => line.split(' ')[1]!))];
  return tables
    .map((table) => {
      const rules = lines.filter((line) => line.split(' ')[1] === table);
      const chains = BUILTIN[table]!.map((chain) => `:${chain} ACCEPT [0:0]`);
      const bodies = rules.map((rule) => rule.split(' ').slice(2).join(' '));
      return [`*${table}`, ...chains, ...bodies, 'COMMIT', ''].join('\n');
    })
    .join('');
}

/** Headers of IPv6 that the generator of packets does not make, by number. */
const EXTENSIONS: readonly (readonly [number, string])[] = [
  [0, '0000050200000100'],
  [0, '0000010200000100'],
  [60, '00010500000000000000000000000000'],
  [60, '0000010200000100'],
  [43, '0000000000000000'],
  [43, '000202010000000020010db8000500000000000000000001'],
  [43, '0002040001000000fe800000000000000000000000000001'],
  [43, '000404010100000500000000000000000000000000000000000a0000000000000000000000000000'],
  [51, '000400000000000500000001aabbccddaabbccddaabbccdd'],
  [51, '000100000000000700000001'],
  // Longer than the packet, as they say of themselves.
  [60, '00ff010000000000'],
  [43, '00ff020000000000'],
  [51, '00ff00000000000500000001'],
];

/** An IPv6 packet with another header in front of the others. */
function extended(packet: RulePacket, number: number, hex: string): RulePacket {
  const header = Buffer.from(hex, 'hex');
  header[0] = packet.bytes[6]!;
  const bytes = Buffer.concat([packet.bytes.subarray(0, 40), header, packet.bytes.subarray(40)]);
  bytes.writeUInt16BE(bytes.length - 40, 4);
  bytes[6] = number;
  return { bytes: new Uint8Array(bytes), from: packet.from };
}

/** A packet of another protocol between the same addresses. */
function otherwise(packet: RulePacket, number: number, hex: string): RulePacket {
  const is4 = packet.bytes[0]! >> 4 === 4;
  const at = is4 ? (packet.bytes[0]! & 15) << 2 : 40;
  const bytes = Buffer.concat([packet.bytes.subarray(0, at), Buffer.from(hex, 'hex')]);
  if (!is4) {
    bytes.writeUInt16BE(bytes.length - 40, 4);
    bytes[6] = number;
    return { bytes: new Uint8Array(bytes), from: packet.from };
  }
  bytes.writeUInt16BE(bytes.length, 2);
  bytes[9] = number;
  bytes.writeUInt16BE(0, 10);
  let sum = 0;
  for (let i = 0; i < at; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
  return { bytes: new Uint8Array(bytes), from: packet.from };
}

/** ESP, AH, IPComp, messages of Mobile IPv6. */
const OTHERS: readonly (readonly [number, string])[] = [
  [50, '0000000500000001aabbccdd'],
  [50, '0000001100000001aabbccdd'],
  [50, '0000'],
  [51, '3b0400000000000500000001aabbccddaabbccddaabbccdd'],
  [51, '3b04000000000006'],
  [108, '3b000005aabb'],
  [108, '3b000013aabb'],
  [108, '3b'],
  [135, '3b00010000000000'],
  [135, '3b00040000000000'],
  [135, '0600010000000000'],
  [135, '3b00'],
];

function packetsFor(dice: Dice, family: '4' | '6', text: string, count: number): RulePacket[] {
  const packets = new PacketGenerator(dice, family === '4' ? 4 : 6, text).take(count);
  return packets.flatMap((packet) => {
    if (packet.from === 'host' || packet.bytes.length < 40) return [packet];
    if (/esp|ah|ipcomp|mh/.test(text) && dice.chance(30))
      return [packet, otherwise(packet, ...dice.pick(OTHERS))];
    if (family === '6' && packet.bytes[6] !== 44 && dice.chance(30))
      return [packet, extended(packet, ...dice.pick(EXTENSIONS))];
    return [packet];
  });
}

function makeCase(family: '4' | '6', rules: readonly string[], packets: readonly RulePacket[]): Case {
  const kind: Source['kind'] = family === '4' ? 'iptables-nft' : 'ip6tables-nft';
  return {
    sources: [
      { kind: 'ipset', text: SETS },
      { kind, text: textOf(rules) },
    ],
    packets,
    *smaller(): Iterable<Case> {
      for (let i = 0; i < rules.length; i++) yield makeCase(family, rules.toSpliced(i, 1), packets);
      for (let i = 0; i < packets.length; i++) yield makeCase(family, rules, packets.toSpliced(i, 1));
    },
  };
}

/** The case of a seed: some of the rules together, and packets. */
export function extensionCase(seed: number, lines: readonly string[], rules = 6, count = 30): Case {
  const dice = new Dice(seed);
  const family = dice.chance(50) ? '4' : '6';
  const own = lines.filter((line) => line.startsWith(family));
  const some = Array.from({ length: rules }, () => dice.pick(own));
  return makeCase(family, some, packetsFor(dice, family, textOf(some), count));
}
