/** Random command lines of conntrack(8): commands, tables, options and values in any order, most of them wrong. */
import type { Dice } from '../traffic/dice.ts';

const COMMANDS = [
  '-L',
  '-L',
  '-L',
  '-L',
  '-G',
  '-D',
  '-I',
  '-A',
  '-C',
  '-F',
  '-V',
  '--dump',
  '--get',
  '--del',
];
const TABLES = ['conntrack', 'expect', 'dying', 'unconfirmed', 'exp', 'foo'];
const ADDRESSES = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.0/24',
  '10.0.0.8/30',
  '10.0.0.3/32',
  '192.0.2.1',
  'fd00::1',
  'fd00::/64',
  '10.1',
  'x',
];
const NUMBERS = ['0', '1', '5', '7', '53', '80', '1000', '0x17', '-1', 'x', '70000', '3/7', '010'];

/** Options with the values that they may get; none for an option without. */
const OPTIONS: readonly (readonly [string, readonly string[]])[] = [
  ['-s', ADDRESSES],
  ['--src', ADDRESSES],
  ['-d', ADDRESSES],
  ['--orig-dst', ADDRESSES],
  ['-r', ADDRESSES],
  ['--reply-dst', ADDRESSES],
  ['-p', ['tcp', 'udp', 'icmp', 'icmpv6', 'gre', 'sctp', 'dccp', 'udplite', '99', 'x', '6', 'UDP']],
  ['-p', ['tcp', 'udp']],
  ['-f', ['ipv4', 'ipv6', 'x']],
  ['-t', NUMBERS],
  ['-u', ['ASSURED', 'SEEN_REPLY', 'UNREPLIED', 'UNSET', 'seen,assured', 'FIXED', 'x', 'ASSURED,x']],
  ['-u', ['UNREPLIED,ASSURED', 'UNREP', 'unreplied', 'x,ASSURED', 'SEEN,UNREPLIED', 'SRC,x', 'UNREPLIED7']],
  ['-m', NUMBERS],
  ['-w', NUMBERS],
  ['--orig-zone', NUMBERS],
  ['--reply-zone', NUMBERS],
  ['-n', ['', '192.0.2.1', '192.0.2.1:5', '192.0.2.1:1002', 'x']],
  ['-g', ['', '192.0.2.2', '192.0.2.2:x']],
  ['-j', ['', '192.0.2.1']],
  ['-o', ['extended', 'xml', 'save', 'id', 'ktimestamp', 'ext,id', 'x,save', 'foo']],
  ['-z', []],
  ['-c', NUMBERS],
  ['-i', ['4000000000', 'x']],
  ['--mask-src', ['255.255.255.0', 'x']],
  ['--mask-dst', ['255.255.255.0', 'ffff::']],
  ['--tuple-src', ADDRESSES],
  ['--tuple-dst', ['10.0.0.9', '10.0.0.0/8', '10.0.0.9/32', 'fd00::1/128']],
  ['-e', ['ALL', 'x']],
  ['--sport', NUMBERS],
  ['--dport', NUMBERS],
  ['--reply-port-src', NUMBERS],
  ['--reply-port-dst', NUMBERS],
  ['--tuple-port-src', NUMBERS],
  ['--state', ['ESTABLISHED', 'NONE']],
  ['--icmp-type', ['8', '0', '3']],
  ['--icmp-code', ['0']],
  ['--icmp-id', NUMBERS],
  ['--srckey', NUMBERS],
  ['--dstkey', NUMBERS],
  ['--orig-vtag', NUMBERS],
  ['-Q', []],
  ['--zo', NUMBERS],
  ['--', []],
  ['word', []],
];

/** One command line, as words joined by blanks. */
export function randomCommand(dice: Dice): string {
  const words: string[] = [];
  const command = dice.pick(COMMANDS);
  const front = dice.chance(20) ? 1 : 0;
  const options = Array.from({ length: dice.below(5) }, () => dice.pick(OPTIONS));
  const option = ([name, values]: readonly [string, readonly string[]]): string[] => {
    const value = values.length === 0 || dice.chance(3) ? '' : dice.pick(values);
    if (value === '') return [name];
    if (name.startsWith('--') && dice.chance(20)) return [`${name}=${value}`];
    return !name.startsWith('--') && dice.chance(20) ? [name + value] : [name, value];
  };
  for (const one of options.slice(0, front)) words.push(...option(one));
  words.push(command);
  if (dice.chance(15)) words.push(dice.pick(TABLES));
  // Most commands need these, so that something comes of them.
  if (/^-[GIA]$/.test(command) && dice.chance(70))
    words.push('-p', 'udp', '-s', '10.0.0.1', '-d', '10.0.0.3');
  if (/^-[GIA]$/.test(command) && dice.chance(70)) words.push('--sport', '1001', '--dport', '53');
  if (/^-[IA]$/.test(command) && dice.chance(70)) words.push('-t', '500');
  for (const one of options.slice(front)) words.push(...option(one));
  // With two protocols 1.4.7 takes options of one for those of the other.
  return words.filter((word) => /^-p/.test(word)).length > 1 ? randomCommand(dice) : words.join(' ');
}
