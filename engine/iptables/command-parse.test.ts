import { describe, expect, test } from 'vitest';
import { SourceError } from '../base/error.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { Xtables } from './xtables.ts';

/** The error of a command: `column+length message (hint)`. */
function errorOf(text: string, family = NFPROTO_IPV4): string {
  try {
    new Xtables(family).commandLine(text, 'cmd');
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return `${error.at.col}+${error.at.len} ${error.message.replace(/^cmd:\d+:\d+: /, '')}`;
  }
  return 'taken';
}

function listed(...commands: string[]): string[] {
  const tables = new Xtables(NFPROTO_IPV4);
  for (const command of commands) tables.commandLine(command);
  return tables
    .save()
    .split('\n')
    .filter((line) => line.startsWith('-A'));
}

describe('what is wrong with a command is said with its place and a hint', () => {
  test.each([
    ['-A INPUT -p tcp --dprt 22', `17+6 unknown option "--dprt" (did you mean '--dport'?)`],
    ['-A INPUT -p tpc', `13+3 unknown protocol "tpc" specified (did you mean 'tcp'?)`],
    [
      '-A INPUT -m stat',
      `13+4 Couldn't load match \`stat':No such file or directory (did you mean 'state'?)`,
    ],
    ['-A INPUT -j ACEPT', `13+5 Chain 'ACEPT' does not exist (did you mean 'ACCEPT'?)`],
    [
      '-A INPT -j ACCEPT',
      `4+4 No chain/target/match by that name: table filter has no chain 'INPT' (did you mean 'INPUT'?)`,
    ],
    ['-A INPUT -s 1.2.3.4,1.2.3.x', `21+7 host/network \`1.2.3.x' not found`],
    ['-A INPUT -s ! 10.0.0.0/8', `13+1 Bad argument \`!' (the '!' goes before the option: ! -s …)`],
    ['-A INPUT -p tcp --dport ! 22', `25+1 Bad argument \`!' (the '!' goes before the option: ! --dport …)`],
    ['-A INPUT -m state --state ESTABLISHD', `27+10 Bad state "ESTABLISHD" (did you mean 'ESTABLISHED'?)`],
    ['-t fitler -A INPUT', `4+6 table 'fitler' does not exist (did you mean 'filter'?)`],
    ['-A INPUT -i eth0 -o eth1', `18+2 Can't use -o with INPUT`],
    [
      '-A INPUT -m limit --limit-burst 10001',
      `33+5 limit: bad value for option "--limit-burst", or out of range (0-10000)`,
    ],
    ['-A INPUT -j LOG --log-prefix', `17+12 option "--log-prefix" requires an argument`],
    ['-A INPUT -s fe80::1', `13+7 host/network \`fe80::1' not found (an IPv6 address: use ip6tables)`],
    ['-t mangle -A INPUT -j REJECT', `1+28 REJECT target: only valid in filter table, not mangle`],
  ])('%s', (command, expected) => {
    expect(errorOf(command)).toBe(expected);
  });
});

describe('a command', () => {
  test('may use long options and their beginnings', () => {
    expect(listed('--append FORWARD --prot tcp --sour 1.1.1.1 --in-i a --jum ACCEPT')).toEqual([
      '-A FORWARD -s 1.1.1.1/32 -i a -p tcp -j ACCEPT',
    ]);
  });

  test('with several addresses makes a rule of each combination', () => {
    expect(listed('-A INPUT -s 1.1.1.1,2.2.2.0/24 -d 3.3.3.3,4.4.4.4')).toEqual([
      '-A INPUT -s 1.1.1.1/32 -d 3.3.3.3/32',
      '-A INPUT -s 1.1.1.1/32 -d 4.4.4.4/32',
      '-A INPUT -s 2.2.2.0/24 -d 3.3.3.3/32',
      '-A INPUT -s 2.2.2.0/24 -d 4.4.4.4/32',
    ]);
  });

  test('inserts, replaces and deletes by number and by what a rule says', () => {
    expect(
      listed(
        '-A INPUT -j ACCEPT',
        '-I INPUT -p tcp --syn -j DROP',
        '-I INPUT 2 -i lo',
        '-R INPUT 3 -j RETURN',
        '-D INPUT -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
      ),
    ).toEqual(['-A INPUT -i lo', '-A INPUT -j RETURN']);
  });

  test('that fails leaves everything as it was', () => {
    const tables = new Xtables(NFPROTO_IPV4);
    tables.commandLine('-N a');
    tables.commandLine('-A INPUT -j a');
    const before = tables.save();
    expect(() => tables.commandLine('-A a -j a')).toThrow('loop');
    expect(() => tables.commandLine('-X a')).toThrow('still jump');
    expect(() => tables.commandLine('-I INPUT 3 -j a')).toThrow('Index of insertion too big');
    expect(tables.save()).toBe(before);
  });

  test('may say -6 where that is a value', () => {
    const tables = new Xtables(NFPROTO_IPV4);
    tables.commandLine('-A INPUT -m comment --comment -6 -j ACCEPT');
    expect(tables.save()).toContain('-A INPUT -m comment --comment -6 -j ACCEPT');
    const text = '*filter\n-A INPUT -s -6 -j DROP\n-A INPUT -6 -s fe80::1 --what\n-6 -A OUTPUT\nCOMMIT\n';
    expect(tables.restore({ name: 'r', text }).map(({ at }) => at.line)).toEqual([2]);
  });

  test('for the other family fails, which iptables-restore passes over', () => {
    const tables = new Xtables(NFPROTO_IPV6);
    expect(() => tables.commandLine('-A INPUT -4 -j ACCEPT')).toThrow('not for the family of -4');
    expect(tables.restore({ name: 'r', text: '*filter\n-A INPUT -s 1.2.3.4 -4 -j DROP\nCOMMIT\n' })).toEqual(
      [],
    );
    expect(tables.save()).toBe('');
  });

  test('that makes a way from a hook to a rule that must not be reached from there is refused', () => {
    const tables = new Xtables(NFPROTO_IPV4);
    tables.commandLine('-N a');
    tables.commandLine('-A a -m mac --mac-source 00:11:22:33:44:55');
    tables.commandLine('-A INPUT -j a');
    expect(() => tables.commandLine('-A OUTPUT -j a')).toThrow('used from hook OUTPUT');
  });
});
