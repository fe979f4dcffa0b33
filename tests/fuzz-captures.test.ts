/**
 * Ten thousand damaged capture files, pcap and pcapng, in chunks of any size, through the reader and the engine behind
 * it: nothing is thrown but a CaptureError, and the table stays whole. Seed and number as in fuzz-packets.test.ts.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { CaptureError, CaptureReader, CaptureRecord } from '../engine/capture/index.ts';
import { PROFILES, type Profile } from '../engine/conntrack/profile.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import { Firewall } from '../engine/hook/firewall.ts';
import { Packet, resetPacket } from '../engine/packet/packet.ts';
import { FACTOR, SEED } from './fuzz/budget.ts';
import { captureFile } from './fuzz/capture-files.ts';
import { Clay } from './fuzz/clay.ts';
import { checkTable } from './fuzz/table-check.ts';
import { Dice } from './traffic/dice.ts';

const FILES = Math.ceil((12_000 * FACTOR) / PROFILES.length);
/** How often a sound file is damaged, every time in another way; and how many files one firewall sees. */
const TIMES = 20;
const MAX = 60;

const sums = { files: 0, mutated: 0, packets: 0, refused: 0 };
afterAll(() => console.log(`fuzz: KEEPSTATE_SEED=${SEED}: ${JSON.stringify(sums)}`));

interface Played {
  readonly packets: number;
  /** What ended the reading, null if the file was read to its end. */
  readonly error: unknown;
}

const recordScratch = new CaptureRecord();
const pktScratch = new Packet();

/** Reads a file in chunks, all of one size or each of another (0), into a firewall. */
function play(file: Uint8Array, firewall: Firewall, dice: Dice, chunk: number): Played {
  const reader = new CaptureReader('fuzz.pcap');
  const record = recordScratch;
  let packets = 0;
  try {
    for (let at = 0; at < file.length; ) {
      const size = chunk === 0 ? dice.between(1, 100) : chunk;
      reader.push(file.subarray(at, at + size));
      at += size;
      while (reader.next(record)) {
        packets++;
        reader.comment();
        const pkt = pktScratch;
        resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
        pkt.missing = Math.max(0, record.origlen - record.caplen);
        pkt.time = record.time;
        firewall.receive(pkt, record.linktype);
      }
    }
    reader.end();
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: null };
}

/** A sound file, damaged: a length that lies, flipped bytes, or cut short. */
function damage(clay: Clay, dice: Dice, headers: readonly number[]): void {
  const lies = dice.chance(50);
  if (lies) clay.lie(dice, dice.pick(headers) + 4 * dice.below(9));
  if (!lies || dice.chance(30)) clay.mutate(dice, dice.chance(50) ? 0 : dice.pick(headers), 40);
  if (dice.chance(10)) clay.end = dice.below(clay.end + 1);
}

function firewallOf(profile: Profile): Firewall {
  const settings = new Settings(profile);
  settings.set('nf_conntrack_max', MAX);
  return new Firewall({ settings, seed: SEED });
}

describe('damaged capture files', () => {
  test.each(PROFILES.map((profile, i) => [profile.name, profile, i] as const))(
    'through %s: only a CaptureError is thrown, and the table holds together',
    (_name, profile, i) => {
      const dice = new Dice(SEED * 10 + 5 + i);
      const clay = new Clay();
      const before = { ...sums };
      while (sums.files - before.files < FILES) {
        const whole = captureFile(dice);
        const firewall = firewallOf(profile);
        for (let n = 0; n < TIMES; n++) {
          clay.load(whole.bytes);
          if (n > 0) damage(clay, dice, whole.headers);
          const file = clay.now;
          const read = play(file, firewall, dice, dice.pick([0, 1, 7, 64, 4096, file.length + 1]));
          const refused = read.error instanceof CaptureError;
          if (read.error !== null && (!refused || n === 0)) {
            const hex = Buffer.from(file).toString('hex');
            throw new Error(`seed ${SEED}, file ${sums.files}: ${hex}`, { cause: read.error });
          }
          checkTable(firewall);
          sums.files++;
          sums.packets += read.packets;
          if (refused) sums.refused++;
          if (Buffer.compare(file, whole.bytes) !== 0) sums.mutated++;
        }
      }
      const files = sums.files - before.files;
      expect(sums.mutated - before.mutated).toBeGreaterThan((10_000 * FACTOR) / PROFILES.length);
      expect(sums.packets - before.packets).toBeGreaterThan(5 * files);
      expect(sums.refused - before.refused).toBeGreaterThan(files / 10);
      expect(sums.refused - before.refused).toBeLessThan(files * 0.9);
    },
    180_000 * Math.max(1, FACTOR),
  );
});
