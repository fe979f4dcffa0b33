/** Timers of no time at all: the kernel does not find such a flow again, not even in the same millisecond. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../../tests/kernel/compare.ts';
import { Kernel, kernelUsable } from '../../tests/kernel/oracle.ts';
import { Dice } from '../../tests/traffic/dice.ts';
import { MixedTraffic } from '../../tests/traffic/mix.ts';
import { SctpTraffic } from '../../tests/traffic/sctp.ts';
import { TcpTraffic } from '../../tests/traffic/tcp.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));

const TRAFFIC: Readonly<Record<string, (dice: Dice) => { next(): Uint8Array }>> = {
  mixed: (dice) => new MixedTraffic(dice),
  sctp: (dice) => new SctpTraffic(dice),
  tcp: (dice) => new TcpTraffic(dice, 4),
};

describe.skipIf(!kernelUsable())('a timer that has run out at once', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    console.log(`overdue: KEEPSTATE_SEED=${SEED}`);
    kernel = await Kernel.open({ stages: true });
  });
  afterAll(() => kernel.close());

  test.each([
    ['mixed', 'nf_conntrack_udp_timeout', 0],
    ['mixed', 'nf_conntrack_udp_timeout', -1],
    ['mixed', 'nf_conntrack_icmp_timeout', 0],
    ['mixed', 'nf_conntrack_generic_timeout', 0],
    ['sctp', 'nf_conntrack_sctp_timeout_closed', 0],
    ['tcp', 'nf_conntrack_tcp_timeout_syn_recv', 0],
    ['tcp', 'nf_conntrack_tcp_timeout_established', 0],
    ['tcp', 'nf_conntrack_tcp_timeout_unacknowledged', 0],
    ['tcp', 'nf_conntrack_tcp_timeout_close', -1],
  ])('on %s traffic with %s=%i: engine and kernel agree on every packet', async (kind, name, value) => {
    const traffic = TRAFFIC[kind]!(new Dice(SEED));
    const packets = Array.from({ length: 3000 }, () => ({ bytes: traffic.next() }));
    expect(await compare(kernel, packets, { sysctls: { [name]: value } }), `seed ${SEED}`).toEqual([]);
  });
});
