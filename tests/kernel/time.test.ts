import { describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { compareTime } from './compare-time.ts';
import { Kernel, kernelUsable } from './oracle.ts';
import { weave } from './talk.ts';
import { randomTalks } from './talks-random.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));

function sysctls(seconds: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(seconds).map(([name, s]) => [`nf_conntrack_${name}`, s]));
}

const SHORT = sysctls({
  udp_timeout: 1,
  udp_timeout_stream: 2,
  gre_timeout: 1,
  gre_timeout_stream: 2,
  icmp_timeout: 1,
  icmpv6_timeout: 2,
  generic_timeout: 1,
  sctp_timeout_closed: 1,
  sctp_timeout_cookie_wait: 2,
  sctp_timeout_cookie_echoed: 3,
  sctp_timeout_established: 3,
  sctp_timeout_shutdown_sent: 1,
  sctp_timeout_shutdown_recd: 2,
  sctp_timeout_shutdown_ack_sent: 1,
  sctp_timeout_heartbeat_sent: 2,
  tcp_timeout_syn_sent: 2,
  tcp_timeout_syn_recv: 1,
  tcp_timeout_established: 3,
  tcp_timeout_fin_wait: 2,
  tcp_timeout_close_wait: 1,
  tcp_timeout_last_ack: 2,
  tcp_timeout_time_wait: 1,
  tcp_timeout_close: 1,
  tcp_timeout_max_retrans: 1,
  tcp_timeout_unacknowledged: 2,
});
const LONG = sysctls({
  udp_timeout: 3,
  udp_timeout_stream: 1,
  gre_timeout: 3,
  gre_timeout_stream: 1,
  icmp_timeout: 3,
  icmpv6_timeout: 1,
  generic_timeout: 3,
  sctp_timeout_closed: 3,
  sctp_timeout_cookie_wait: 1,
  sctp_timeout_cookie_echoed: 1,
  sctp_timeout_established: 2,
  sctp_timeout_shutdown_sent: 3,
  sctp_timeout_shutdown_recd: 1,
  sctp_timeout_shutdown_ack_sent: 2,
  sctp_timeout_heartbeat_sent: 3,
  tcp_timeout_syn_sent: 3,
  tcp_timeout_syn_recv: 2,
  tcp_timeout_established: 5,
  tcp_timeout_fin_wait: 1,
  tcp_timeout_close_wait: 3,
  tcp_timeout_last_ack: 1,
  tcp_timeout_time_wait: 3,
  tcp_timeout_close: 2,
  tcp_timeout_max_retrans: 3,
  tcp_timeout_unacknowledged: 1,
});

describe.skipIf(!kernelUsable())('as time goes by', () => {
  test.concurrent.each([
    ['short', SHORT, 250, false],
    ['long', LONG, 250, false],
    ['short, watched', SHORT, 60, true],
    ['long, watched', LONG, 60, true],
  ] as const)('%s', async (_name, settings, count, dumpEvery) => {
    const plan = weave(randomTalks(new Dice(SEED), count, 8000));
    const kernel = await Kernel.open({ events: true, sysctls: settings });
    const run = await kernel.replay(plan.packets, { dumpEvery });
    await kernel.close();
    const c = compareTime(plan, run, settings);
    console.log(_name, c.packets, c.expired, c.unsure.length, run.elapsedMs);
    if (process.env.TALK) {
      const n = plan.talks.findIndex((t) => t.name === process.env.TALK);
      plan.packets.forEach((p, i) => {
        if (plan.owners[i] === n)
          console.log(
            run.times[i],
            JSON.stringify(run.verdicts[i]),
            Buffer.from(p.bytes).toString('hex'),
            JSON.stringify(
              run
                .events![i]!.filter(
                  (e) =>
                    e.entry.original.src === plan.talks[n]!.host ||
                    e.entry.original.dst === plan.talks[n]!.host,
                )
                .map((e) => [e.type, e.entry.timeout, e.entry.tcp?.state]),
            ),
          );
      });
    }
    expect(c.differences.slice(0, 10)).toEqual([]);
  });
});
