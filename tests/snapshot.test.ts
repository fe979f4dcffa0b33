/**
 * A restart that nobody notices: traffic goes through one firewall as a whole, and through another only up to a moment;
 * from there on a third one goes on with that one's snapshot.
 */
import { describe, expect, test } from 'vitest';
import { readExpectation } from '../engine/conntrack/expect-record.ts';
import type { Expectation } from '../engine/conntrack/expectation.ts';
import { readFlow } from '../engine/conntrack/flow-record.ts';
import { F_ID, F_PROTO, ROW_WORDS } from '../engine/conntrack/flow-table.ts';
import { LINUX_2_4, LINUX_2_4_TCP_WINDOW, LINUX_6_18, type Profile } from '../engine/conntrack/profile.ts';
import { restore } from '../engine/conntrack/restore.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import { Snapshot, snapshot } from '../engine/conntrack/snapshot.ts';
import { Firewall } from '../engine/hook/firewall.ts';
import { Ruleset } from '../engine/hook/ruleset.ts';
import { ARPHRD_NONE, HostModel } from '../engine/host/model.ts';
import { parsePrefix } from '../engine/host/prefix.ts';
import { viewOf } from '../engine/packet/build-bytes.ts';
import { DLT_RAW } from '../engine/packet/link.ts';
import { Packet, resetPacket } from '../engine/packet/packet.ts';
import { checkTable } from './fuzz/table-check.ts';
import { Dice } from './traffic/dice.ts';
import { MixedTraffic } from './traffic/mix.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const COUNT = 4000;
const CUTS = 3;

/** What a firewall is made of. */
interface Kind {
  readonly profile: Profile;
  readonly sysctls: Readonly<Record<string, number>>;
  readonly rules: string | null;
}

const NAT = `
table inet h {
  ct timeout short { protocol udp; l3proto ip; policy = { unreplied : 7, replied : 9 }; }
  ct timeout brief { protocol tcp; l3proto ip; policy = { established : 60, close : 3 }; }
  chain pre { type filter hook prerouting priority -150;
    ip protocol udp ct timeout set "short"
    ip protocol tcp tcp dport 1-30000 ct timeout set "brief"
    ip saddr 10.2.0.1 ct event set new,destroy
  }
  chain forth { type filter hook forward priority 0;
    ct state new ct mark set 7
    meta l4proto udp ct label set 3
    ct state established ct mark set ct mark and 3
  }
}
table ip nat {
  chain pre { type nat hook prerouting priority -100;
    udp dport 1-20000 dnat to 10.3.0.9
  }
  chain post { type nat hook postrouting priority 100;
    oifname "eth0" ip saddr 10.2.0.1-10.2.0.2 masquerade
    oifname "eth0" ip saddr 10.2.0.3 snat to 203.0.113.7-203.0.113.9
  }
}
table ip6 nat {
  chain post { type nat hook postrouting priority 100;
    oifname "eth0" ip6 saddr fd00:3::1 masquerade
  }
}`;

function host(): HostModel {
  const made = new HostModel();
  made.addDevice('eth0', { index: 2, type: ARPHRD_NONE });
  made.addDevice('eth1', { index: 3, type: ARPHRD_NONE });
  for (const [device, address] of [
    ['eth0', '203.0.113.1/24'],
    ['eth1', '10.2.0.254/16'],
    ['eth0', '2001:db8::1/64'],
    ['eth1', 'fd00:3::ff/64'],
  ] as const)
    made.addAddress(device, parsePrefix(address)!);
  for (const prefix of ['0.0.0.0/0', '::/0'])
    made.addRoute({ prefix: parsePrefix(prefix)!, device: 2, type: 1, metric: 0, source: null });
  return made;
}

/** A firewall, and all that can be seen of it. */
class Side {
  readonly firewall: Firewall;
  private readonly pkt = new Packet();
  private readonly told: string[] = [];

  constructor({ profile, sysctls, rules }: Kind) {
    const settings = new Settings(profile);
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    if (rules === null) this.firewall = new Firewall({ settings });
    else {
      const ruleset = new Ruleset();
      const errors = ruleset.load({ name: 'rules', text: rules });
      expect(errors.map(String)).toEqual([]);
      this.firewall = new Firewall({ settings, host: host(), rules: ruleset.tables() });
      this.firewall.wantsBytes = true;
    }
    this.firewall.conntrack.sink = this;
  }

  event(flow: number, events: number, at: number, reason: number): void {
    const record = readFlow(this.firewall.conntrack, flow);
    this.told.push(`${events} ${at} ${reason} ${JSON.stringify(record)}`);
  }

  expectation(one: Expectation, event: number, now: number): void {
    this.told.push(`${event} ${now} ${JSON.stringify(readExpectation(this.firewall.conntrack, one))}`);
  }

  /** All that a packet brings about. */
  receive(bytes: Uint8Array, now: number): string {
    const { pkt, firewall, told } = this;
    const copy = bytes.slice();
    resetPacket(pkt, copy, viewOf(copy), 0, copy.length);
    pkt.time = now;
    pkt.ifin = copy[0] === 0x45 && copy[12] === 10 && copy[13] === 2 ? 3 : 2;
    const verdict = firewall.receive(pkt, DLT_RAW);
    const w = firewall.conntrack.table.words;
    const at = pkt.flow * ROW_WORDS;
    const row = pkt.flow === 0 ? [] : [w[at + F_ID], ...w.slice(at + F_PROTO, at + F_PROTO + 14)];
    const { outcome } = firewall;
    const out = [...outcome.out, ...outcome.answers.map((answer) => answer.bytes)].map((b) => b.join(' '));
    // Flows that end in the same millisecond do so in the order of the expiry wheel's lists, which no snapshot keeps.
    const events = told.splice(0).sort();
    return [verdict, pkt.ctinfo, pkt.status, pkt.reason, row.join(' '), ...out, ...events].join('\n');
  }

  /** Every flow and expectation, whatever row it is in. */
  all(): string[] {
    const { conntrack } = this.firewall;
    const all: string[] = [];
    conntrack.eachFlow((flow) =>
      all.push(JSON.stringify([readFlow(conntrack, flow), conntrack.extension(flow)?.labels])),
    );
    for (const one of conntrack.expectations.all()) all.push(JSON.stringify(readExpectation(conntrack, one)));
    return all.sort();
  }

  /** Goes on with what another one has, its fragments too: those are in no snapshot. */
  takeOver(other: Side, now: number): void {
    restore(this.firewall.conntrack, snapshot(other.firewall.conntrack), { now });
    (this.firewall as { defrag: unknown }).defrag = other.firewall.defrag;
  }
}

/** Whether a packet is a piece of a datagram: with rules, what leaves shows how it came in pieces. */
function isFragment(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  if (bytes[0]! >> 4 === 4) return (((bytes[6]! << 8) | bytes[7]!) & 0x3fff) !== 0;
  let next = bytes[6]!;
  for (let at = 40; at + 8 <= bytes.length; at += (bytes[at + 1]! + 1) * 8) {
    if (next === 44) return true;
    if (next !== 0 && next !== 43 && next !== 60) return false;
    next = bytes[at]!;
  }
  return false;
}

function traffic(seed: number, whole: boolean): { bytes: Uint8Array; now: number }[] {
  const dice = new Dice(seed);
  const mixed = new MixedTraffic(dice);
  let now = 1_700_000_000_000;
  return Array.from({ length: COUNT }, () => {
    now += dice.chance(1) ? dice.below(20_000) : dice.below(3);
    let bytes = mixed.next();
    while (whole && isFragment(bytes)) bytes = mixed.next();
    return { bytes, now };
  });
}

function play(kind: Kind, seed: number): void {
  const packets = traffic(seed, kind.rules !== null);
  const whole = new Side(kind);
  const results = packets.map(({ bytes, now }) => whole.receive(bytes, now));
  const dice = new Dice(seed + 1);
  for (let cut = 0; cut < CUTS; cut++) {
    const at = 1 + dice.below(COUNT - 1);
    const before = new Side(kind);
    for (const { bytes, now } of packets.slice(0, at)) before.receive(bytes, now);
    const behind = new Side(kind);
    behind.takeOver(before, packets[at - 1]!.now);
    expect(behind.all()).toEqual(before.all());
    for (let i = at; i < COUNT; i++) {
      const { bytes, now } = packets[i]!;
      expect(behind.receive(bytes, now), `seed ${seed}, cut at ${at}, packet ${i}`).toBe(results[i]);
    }
    expect(behind.all()).toEqual(whole.all());
  }
}

describe('a restart at any packet is not noticed', () => {
  test.each<[string, Kind]>([
    ['linux-6.18', { profile: LINUX_6_18, sysctls: {}, rules: null }],
    [
      'with counters and start times',
      { profile: LINUX_6_18, sysctls: { nf_conntrack_acct: 1, nf_conntrack_timestamp: 1 }, rules: null },
    ],
    ['linux-2.4', { profile: LINUX_2_4, sysctls: {}, rules: null }],
    ['linux-2.4-tcp-window', { profile: LINUX_2_4_TCP_WINDOW, sysctls: {}, rules: null }],
    [
      'with address translation, marks, labels and timeouts',
      { profile: LINUX_6_18, sysctls: { nf_conntrack_acct: 1 }, rules: NAT },
    ],
  ])('%s', (_name, kind) => {
    play(kind, SEED);
  });
});

/** Plays traffic while a snapshot is taken slice by slice, as a running keepstate does. */
function takeUnder(side: Side, packets: readonly { bytes: Uint8Array; now: number }[]): Uint8Array {
  const one = new Snapshot(side.firewall.conntrack);
  const slices: Uint8Array[] = [];
  let at = 0;
  for (let slice = one.next(8); slice !== null; slice = one.next(8)) {
    slices.push(slice);
    for (let n = 0; n < 25 && at < packets.length; n++, at++)
      side.receive(packets[at]!.bytes, packets[at]!.now);
  }
  return Buffer.concat(slices);
}

describe('a snapshot that is taken while packets come', () => {
  test.each<[string, string | null]>([
    ['without rules', null],
    ['with address translation', NAT],
  ])('restores to a table that holds together, and that packets go on with: %s', (_name, rules) => {
    const kind = { profile: LINUX_6_18, sysctls: { nf_conntrack_acct: 1, nf_conntrack_max: 200 }, rules };
    for (let run = 0; run < 3; run++) {
      const packets = traffic(SEED + run, false);
      const before = new Side(kind);
      for (const { bytes, now } of packets.slice(0, 1000)) before.receive(bytes, now);
      const bytes = takeUnder(before, packets.slice(1000));
      const behind = new Side(kind);
      const last = packets.at(-1)!.now;
      const { flows, taken } = restore(behind.firewall.conntrack, bytes, { now: packets[1000]!.now });
      expect([taken, behind.firewall.conntrack.table.count]).toEqual([0, flows]);
      expect(flows).toBeGreaterThan(20);
      // It knows no translated flows, which hold addresses of their own.
      if (rules === null) checkTable(behind.firewall);
      for (const [i, packet] of packets.slice(0, 1000).entries()) behind.receive(packet.bytes, last + i);
      if (rules === null) checkTable(behind.firewall);
      behind.firewall.conntrack.flush();
      const { table, pool } = behind.firewall.conntrack;
      expect([table.count, pool.size]).toEqual([0, 0]);
    }
  });
});
