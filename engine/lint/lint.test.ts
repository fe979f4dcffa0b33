import { describe, expect, test } from 'vitest';
import { Ruleset } from '../hook/ruleset.ts';

/** `line code` of every finding. */
function findings(text: string): string[] {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'rules', text })).toEqual([]);
  return ruleset.lint().map((f) => `${f.at?.line ?? '-'} ${f.code}`);
}

/** A chain of rules in nft, its first rule on line 3. */
function chain(...rules: string[]): string {
  return `table inet t {\nchain input { type filter hook input priority 0\n${rules.join('\n')}\n}\n}\n`;
}

/** The same in iptables, beside IPv6 that is closed as well; its first rule on line 3. */
function legacy(...rules: string[]): string {
  return `*filter\n:INPUT ACCEPT\n${rules.join('\n')}\nCOMMIT\n`;
}

describe('rules that no packet reaches', () => {
  test.each([
    ['behind a rule that decides every packet', ['accept', 'tcp dport 22 drop'], ['4 unreachable']],
    ['behind a jump to a chain that decides every packet', ['goto other', 'accept'], ['4 unreachable']],
    [
      'of a port that a range before it covers',
      ['tcp dport 1-1024 accept', 'tcp dport 22 drop'],
      ['4 shadowed'],
    ],
    [
      'of a port that a set before it holds',
      ['tcp dport { 22, 80 } accept', 'tcp dport 22 drop'],
      ['4 shadowed'],
    ],
    [
      'of a network inside another',
      ['ip saddr 10.0.0.0/8 drop', 'ip saddr 10.1.2.0/24 accept'],
      ['4 shadowed'],
    ],
    [
      'of an address inside a range',
      ['ip saddr 10.0.0.1-10.0.0.9 drop', 'ip saddr 10.0.0.4 accept'],
      ['4 shadowed'],
    ],
    [
      'of an IPv6 prefix inside another',
      ['ip6 saddr fd00::/8 drop', 'ip6 saddr fd00:1::/64 accept'],
      ['4 shadowed'],
    ],
    [
      'of a narrower ct state',
      ['ct state established,related accept', 'ct state related tcp dport 20 drop'],
      ['4 shadowed'],
    ],
    [
      'of an interface that a wildcard names',
      ['iifname "eth*" drop', 'iifname "eth0" accept'],
      ['4 shadowed'],
    ],
    [
      'of a value that a negation leaves',
      ['meta l4proto != udp drop', 'meta l4proto tcp accept'],
      ['4 shadowed'],
    ],
    ['twice the same', ['meta mark 7 accept', 'meta mark 7 accept'], ['4 shadowed']],
    ['whose conditions exclude each other', ['tcp dport 22 tcp dport 80 accept'], ['3 impossible']],
    [
      'that match nothing, whatever is before them',
      ['tcp dport 1-1024 accept', 'tcp dport 22 tcp dport 80 accept'],
      ['4 impossible'],
    ],
  ])('%s are found', (_name, rules, expected) => {
    const others = rules.some((r) => r.includes('goto')) ? 'table inet t { chain other { drop; }; }\n' : '';
    const shift = others === '' ? 0 : 1;
    const lines = expected.map((e) => e.replace(/^\d+/, (n) => String(Number(n) + shift)));
    expect(findings(others + chain(...rules))).toEqual(lines);
  });

  test.each([
    ['other ports', ['tcp dport 22 accept', 'tcp dport 80 accept']],
    ['the other protocol', ['tcp dport 53 accept', 'udp dport 53 accept']],
    ['a wider network', ['ip saddr 10.1.0.0/16 accept', 'ip saddr 10.0.0.0/8 drop']],
    ['a limit before it', ['limit rate 1/second accept', 'drop']],
    ['a rule that only counts before it', ['counter', 'tcp dport 22 accept']],
    ['a named set before it', ['ip saddr @s accept', 'ip saddr 10.0.0.1 drop']],
    ['another interface', ['iifname "eth0" accept', 'iifname "eth1" accept']],
    ['other flags', ['tcp flags syn drop', 'tcp flags ack accept']],
  ])('%s are none', (_name, rules) => {
    const text = `table inet t { set s { type ipv4_addr; }; }\n${chain(...rules)}`;
    expect(findings(text).filter((f) => !f.endsWith('unused-set'))).toEqual([]);
  });

  test('in iptables, with both languages of address and port', () => {
    const rules = [
      '-A INPUT -s 10.0.0.0/8 -j DROP',
      '-A INPUT -s 10.0.0.1 -p tcp -m tcp --dport 22 -j ACCEPT',
    ];
    expect(findings(legacy(...rules))).toEqual(['4 shadowed']);
  });

  test.each([
    ['--dport 22', '--dport 22', 1],
    ['--dport 22', '-m multiport --dports 22,80,1000:2000', 1],
    ['-m multiport --dports 80,1500:1600', '-m multiport --dports 22,80,1000:2000', 1],
    ['--dport 23', '-m multiport --dports 22,80', 0],
    ['--sport 22', '-m multiport --dports 22,80', 0],
    ['--dport 22', '-m multiport ! --dports 22,80', 0],
    ['--dport 23', '-m multiport ! --dports 22,80', 1],
    ['--dport 22', '-m multiport --ports 22,80', 0],
  ])('in iptables, of the ports %s behind %s', (ports, before, count) => {
    const tcp = (ask: string): string => `-A INPUT -p tcp ${ask} -j ACCEPT`;
    expect(findings(legacy(tcp(before), tcp(ports))).filter((f) => f === '4 shadowed')).toHaveLength(count);
  });
});

describe('names that nobody uses', () => {
  test('are chains and sets', () => {
    const text =
      'table ip t {\nset s { type ipv4_addr; }\nchain used { counter; }\nchain unused { counter; }\n}\n';
    expect(findings(text)).toEqual(['2 unused-set', '3 unused-chain', '4 unused-chain']);
    expect(findings(`${text}add rule ip t unused jump used\nadd rule ip t used ip saddr @s`)).toEqual([
      '4 unused-chain',
    ]);
  });
});

describe('ct states', () => {
  const DROP = 'table inet t {\nchain input { type filter hook input priority 0; policy drop;\n';

  test('a chain that drops the rest wants established connections accepted', () => {
    expect(findings(`${DROP}tcp dport 22 accept\n}\n}\n`)).toEqual(['2 no-established']);
    expect(
      findings(`${DROP}ct state vmap { established : accept, invalid : drop }\ntcp dport 22 accept\n}\n}\n`),
    ).toEqual([]);
    expect(findings(`${DROP}ct state established accept\nudp dport 53 accept\n}\n}\n`)).toEqual([]);
  });

  test('NEW is not SYN', () => {
    const bare = 'tcp dport 22 ct state new accept';
    const guard = 'tcp flags & (fin|syn|rst|ack) != syn ct state new drop';
    expect(findings(chain(bare))).toEqual(['3 new-without-syn']);
    expect(findings(chain(guard, bare))).toEqual([]);
    expect(findings(chain('tcp flags & (fin|syn|rst|ack) == syn tcp dport 22 ct state new accept'))).toEqual(
      [],
    );
    expect(findings(chain('udp dport 53 ct state new accept'))).toEqual([]);
    expect(findings(legacy('-A INPUT -p tcp --dport 22 -m state --state NEW -j ACCEPT'))).toEqual([
      '3 new-without-syn',
    ]);
    expect(
      findings(
        legacy(
          '-A INPUT -p tcp ! --syn -m state --state NEW -j DROP',
          '-A INPUT -p tcp -m state --state NEW -j ACCEPT',
        ),
      ),
    ).toEqual([]);
  });

  test('INVALID is not to be accepted', () => {
    expect(findings(chain('ct state invalid,established accept'))).toEqual(['3 invalid-accepted']);
    expect(findings(chain('ct state invalid drop'))).toEqual([]);
  });

  test('RELATED needs a helper where a protocol has data connections', () => {
    const rules = ['ct state established,related accept', 'tcp dport 21 accept'];
    expect(findings(chain(...rules))).toEqual(['4 related-without-helper']);
    const helper = 'table inet t { ct helper ftp-std { type "ftp" protocol tcp; }; }\n';
    expect(findings(`${helper}${chain(...rules, 'tcp dport 2121 ct helper set "ftp-std"')}`)).toEqual([]);
    expect(findings(chain('ct state established accept', 'tcp dport 21 accept'))).toEqual([]);
  });
});

describe('IPv6', () => {
  test('is open where only IPv4 is filtered', () => {
    const four = '*filter\n:INPUT DROP\n-A INPUT -m state --state ESTABLISHED -j ACCEPT\nCOMMIT\n';
    expect(findings(four)).toEqual(['2 open-ipv6']);
    const ruleset = new Ruleset();
    ruleset.load({ name: 'v4', text: four }, 'iptables-save');
    ruleset.load({ name: 'v6', text: four }, 'ip6tables-save');
    expect(ruleset.lint()).toEqual([]);
  });
});
