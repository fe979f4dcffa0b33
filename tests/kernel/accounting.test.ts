import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { compareCounters } from './compare-accounting.ts';
import { compareEvents } from './compare-events.ts';
import { Kernel, kernelUsable } from './oracle.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const RUN = 20_000;
const ACCT = { nf_conntrack_acct: 1 };

type Traffic = { next(): Uint8Array };
const TRAFFIC: Readonly<Record<string, (dice: Dice) => Traffic>> = {
  tcp: (dice) => new TcpTraffic(dice),
  sctp: (dice) => new SctpTraffic(dice),
  mixed: (dice) => new MixedTraffic(dice),
};

describe.skipIf(!kernelUsable())('the engine counts what the kernel counts', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ stages: true, events: true, sysctls: ACCT });
  });
  afterAll(() => kernel.close());

  test.each(['tcp', 'sctp', 'mixed'])(
    'on %s traffic: packets and bytes of every flow, those included that ended on the way',
    async (kind) => {
      const traffic = TRAFFIC[kind]!(new Dice(SEED * 100 + 20));
      const packets = Array.from({ length: RUN }, () => ({ bytes: traffic.next() }));
      await kernel.reset();
      const run = await kernel.replay(packets);
      const { differences, engine } = compareEvents(run, packets, ACCT);
      expect(differences, `seed ${SEED}`).toEqual([]);
      expect(compareCounters(run.table, engine), `seed ${SEED}`).toEqual([]);
    },
  );
});
