import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { compareEvents } from './compare-events.ts';
import { Kernel, kernelUsable } from './oracle.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RUN = 20_000;

type Traffic = { next(): Uint8Array };
const TRAFFIC: Readonly<Record<string, (dice: Dice) => Traffic>> = {
  tcp: (dice) => new TcpTraffic(dice),
  'tcp, few connections': (dice) => new TcpTraffic(dice, 4),
  sctp: (dice) => new SctpTraffic(dice),
  mixed: (dice) => new MixedTraffic(dice),
};

describe.skipIf(!kernelUsable())('the engine tells its sink what the kernel tells ctnetlink', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ stages: true, events: true });
  });
  afterAll(() => kernel.close());

  test.each([
    ['tcp', 1],
    ['tcp, few connections', 1],
    ['sctp', 1],
    ['mixed', 2],
  ])('on %s traffic: type, tuples, state, status and timeout of each event', async (kind, runs) => {
    for (let run = 0; run < runs; run++) {
      const traffic = TRAFFIC[kind]!(new Dice(SEED * 100 + run));
      const packets = Array.from({ length: RUN }, () => ({ bytes: traffic.next() }));
      await kernel.reset();
      const { differences, events } = compareEvents(await kernel.replay(packets), packets);
      console.log(kind, events);
      expect(differences, `seed ${SEED} run ${run}`).toEqual([]);
    }
  });
});
