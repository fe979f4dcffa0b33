import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realUnavailable, recordReal, SCENARIOS } from '../real/record.ts';
import { Dice } from '../traffic/dice.ts';
import { capturedPackets } from './capture-packets.ts';
import { compareTables } from './compare.ts';
import { compareCounters } from './compare-accounting.ts';
import { compareEvents } from './compare-events.ts';
import { Kernel, type KernelPacket, kernelUsable } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.pcap'));
const ACCT = { nf_conntrack_acct: 1 };

/** Whether the real programs can be recorded here; says why not, and fails where nothing may be skipped. */
function realUsable(): boolean {
  const reason = realUnavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

let kernel: Kernel;
let compared = 0;

/** The same packets, some of them lost, some doubled, some overtaken by a few others. */
function disturbed(packets: readonly KernelPacket[], dice: Dice): KernelPacket[] {
  const late = packets.flatMap((packet, i) => {
    const times = dice.weighted({ 0: 8, 1: 86, 2: 6 });
    return Array.from({ length: Number(times) }, () => ({
      packet,
      place: i + (dice.chance(10) ? dice.below(6) : 0),
    }));
  });
  return late.sort((a, b) => a.place - b.place).map(({ packet }) => packet);
}

/** Replays packets without their pauses and compares verdicts, events, counters and the table. */
async function replay(packets: readonly KernelPacket[]): Promise<void> {
  await kernel.reset();
  const run = await kernel.replay(packets);
  const { differences, engine } = compareEvents(run, packets, ACCT);
  expect(differences).toEqual([]);
  expect(compareTables(-1, run.table, engine.table(), 0.2)).toEqual([]);
  expect(compareCounters(run.table, engine)).toEqual([]);
  expect(run.table.length).toBeGreaterThan(0);
  compared += packets.length;
}

async function replayCapture(file: string): Promise<void> {
  const packets = capturedPackets(file);
  await replay(packets);
  for (let n = 0; n < 3; n++) await replay(disturbed(packets, new Dice(SEED * 100 + n)));
}

describe.skipIf(!kernelUsable())('the engine agrees with the kernel on captures', () => {
  beforeAll(async () => {
    console.log(`captures: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true, events: true, sysctls: ACCT });
  });
  afterAll(async () => {
    console.log(`captures: ${compared} packets compared`);
    await kernel.close();
  });

  test.each(examples)('examples/%s, as captured and with losses, doubles and changed order', (name) =>
    replayCapture(join(EXAMPLES, name)),
  );

  describe.skipIf(!realUsable())('of real programs', () => {
    let dir: string;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'keepstate-real-'));
      await recordReal(dir);
    }, 120_000);
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    test.each(SCENARIOS.map(({ name }) => name))('%s', (name) => replayCapture(join(dir, `${name}.pcap`)));
  });
});
