import { describe, expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

const TABLE = `table inet t {
  set ports { type inet_service; elements = { 22, 80 }; }
  set nets { type ipv4_addr; flags interval; }
  set merged { type ipv4_addr; flags interval; auto-merge; }
  map vm { type inet_service : verdict; elements = { 22 : accept }; }
  counter c1 { packets 0 bytes 0; }
  chain r1 { }
  chain r2 { }
  chain i { type filter hook input priority 0; }
  chain o { type filter hook postrouting priority 0; }
}
`;

/** The errors of a text on top of {@link TABLE}, as "message (hint)". */
function refusals(text: string): string[] {
  const ruleset = new NftRuleset();
  expect(ruleset.load({ name: 'table', text: TABLE })).toEqual([]);
  return ruleset.load({ name: 'x', text }).map((error) => error.message);
}

/** The rule as it is listed. */
function listed(rule: string): string {
  const ruleset = new NftRuleset();
  ruleset.load({ name: 'table', text: TABLE });
  const errors = ruleset.load({ name: 'x', text: `add rule inet t i ${rule}\n` });
  if (errors.length > 0) throw errors[0]!;
  const lines = ruleset.list({ stateless: true }).split('\n');
  return lines[lines.findIndex((line) => line.includes('hook input')) + 1]!.trim();
}

describe('a rule is listed without what the rest of it implies', () => {
  test.each([
    ['meta l4proto tcp tcp dport 22', 'tcp dport 22'],
    ['meta nfproto ipv4 ip saddr 1.2.3.4', 'ip saddr 1.2.3.4'],
    ['ip protocol tcp tcp dport 22', 'ip protocol tcp tcp dport 22'],
    ['meta l4proto tcp counter tcp dport 22', 'meta l4proto tcp counter tcp dport 22'],
    ['icmpv6 type packet-too-big icmpv6 mtu 1280', 'icmpv6 mtu 1280'],
  ])('%s as %s', (written, expected) => {
    expect(listed(written)).toBe(expected);
  });
});

describe('values are listed in the kernel’s order and form', () => {
  test.each([
    ['tcp dport { https, 22, http }', 'tcp dport { 22, 80, 443 }'],
    ['ip saddr { 10.0.1.0/24, 10.0.0.0/24 }', 'ip saddr { 10.0.0.0/23 }'],
    ['ip saddr 10.1.2.3/24', 'ip saddr 10.1.2.0/24'],
    ['ip saddr & 255.0.0.0 == 10.0.0.0', 'ip saddr 10.0.0.0/8'],
    ['tcp flags & (fin|syn|rst|ack) == syn', 'tcp flags syn / fin,syn,rst,ack'],
    ['ct state new,established', 'ct state established,new'],
    ['tcp dport { 22 }', 'tcp dport 22'],
    ['@th,16,16 53', 'th dport 53'],
    ['tcp dport 1 tcp sport 2', 'tcp sport 2 tcp dport 1'],
    ['limit rate 10/minute burst 5 packets', 'limit rate 10/minute'],
    ['log level warn', 'log'],
  ])('%s as %s', (written, expected) => {
    expect(listed(written)).toBe(expected);
  });
});

describe('what nft refuses is refused, with one message at the place', () => {
  test.each([
    ['add rule inet t i ip saddr 1.2.3.4 ip6 saddr ::1', 'conflicting protocols specified: ip vs. ip6'],
    [
      'add rule inet t i meta nfproto ipv4 ct original ip6 saddr ::1',
      'conflicting protocols specified: ip vs. ip6',
    ],
    [
      'add rule inet t i icmpv6 type 128 ct reply ip saddr 1.2.3.4',
      'conflicting protocols specified: ip6 vs. ip',
    ],
    ['add rule inet t i udp dport 53 reject with tcp reset', 'tcp reset'],
    ['add rule inet t i tcp dport 70000', 'service out of range'],
    ['add rule inet t i ip ttl 256', 'exceeds valid range 0-255'],
    ['add rule inet t i ip saddr @ports', 'datatype mismatch, expected IPv4 address'],
    ['add rule inet t i tcp dport @prots', "did you mean 'ports'"],
    ['add rule inet t i jump r11', "did you mean 'r1'"],
    ['add rule inet t i jump i', 'base chain'],
    ['add rule inet t i accept counter', 'terminal statement'],
    ['add rule inet t i ct state establishd', "did you mean 'established'"],
    ['add rule inet t i tcp dport 80-22', 'zero or negative size'],
    ['add rule inet t i masquerade', 'masquerade works in chains of type nat only'],
    ['add rule inet t o reject', 'reject does not work in the postrouting hook'],
    ['add rule inet t i counter name "c11"', "did you mean 'c1'"],
    ['add element inet t nets { 10.0.0.0/8, 10.1.0.0/16 }', 'conflicting intervals specified'],
    ['add element inet t ports { 1-5 }', 'no intervals'],
  ])('%s', (text, message) => {
    const errors = refusals(`${text}\n`);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
  });
});

test('a loop of jumps is only refused once a base chain leads into it', () => {
  const loop = 'add rule inet t r1 jump r2\nadd rule inet t r2 jump r1\n';
  expect(refusals(loop)).toEqual([]);
  const errors = refusals(`${loop}add rule inet t i jump r1\n`);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('makes a loop');
});

test('a statement that jumps bring into a wrong hook is refused', () => {
  const errors = refusals('add rule inet t r1 reject\nadd rule inet t o jump r1\n');
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('postrouting');
});

test('intervals of an auto-merge set that touch are listed as one', () => {
  const ruleset = new NftRuleset();
  ruleset.load({ name: 'table', text: TABLE });
  ruleset.load({ name: 'a', text: 'add element inet t merged { 10.0.0.0/24 }\n' });
  ruleset.load({ name: 'b', text: 'add element inet t merged { 10.0.1.0/24, 10.0.3.1 }\n' });
  expect(ruleset.list()).toContain('elements = { 10.0.0.0/23, 10.0.3.1 }');
});

test('what a set declares of its elements is not listed where packets add to it', () => {
  const ruleset = new NftRuleset();
  const set = 'set s {\n type ipv4_addr\n flags dynamic\n size 10\n counter\n }';
  const chain = 'chain c {\n add @s { ip saddr counter }\n }';
  expect(ruleset.load({ name: 'x', text: `table ip t {\n ${set}\n ${chain}\n}\n` })).toEqual([]);
  expect(ruleset.list()).toContain('\t\tadd @s { ip saddr }\n');
});
