/**
 * The short way of plain packets (hook/plain.ts, proto/tcp-predict.ts) does what the general way does: the same packets
 * through two firewalls, of which one never sees a plain packet because its link type says LINKTYPE_IPV4.
 */
import { describe, expect, test } from 'vitest';
import { ROW_WORDS } from '../engine/conntrack/flow-table.ts';
import { PROFILES, type Profile } from '../engine/conntrack/profile.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import { Firewall } from '../engine/hook/firewall.ts';
import { viewOf } from '../engine/packet/build-bytes.ts';
import { DLT_IPV4, DLT_IPV6, DLT_RAW } from '../engine/packet/link.ts';
import { CHECKSUM_UNNECESSARY, Packet, resetPacket } from '../engine/packet/packet.ts';
import { Dice } from './traffic/dice.ts';
import { MixedTraffic } from './traffic/mix.ts';
import { TcpTraffic } from './traffic/tcp.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const COUNT = 25_000;

/** One of the two, and what it notes of a packet. */
class Side {
  readonly firewall: Firewall;
  readonly pkt = new Packet();
  readonly events: string[] = [];
  private readonly general: boolean;

  constructor(general: boolean, profile: Profile, sysctls: Readonly<Record<string, number>>) {
    const settings = new Settings(profile);
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    this.firewall = new Firewall({ settings, sink: this });
    this.general = general;
  }

  event(flow: number, events: number, at: number, reason: number): void {
    this.events.push(`${flow} ${events} ${at} ${reason}`);
  }

  /** All that the packet and its flow's row say afterwards. */
  receive(bytes: Uint8Array, now: number): string {
    const { pkt } = this;
    this.events.length = 0;
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.time = now;
    const byVersion = bytes[0]! >> 4 === 6 ? DLT_IPV6 : DLT_IPV4;
    const verdict = this.firewall.receive(pkt, this.general ? byVersion : DLT_RAW);
    const { off, end, l4, proto, frag, flow, ctinfo, status, reason } = pkt;
    const { table, stats } = this.firewall.conntrack;
    const row = flow === 0 ? [] : table.words.slice(flow * ROW_WORDS, (flow + 1) * ROW_WORDS);
    const counted = table.counters?.slice(flow * 4, flow * 4 + 4) ?? [];
    const operands = reason === 0 ? [] : pkt.operands;
    const fields = [verdict, off, end, l4, proto, frag, flow, ctinfo, status, reason, table.count];
    return [fields, operands, row, counted, Object.values(stats), this.events]
      .map((x) => x.join(' '))
      .join(' | ');
  }
}

/** Plays traffic to both. Returns how many packets took the short way. */
function play(
  traffic: { next(): Uint8Array },
  profile: Profile,
  sysctls: Readonly<Record<string, number>>,
): number {
  const short = new Side(false, profile, sysctls);
  const general = new Side(true, profile, sysctls);
  const dice = new Dice(SEED);
  let plain = 0;
  for (let i = 0, now = 1000; i < COUNT; i++) {
    const bytes = traffic.next();
    now += dice.chance(1) ? dice.below(20_000) : dice.below(3) / 2;
    const got = short.receive(bytes, now);
    if (short.pkt.checksum === CHECKSUM_UNNECESSARY) plain++;
    expect(got, `seed ${SEED}, packet ${i}`).toBe(general.receive(bytes, now));
  }
  return plain;
}

describe('a plain packet', () => {
  test.each([
    ['tcp', 'linux-6.18', {}],
    ['tcp', 'linux-6.18', { nf_conntrack_acct: 1, nf_conntrack_timestamp: 1 }],
    ['tcp', 'linux-6.18', { nf_conntrack_tcp_max_retrans: 1, nf_conntrack_tcp_timeout_max_retrans: 40 }],
    ['tcp', 'linux-6.18', { nf_conntrack_tcp_be_liberal: 1, nf_conntrack_max: 12 }],
    ['tcp', 'linux-2.4', { nf_conntrack_checksum: 1 }],
    ['mixed', 'linux-6.18', {}],
    ['mixed', 'linux-6.18', { nf_conntrack_max: 30, nf_conntrack_events: 0 }],
  ] as const)('of %s traffic goes a shorter way to the same end (%s %j)', (kind, name, sysctls) => {
    const dice = new Dice(SEED);
    const traffic = kind === 'tcp' ? new TcpTraffic(dice) : new MixedTraffic(dice);
    const profile = PROFILES.find((p) => p.name === name)!;
    expect(play(traffic, profile, sysctls)).toBeGreaterThan(COUNT / 10);
  });
});
