import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logLine } from '../../engine/hook/log-line.ts';
import { dissect } from '../../engine/packet/dissect.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { OddTraffic } from './odd-traffic.ts';
import { hostModel } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
/** What each rule asks for, and the bits that it means. */
const FLAGS: readonly (readonly [string, number])[] = [
  ['', 0],
  ['flags tcp sequence,options', 3],
  ['flags ip options', 4],
  ['flags all', 47],
];
const PREFIX = `L${process.pid}`;
const RULES = FLAGS.map(([text], i) => `  log prefix "${PREFIX}${i} " ${text}\n`).join('');
const CHAIN = ` chain c { type filter hook prerouting priority -450\n  meta mark set 0x2a\n${RULES}  drop\n }\n`;
const TEXT = `table ip t {\n${CHAIN}}\ntable ip6 t {\n${CHAIN}}\n`;

describe.skipIf(!rulesUsable())("the kernel's log", () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    console.log(`log lines: KEEPSTATE_SEED=${SEED}`);
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  test('has the same line about every packet, whole, cut short or odd', { timeout: 120_000 }, async () => {
    const dice = new Dice(SEED);
    const sources = [new MixedTraffic(dice), new OddTraffic(dice)];
    const packets = Array.from({ length: 3000 }, () => ({
      bytes: dice.pick(sources).next(),
      from: 'eth0' as const,
    }));
    const run = await kernel.run({ sources: [{ kind: 'nft', text: TEXT }], packets });
    expect(run.loaded.map((step) => step.stderr).join('')).toBe('');
    const host = hostModel();
    const pkt = new Packet();
    let lines = 0;
    for (const [i, { bytes }] of packets.entries()) {
      const theirs = run.outcomes[i]!.log.filter((line) => line.includes(PREFIX));
      if (theirs.length === 0) continue;
      resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
      dissect(pkt);
      pkt.ifin = 2;
      pkt.mark = 0x2a;
      const ours = FLAGS.map(([, flags], k) => `<4>${logLine(host, pkt, `${PREFIX}${k} `, flags)}`);
      expect(ours, Buffer.from(bytes).toString('hex')).toEqual(theirs);
      lines += theirs.length;
    }
    console.log(`${lines} lines compared`);
    expect(lines).toBeGreaterThan(10_000);
  });
});
