import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SYSCTLS } from '../../engine/conntrack/settings.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SctpTraffic } from '../traffic/sctp.ts';
import { TcpTraffic } from '../traffic/tcp.ts';
import { compare } from './compare.ts';
import { Kernel, kernelUsable } from './oracle.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. Printed, so that a failure can be repeated. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));

/** A run stays well under 2 s of the kernel's time, when UDP flows become streams. */
const RUN = 25_000;
/** The same where the table is read after each packet. */
const DUMPED = 250;

type Traffic = { next(): Uint8Array };
const TRAFFIC: Readonly<Record<string, (dice: Dice) => Traffic>> = {
  tcp: (dice) => new TcpTraffic(dice),
  'tcp, few connections': (dice) => new TcpTraffic(dice, 4),
  sctp: (dice) => new SctpTraffic(dice),
  mixed: (dice) => new MixedTraffic(dice),
};

function packets(kind: string, seed: number, count: number): { bytes: Uint8Array }[] {
  const traffic = TRAFFIC[kind]!(new Dice(seed));
  return Array.from({ length: count }, () => ({ bytes: traffic.next() }));
}

describe.skipIf(!kernelUsable())('the engine agrees with the kernel', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`agreement: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true });
  });
  afterAll(() => kernel.close());

  test.each([
    ['tcp', 2],
    ['tcp, few connections', 1],
    ['sctp', 1],
    ['mixed', 4],
  ])('on %s traffic: state, direction, status, reason of each packet, and the table', async (kind, runs) => {
    for (let run = 0; run < runs; run++) {
      const differences = await compare(kernel, packets(kind, SEED * 100 + run, RUN));
      expect(differences, `seed ${SEED} run ${run}`).toEqual([]);
    }
  });

  test.each([
    ['tcp', 'nf_conntrack_tcp_be_liberal', 1],
    ['tcp', 'nf_conntrack_tcp_loose', 0],
    ['tcp', 'nf_conntrack_tcp_ignore_invalid_rst', 1],
    ['tcp', 'nf_conntrack_tcp_max_retrans', 1],
    ['mixed', 'nf_conntrack_checksum', 0],
    ['mixed', 'nf_conntrack_udp_timeout', 7],
  ])('on %s traffic with %s=%i', async (kind, name, value) => {
    const sysctls = { [name]: value };
    const differences = await compare(kernel, packets(kind, SEED * 100 + 50, 10_000), { sysctls });
    expect(differences, `seed ${SEED}`).toEqual([]);
  });

  test.each(['tcp', 'sctp', 'mixed'])(
    'on the timer of every entry after each packet of %s traffic, whatever the timeouts are',
    async (kind) => {
      const dice = new Dice(SEED);
      const timeouts = SYSCTLS.filter(
        (s) => s.unit === 'seconds' && s.name.startsWith('nf_conntrack_') && s.classic !== true,
      );
      const sysctls = Object.fromEntries(timeouts.map((s) => [s.name, dice.between(20, 2000)]));
      for (let run = 0; run < 4; run++) {
        const some = packets(kind, SEED * 100 + 70 + run, DUMPED);
        const differences = await compare(kernel, some, { dumpEvery: true, sysctls });
        expect(differences, `seed ${SEED} run ${run}`).toEqual([]);
      }
    },
  );

  test.each(['tcp', 'sctp', 'mixed'])(
    'on every entry of the table after each packet of %s traffic',
    async (kind) => {
      // Short ones: the table is read after each packet, and a UDP flow that is two seconds old to the jiffy may be a
      // stream for one of the two only.
      for (let run = 0; run < 6; run++) {
        const some = packets(kind, SEED * 100 + 60 + run, DUMPED);
        expect(await compare(kernel, some, { dumpEvery: true }), `seed ${SEED} run ${run}`).toEqual([]);
      }
    },
  );
});
