import { describe, expect, test } from 'vitest';
import { Firewall } from '../hook/firewall.ts';
import { udpPacket } from '../packet/build.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { NftRuleset } from './ruleset.ts';

const NOW = 1_700_000_000_000;

/** A ruleset, and packets that run through it. */
class Run {
  readonly rules: NftRuleset = new NftRuleset();
  readonly firewall: Firewall = new Firewall({ rules: [] });
  private readonly pkt: Packet = new Packet();

  constructor(text: string) {
    this.load(text);
  }

  load(text: string): void {
    const [error] = this.rules.load({ name: 'rules', text });
    if (error !== undefined) throw error;
    this.firewall.loadRules(this.rules.tables());
  }

  /** A datagram of 36 bytes from a host of 10.0.0.0/24 to port 53. */
  udp(host: number, at = 0): void {
    const bytes = udpPacket({ src: `10.0.0.${host}`, dst: '192.0.2.1', sport: 1000, dport: 53, payload: 8 });
    resetPacket(this.pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
    this.firewall.receive(this.pkt, DLT_RAW, NOW + at);
  }

  list(at = 0): string {
    return this.rules.list({ now: NOW + at });
  }
}

function chain(rules: string, rest = ''): string {
  return `table ip t {\n${rest}\nchain c {\n type filter hook forward priority 0;\n${rules}\n}\n}\n`;
}

describe('listings after packets', () => {
  test('show what counters have counted and quotas used, which -s leaves out', () => {
    const run = new Run(
      chain('counter\ncounter name "hits"\nquota 50 bytes counter', 'counter hits { packets 1 bytes 2; }'),
    );
    for (let i = 0; i < 3; i++) run.udp(1);
    expect(run.list()).toContain('\t\tcounter packets 3 bytes 108\n');
    expect(run.list()).toContain('packets 4 bytes 110\n\t}');
    // No more than the quota, as the kernel lists it.
    expect(run.list()).toContain('quota 50 bytes used 50 bytes counter packets 1 bytes 36');
    expect(run.rules.list({ stateless: true })).toContain('\t\tquota 50 bytes counter\n');
    expect(JSON.parse(run.rules.listJson()).nftables).toContainEqual({
      counter: expect.objectContaining({ name: 'hits', packets: 4, bytes: 110 }),
    });
  });

  test('show the elements that packets added, with the time they have left', () => {
    const set = 'set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; elements = { 10.0.0.9 } }';
    const run = new Run(chain('update @seen { ip saddr counter }', set));
    expect(run.list()).toContain('elements = { 10.0.0.9 expires 1m }');
    run.udp(1);
    run.udp(1, 20_000);
    run.udp(2, 30_000);
    const [one, two] = ['10.0.0.1 counter packets 2 bytes 72', '10.0.0.2 counter packets 1 bytes 36'];
    expect(run.list(30_000)).toContain(
      `${one} expires 50s, ${two} expires 1m,\n\t\t\t     10.0.0.9 expires 30s }`,
    );
    expect(run.list(85_000)).toContain(`elements = { ${two} expires 5s }`);
    // Captures tell times with fractions of a millisecond.
    expect(run.list(84_999.5)).toContain('expires 5s1ms }');
    expect(run.rules.list({ stateless: true, now: NOW + 30_000 })).toContain('{ 10.0.0.1 counter, 10.0.0.2');
  });

  test('do not show elements that packets deleted', () => {
    const set = 'set s { type ipv4_addr; flags dynamic; size 9; elements = { 10.0.0.1, 10.0.0.2 } }';
    const run = new Run(chain('delete @s { ip saddr }', set));
    run.udp(1);
    expect(run.list()).toContain('elements = { 10.0.0.2 }');
  });

  test('are as loaded before any packet, to the last digit', () => {
    const text = chain('counter packets 1 bytes 18446744073709551615');
    const run = new Run(text);
    expect(run.list()).toContain('packets 1 bytes 18446744073709551615');
  });
});

describe('commands after packets', () => {
  const SET = 'set s { type ipv4_addr; flags dynamic; size 9; counter; elements = { 10.0.0.7 } }';

  test('leave what other rules, sets and objects have counted', () => {
    const run = new Run(
      chain('counter\nadd @s { ip saddr }\ncounter name "hits"', `${SET}\ncounter hits {}`),
    );
    run.udp(1);
    run.load('add rule ip t c counter accept\nadd element ip t s { 10.0.0.8 }');
    run.udp(1);
    expect(run.list()).toContain('\t\tcounter packets 2 bytes 72\n');
    expect(run.list()).toContain('packets 2 bytes 72\n\t}');
    expect(run.list()).toContain('counter packets 1 bytes 36 accept');
    expect(run.list()).toContain(
      'elements = { 10.0.0.1 counter packets 2 bytes 72, 10.0.0.7 counter packets 0 bytes 0,\n' +
        '\t\t\t     10.0.0.8 counter packets 0 bytes 0 }',
    );
  });

  test('may delete an element that a packet added, and add one anew', () => {
    const run = new Run(chain('add @s { ip saddr }', SET));
    run.udp(1);
    run.load('delete element ip t s { 10.0.0.1 }\ndelete element ip t s { 10.0.0.7 }');
    expect(run.list()).not.toContain('elements');
    run.load('add element ip t s { 10.0.0.1 }');
    expect(run.list()).toContain('elements = { 10.0.0.1 counter packets 0 bytes 0 }');
  });

  test('that fail change nothing', () => {
    const run = new Run(chain('counter\nadd @s { ip saddr }', SET));
    run.udp(1);
    const before = run.list();
    const wrong = 'flush set ip t s\nadd rule ip t none accept';
    expect(run.rules.load({ name: 'x', text: wrong })).toHaveLength(1);
    run.firewall.loadRules(run.rules.tables());
    expect(run.list()).toBe(before);
  });

  test('reset a counter that maps refer to, and maps still lead to the chains', () => {
    const maps =
      'counter a {}\nmap m { type ipv4_addr : counter; elements = { 10.0.0.1 : "a" } }\n' +
      'chain d { counter; }\nmap v { type ipv4_addr : verdict; elements = { 10.0.0.1 : jump d } }';
    const run = new Run(chain('counter name ip saddr map @m\nip saddr vmap @v', maps));
    run.udp(1);
    expect(run.list()).toContain('counter a {\n\t\tpackets 1 bytes 36\n');
    run.load('reset counter ip t a\nadd rule ip t d counter packets 5 bytes 5');
    expect(run.list()).toContain('counter a {\n\t\tpackets 0 bytes 0\n');
    run.udp(1);
    expect(run.list()).toContain('counter a {\n\t\tpackets 1 bytes 36\n');
    expect(run.list()).toContain('\t\tcounter packets 2 bytes 72\n\t\tcounter packets 6 bytes 41\n');
  });
});
