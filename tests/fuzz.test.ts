/**
 * Damaged packets of every kind over every link type through all profiles, and damaged capture files: nothing is
 * thrown but a CaptureError, and the table stays whole. Every day another seed, or KEEPSTATE_SEED; it is printed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  CaptureError,
  CaptureReader,
  CaptureRecord,
  PcapngWriter,
  PcapWriter,
} from '../engine/capture/index.ts';
import * as F from '../engine/conntrack/flow-table.ts';
import { PROFILES, type Profile } from '../engine/conntrack/profile.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import * as T from '../engine/conntrack/tuple.ts';
import { Firewall, NF_ACCEPT, NF_STOLEN } from '../engine/hook/firewall.ts';
import { concat, internetChecksum, viewOf } from '../engine/packet/build-bytes.ts';
import * as L from '../engine/packet/build-link.ts';
import * as DLT from '../engine/packet/link.ts';
import { AF_INET, CTINFO_INVALID, CTINFO_NONE, Packet, resetPacket } from '../engine/packet/packet.ts';
import { Dice } from './traffic/dice.ts';
import { MixedTraffic } from './traffic/mix.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
/** Time for each profile, and for capture files (ms). */
const BUDGET = 2500;
/** So low that the table is full now and then. */
const MAX = 60;

/** Link types with what makes a frame of them; the last is unknown. */
const LINKS: readonly (readonly [linktype: number, frame: (packet: Uint8Array) => Uint8Array])[] = [
  [DLT.DLT_EN10MB, (p) => L.ethernetFrame(p)],
  [DLT.DLT_EN10MB, (p) => L.vlanFrame(p, 7)],
  [DLT.DLT_EN10MB, (p) => L.qinqFrame(p, 7, 8)],
  [DLT.DLT_LINUX_SLL, (p) => L.sllFrame(p)],
  [DLT.DLT_LINUX_SLL2, (p) => L.sll2Frame(p)],
  [DLT.DLT_NULL, (p) => L.nullFrame(p)],
  [DLT.DLT_LOOP, (p) => L.loopFrame(p)],
  [DLT.DLT_RAW, (p) => p],
  [DLT.DLT_RAW_BSD, (p) => p],
  [DLT.DLT_RAW_OPENBSD, (p) => p],
  [DLT.DLT_IPV4, (p) => p],
  [DLT.DLT_IPV6, (p) => p],
  [147, (p) => p],
];

/** Settings that change while packets come. */
const SWITCHED = [
  'nf_conntrack_acct',
  'nf_conntrack_timestamp',
  'nf_conntrack_checksum',
  'nf_conntrack_tcp_loose',
  'nf_conntrack_tcp_be_liberal',
];

/** Bytes with flipped bits, noise, a piece taken out or put in, or cut short. */
function mutate(dice: Dice, bytes: Uint8Array): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let changes = dice.between(1, 4); changes > 0 && out.length > 0; changes--) {
    const at = dice.below(dice.chance(70) ? Math.min(out.length, 64) : out.length);
    switch (dice.below(6)) {
      case 0:
        out[at]! ^= 1 << dice.below(8);
        break;
      case 1:
        out[at] = dice.pick([0, 1, 4, 6, 0x45, 0x60, 127, 128, 254, 255]);
        break;
      case 2:
        out.set(dice.bytes(Math.min(dice.between(1, 8), out.length - at)), at);
        break;
      case 3:
        out = concat(out.subarray(0, at), out.subarray(at + dice.between(1, 20)));
        break;
      case 4:
        out = concat(out.subarray(0, at), dice.bytes(dice.between(1, 20)), out.subarray(at));
        break;
      default:
        out = out.slice(0, at);
    }
  }
  return out;
}

/** Gives an IPv4 header its right checksum and length, so that damage behind it is met. */
function repair(packet: Uint8Array): void {
  const length = (packet[0]! & 15) << 2;
  if (packet.length < 20 || packet[0]! >> 4 !== 4 || length < 20 || length > packet.length) return;
  viewOf(packet).setUint16(2, packet.length);
  viewOf(packet).setUint16(10, 0);
  viewOf(packet).setUint16(10, internetChecksum(packet.subarray(0, length)));
}

/** Both tuples of a row. */
function tuplesOf(words: Int32Array, row: number): [T.Tuple, T.Tuple] {
  const at = row * F.ROW_WORDS;
  const side = (first: number, zone: number): T.Tuple => {
    const t = new Int32Array(T.TUPLE_WORDS);
    t.set(words.subarray(at + first, at + first + 3), T.T_SRC);
    t[T.T_KIND] = words[at + F.F_KIND]!;
    t[T.T_ZONE] = zone;
    return t;
  };
  const zones = words[at + F.F_ZONES]!;
  return [side(F.F_SRC, zones & 0xffff), side(F.F_RSRC, zones >>> 16)];
}

/** Checks that the table holds together. Between packets no flow is unconfirmed. */
function checkTable(firewall: Firewall): void {
  const { table, pool, now } = firewall.conntrack;
  const held = new Map<number, number>();
  const ids = new Set<number>();
  let rows = 0;
  firewall.conntrack.eachFlow((row) => {
    rows++;
    const [original, reply] = tuplesOf(table.words, row);
    expect(table.find(original) >> 1, `row ${row} by its original tuple`).toBe(row);
    expect(table.find(reply), `row ${row} by its reply tuple`).toBe((row << 1) | 1);
    ids.add(table.words[row * F.ROW_WORDS + F.F_ID]!);
    const due = table.doubles[(row * F.ROW_WORDS + F.F_EXPIRES) / 2]!;
    expect(due, `row ${row} is due`).toBeGreaterThan(now);
    if (original[T.T_KIND]! >>> 8 !== AF_INET)
      for (const handle of [original[T.T_SRC]!, original[T.T_DST]!])
        held.set(handle, (held.get(handle) ?? 0) + 1);
  });
  expect(rows, 'rows that are confirmed, of all that are taken').toBe(table.count);
  expect(ids.size, 'ids').toBe(rows);
  expect(rows).toBeLessThanOrEqual(MAX);
  expect(pool.size, 'addresses').toBe(held.size);
  const { refs } = pool as unknown as { refs: Int32Array };
  for (const [handle, count] of held) expect(refs[handle], `references of handle ${handle}`).toBe(count);
}

/** Traffic on its way into a firewall, with a clock that runs, leaps and now and then goes back. */
class Storm {
  readonly firewall: Firewall;
  readonly dice: Dice;
  packets = 0;
  readonly seen = { accepted: 0, invalid: 0, never: 0, held: 0 };
  private readonly traffic: MixedTraffic;
  private readonly pkt = new Packet();
  private now = 1_700_000_000_000;

  constructor(profile: Profile, seed: number) {
    const settings = new Settings(profile);
    settings.set('nf_conntrack_max', MAX);
    this.firewall = new Firewall({ settings, seed });
    this.dice = new Dice(seed);
    this.traffic = new MixedTraffic(this.dice);
  }

  /** One packet; whatever it throws is told together with what threw it. */
  next(): void {
    const { dice } = this;
    const [linktype, wrap] = dice.pick(LINKS);
    // Of the pieces of a datagram none may be left (traffic/fragments.ts).
    let packet = this.traffic.next() ?? new Uint8Array(0);
    if (dice.chance(25)) packet = mutate(dice, packet);
    if (dice.chance(50)) repair(packet);
    let frame = wrap(packet);
    if (dice.chance(10)) frame = mutate(dice, frame);
    const missing = dice.chance(5) ? dice.below(frame.length + 1) : 0;
    this.passTime();
    if (dice.chance(0.1)) this.firewall.settings.set(dice.pick(SWITCHED), dice.below(2));
    try {
      this.give(frame.subarray(0, frame.length - missing), linktype, missing);
    } catch (error) {
      const hex = Buffer.from(frame).toString('hex');
      throw new Error(`seed ${SEED}, packet ${this.packets}, link type ${linktype}: ${hex}`, {
        cause: error,
      });
    }
    this.packets++;
  }

  private give(frame: Uint8Array, linktype: number, missing: number): void {
    const { pkt, dice } = this;
    // A window on a larger buffer, as captures give it: nothing may be read beyond it.
    const around = concat(dice.bytes(dice.below(4)), frame, dice.bytes(8));
    const off = around.length - 8 - frame.length;
    resetPacket(pkt, around, viewOf(around), off, off + frame.length);
    pkt.missing = missing;
    const verdict = this.firewall.receive(pkt, linktype, this.now);
    if (pkt.ctinfo === CTINFO_INVALID) this.seen.invalid++;
    else if (verdict === NF_STOLEN) this.seen.held++;
    else if (pkt.ctinfo === CTINFO_NONE) this.seen.never++;
    else this.seen.accepted++;
    const tracked = pkt.ctinfo !== CTINFO_NONE;
    if (tracked !== (verdict === NF_ACCEPT)) throw new Error(`verdict ${verdict} at ctinfo ${pkt.ctinfo}`);
    if ((!tracked || pkt.ctinfo === CTINFO_INVALID) && pkt.reason === 0) throw new Error('no reason');
    if (this.firewall.conntrack.table.count > MAX) throw new Error('more flows than nf_conntrack_max');
  }

  private passTime(): void {
    const { dice } = this;
    const most = { step: 40, pause: 20_000, days: 864_000_000, back: -100_000 };
    const leap = most[dice.weighted({ step: 900, pause: 90, back: 8, days: 2 })];
    this.now += Math.sign(leap) * dice.below(Math.abs(leap));
  }
}

beforeAll(() => console.log(`fuzz: KEEPSTATE_SEED=${SEED}`));

describe('damaged packets', () => {
  test.each(PROFILES.map((profile, i) => [profile.name, profile, i] as const))(
    'through %s: nothing is thrown, the table keeps its limit and holds together',
    (_name, profile, i) => {
      const storm = new Storm(profile, SEED * 10 + i);
      for (const end = Date.now() + BUDGET; Date.now() < end; ) {
        for (let n = 0; n < 1000; n++) storm.next();
        try {
          checkTable(storm.firewall);
        } catch (error) {
          throw new Error(`seed ${SEED}, after packet ${storm.packets}`, { cause: error });
        }
      }
      // All kinds of ends were met, so that the storm is one.
      for (const count of Object.values(storm.seen)) expect(count).toBeGreaterThan(storm.packets / 200);
      const { conntrack } = storm.firewall;
      expect(conntrack.stats.early_drop + conntrack.stats.drop).toBeGreaterThan(0);
      conntrack.flush();
      expect([conntrack.table.count, conntrack.pool.size, conntrack.nextDue()]).toEqual([0, 0, Infinity]);
    },
  );
});

/** A capture file of mixed traffic, pcap or pcapng, of any link type. */
function captureFile(dice: Dice): Uint8Array {
  const traffic = new MixedTraffic(dice);
  const [linktype, wrap] = dice.pick(LINKS);
  const bigEndian = dice.chance(50);
  const pieces: Uint8Array[] = [];
  const record = new CaptureRecord();
  const next = (at: number): CaptureRecord =>
    record.packet(wrap(traffic.next() ?? new Uint8Array(0)), 1_700_000_000_000 + at * 500, linktype);
  const count = dice.between(1, 40);
  if (dice.chance(50)) {
    const writer = new PcapWriter({ linktype, bigEndian, nanoseconds: dice.chance(50) });
    pieces.push(writer.header());
    for (let i = 0; i < count; i++) pieces.push(writer.record(next(i)));
  } else {
    const writer = new PcapngWriter({ bigEndian });
    pieces.push(writer.header(), writer.interface({ linktype, tsresol: dice.pick([3, 6, 9, 0x8a]) }));
    for (let i = 0; i < count; i++) pieces.push(writer.record(next(i), dice.chance(20) ? 'a note' : null));
  }
  return concat(...pieces);
}

/** Reads a file in chunks into a firewall. Returns the packets that came, and the error if the file was damaged. */
function play(file: Uint8Array, firewall: Firewall, chunk: number): { packets: number; error: unknown } {
  const reader = new CaptureReader('fuzz.pcap');
  const record = new CaptureRecord();
  const pkt = new Packet();
  let packets = 0;
  try {
    for (let at = 0; at < file.length; at += chunk) {
      reader.push(file.subarray(at, at + chunk));
      while (reader.next(record)) {
        packets++;
        resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
        pkt.missing = Math.max(0, record.origlen - record.caplen);
        firewall.receive(pkt, record.linktype, record.time);
      }
    }
    reader.end();
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: null };
}

describe('damaged capture files', () => {
  test.each(PROFILES.map((profile, i) => [profile.name, profile, i] as const))(
    'through %s: only a CaptureError is thrown, and the table holds together',
    (_name, profile, i) => {
      const dice = new Dice(SEED * 10 + 5 + i);
      let files = 0;
      let errors = 0;
      let packets = 0;
      for (const end = Date.now() + BUDGET / 3; Date.now() < end; files++) {
        const settings = new Settings(profile);
        settings.set('nf_conntrack_max', MAX);
        const firewall = new Firewall({ settings });
        const whole = captureFile(dice);
        const file = dice.chance(90) ? mutate(dice, whole) : whole;
        const read = play(file, firewall, dice.pick([1, 7, 64, 4096, file.length + 1]));
        packets += read.packets;
        if (read.error !== null) errors++;
        if (read.error !== null && !(read.error instanceof CaptureError)) {
          const hex = Buffer.from(file).toString('hex');
          throw new Error(`seed ${SEED}, file ${files}: ${hex}`, { cause: read.error });
        }
        checkTable(firewall);
      }
      expect(packets).toBeGreaterThan(files);
      expect(errors).toBeGreaterThan(files / 20);
      expect(errors).toBeLessThan(files);
    },
  );
});
