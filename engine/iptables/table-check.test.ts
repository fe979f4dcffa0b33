import { describe, expect, test } from 'vitest';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { Xtables } from './xtables.ts';

/** Whether a table is taken, restored at once and command by command. */
function taken(backend: 'nft' | 'legacy', table: string, ...rules: string[]): boolean {
  const whole = new Xtables(NFPROTO_IPV4, { backend });
  const text = `*${table}\n:x -\n${rules.map((rule) => `${rule}\n`).join('')}COMMIT\n`;
  const errors = whole.restore({ name: 's', text });
  const single = new Xtables(NFPROTO_IPV4, { backend });
  const refused = ['-N x', ...rules].filter((rule) => {
    const words = `-t ${table} ${rule}`.split(' ').map((word) => ({ text: word, at: AT, quoted: false }));
    try {
      single.command(words, AT);
      return false;
    } catch {
      return true;
    }
  });
  expect(refused.length > 0).toBe(errors.length > 0);
  return errors.length === 0;
}

const AT = { file: 's', line: 1, col: 1, len: 1 };

// All measured with iptables 1.8.9 on Linux 6.18.
describe('what a match or target says of hooks', () => {
  const OPTIONS = [
    ['filter', '-m policy --dir in --pol none', 'OUTPUT'],
    ['filter', '-m devgroup --src-group 1', 'OUTPUT'],
    ['filter', '-m addrtype --limit-iface-in --src-type LOCAL', 'OUTPUT'],
    ['filter', '-m physdev --physdev-out e0', 'OUTPUT'],
    ['mangle', '-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu', 'PREROUTING'],
  ] as const;

  test.each(OPTIONS)('is asked of a rule at that hook by both (%s: %s in %s)', (table, rule, chain) => {
    expect(taken('legacy', table, `-A ${chain} ${rule}`)).toBe(false);
    expect(taken('nft', table, `-A ${chain} ${rule}`)).toBe(false);
  });

  test.each(OPTIONS)('is asked by legacy only where a jump leads to it (%s: %s)', (table, rule, chain) => {
    expect(taken('legacy', table, `-A x ${rule}`)).toBe(true);
    expect(taken('legacy', table, `-A x ${rule}`, `-A ${chain} -j x`)).toBe(false);
    expect(taken('nft', table, `-A x ${rule}`, `-A ${chain} -j x`)).toBe(true);
  });

  test.each([
    ['mangle', '-j CLASSIFY --set-class 1:1', 'INPUT'],
    ['filter', '-m owner --uid-owner 5', 'INPUT'],
    ['nat', '-j SNAT --to-source 1.2.3.4', 'PREROUTING'],
  ])('is minded by both if it is for other hooks altogether (%s: %s)', (table, rule, chain) => {
    for (const backend of ['legacy', 'nft'] as const) {
      expect(taken(backend, table, `-A x ${rule}`)).toBe(true);
      expect(taken(backend, table, `-A x ${rule}`, `-A ${chain} -j x`)).toBe(false);
    }
  });

  test.each(['-j TTL --ttl-set 5', '-j SNAT --to-source 1.2.3.4', '-j CT --notrack', '-m rpfilter'])(
    'does not hide that the table is wrong: %s in filter, in a chain that nothing leads to',
    (rule) => {
      expect(taken('legacy', 'filter', `-A x ${rule}`)).toBe(false);
      expect(taken('nft', 'filter', `-A x ${rule}`)).toBe(false);
    },
  );
});

test.each([
  ['-p tcp', false],
  ['-p tcp --syn', true],
  ['-p tcp ! --syn', false],
  ['-p tcp --tcp-flags ACK SYN,ACK', true],
  ['-p tcp --tcp-flags SYN NONE', false],
])('TCPMSS needs SYN in the rule of iptables-legacy: %s, %s', (match, isTaken) => {
  expect(taken('legacy', 'mangle', `-A FORWARD ${match} -j TCPMSS --set-mss 500`)).toBe(isTaken);
  expect(taken('nft', 'mangle', `-A FORWARD ${match} -j TCPMSS --set-mss 500`)).toBe(true);
});

// All measured with iptables 1.8.9 on Linux 6.18.
describe('a command that is refused', () => {
  test.each(['-I INPUT 9', '-F nosuch', '-A INPUT -j DNAT --to 1.1.1.1'])(
    'does not make the table: %s',
    (line) => {
      const tables = new Xtables(NFPROTO_IPV4);
      expect(() => tables.commandLine(line)).toThrow();
      expect(tables.save()).toBe('');
    },
  );

  test.each(['-D INPUT -c 1 2', '-C INPUT -c 1 2', '-t nat -P PREROUTING DROP', '-E a INPUT'])(
    'leaves the rules: %s',
    (line) => {
      const tables = new Xtables(NFPROTO_IPV4);
      for (const before of ['-A INPUT', '-N a']) tables.commandLine(before);
      const was = tables.save();
      expect(() => tables.commandLine(line)).toThrow();
      expect(tables.save()).toBe(was);
    },
  );

  test('is none that gives a chain the name of a target', () => {
    const tables = new Xtables(NFPROTO_IPV4);
    for (const line of ['-N a', '-E a LOG', '-E LOG DROP']) tables.commandLine(line);
    expect(tables.save()).toContain(':DROP - [0:0]');
    expect(() => new Xtables(NFPROTO_IPV4).commandLine('-N standard')).toThrow('clash');
  });
});
