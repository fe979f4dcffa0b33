import { beforeAll, describe, expect, test } from 'vitest';
import { udpPacket } from '../../engine/packet/build.ts';
import { Dice } from '../traffic/dice.ts';
import { compareTime, type TimeComparison } from './compare-time.ts';
import { Kernel, type KernelRun, kernelUsable } from './oracle.ts';
import { hosts, type Plan, type Talk, weave } from './talk.ts';
import { DIRECTED, DIRECTED_LENGTH, DIRECTED_SYSCTLS } from './talks-directed.ts';
import { randomTalks } from './talks-random.ts';

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
/** Length of the random conversations (ms). */
const LENGTH = 6000;

type Sysctls = Readonly<Record<string, number>>;

const TIMERS: readonly string[] = [
  ...['udp_timeout', 'udp_timeout_stream', 'gre_timeout', 'gre_timeout_stream'],
  ...['icmp_timeout', 'icmpv6_timeout', 'generic_timeout'],
  ...['closed', 'cookie_wait', 'cookie_echoed', 'established'].map((state) => `sctp_timeout_${state}`),
  ...['shutdown_sent', 'shutdown_recd', 'shutdown_ack_sent'].map((state) => `sctp_timeout_${state}`),
  ...['heartbeat_sent'].map((state) => `sctp_timeout_${state}`),
  ...['syn_sent', 'syn_recv', 'established', 'fin_wait', 'close_wait'].map((state) => `tcp_timeout_${state}`),
  ...['last_ack', 'time_wait', 'close'].map((state) => `tcp_timeout_${state}`),
  ...['max_retrans', 'unacknowledged'].map((name) => `tcp_timeout_${name}`),
];

/** Every timer 1, 2 or 3 s. */
function randomTimers(dice: Dice): Sysctls {
  return Object.fromEntries(TIMERS.map((name) => [`nf_conntrack_${name}`, dice.between(1, 3)]));
}

async function replay(plan: Plan, sysctls: Sysctls, dumpEvery: boolean): Promise<KernelRun> {
  const kernel = await Kernel.open({ events: true, sysctls });
  try {
    return await kernel.replay(plan.packets, { dumpEvery });
  } finally {
    await kernel.close();
  }
}

/** Whether the machine kept the pauses of every conversation (to 200 ms), so that its course is the known one. */
function steady(plan: Plan, run: KernelRun): boolean {
  return plan.talks.every(({ steps }, owner) => {
    const times = plan.owners.flatMap((n, i) => (n === owner ? [run.times[i]!] : []));
    return steps.every(({ at }, n) => Math.abs(times[n]! - times[0]! - (at - steps[0]!.at)) < 200);
  });
}

interface Result {
  readonly run: KernelRun;
  readonly comparison: TimeComparison;
}

/** Real time costs the same for one conversation and for hundreds: all replays of this file go on at once. */
describe.skipIf(!kernelUsable())('as time goes by, the engine agrees with the kernel', () => {
  // The last packet, of two hosts that nothing else concerns, makes the replay long enough.
  const [src, dst] = hosts(9999);
  const last: Talk = {
    name: 'end',
    host: src,
    steps: [{ at: DIRECTED_LENGTH, bytes: udpPacket({ src, dst, sport: 1, dport: 1 }) }],
  };
  const directedPlan = weave([...DIRECTED, last]);
  const random = [0, 1].map((n) => {
    const dice = new Dice(SEED * 100 + n);
    const sysctls = randomTimers(dice);
    return {
      sysctls,
      plan: weave(randomTalks(dice, 200, LENGTH)),
      watched: weave(randomTalks(dice, 40, LENGTH)),
    };
  });
  let directed: Result;
  let unwatched: readonly Result[];
  let watched: readonly Result[];

  beforeAll(async () => {
    console.log(`time: KEEPSTATE_SEED=${SEED}`);
    const result = async (plan: Plan, sysctls: Sysctls, dumpEvery = false): Promise<Result> => {
      const run = await replay(plan, sysctls, dumpEvery);
      return { run, comparison: compareTime(plan, run, sysctls) };
    };
    const once = async (): Promise<Result> => {
      const first = await result(directedPlan, DIRECTED_SYSCTLS);
      return steady(directedPlan, first.run) ? first : result(directedPlan, DIRECTED_SYSCTLS);
    };
    const runs = await Promise.all([
      once(),
      ...random.map(({ plan, sysctls }) => result(plan, sysctls)),
      ...random.map((side) => result(side.watched, side.sysctls, true)),
    ]);
    directed = runs[0]!;
    unwatched = runs.slice(1, 1 + random.length);
    watched = runs.slice(1 + random.length);
  }, 60_000);

  test.each(DIRECTED.map((talk, n) => [talk.name, n] as const))('%s', (name, n) => {
    const talk = DIRECTED[n]!;
    const { run, comparison } = directed;
    const states = run.verdicts.filter((_, i) => directedPlan.owners[i] === n).map(({ state }) => state);
    expect(states, 'the kernel').toEqual(talk.says);
    const left = run.table.some(({ original }) => [original.src, original.dst].includes(talk.host));
    expect(left, 'the kernel keeps it').toBe(talk.stays);
    expect(comparison.unsure).not.toContain(name);
    expect(comparison.differences.filter((difference) => difference.talk === name)).toEqual([]);
  });

  test('on random conversations: verdicts, events and entries that ran out', () => {
    for (const [n, { comparison }] of unwatched.entries()) {
      expect(comparison.differences.slice(0, 10), `seed ${SEED} run ${n}`).toEqual([]);
      expect(comparison.packets).toBeGreaterThan(600);
      expect(comparison.expired).toBeGreaterThan(100);
    }
  });

  test('on random conversations: every entry and its timer after each packet, and when it ran out', () => {
    for (const [n, { comparison }] of watched.entries()) {
      expect(comparison.differences.slice(0, 10), `seed ${SEED} run ${n}`).toEqual([]);
      expect(comparison.packets).toBeGreaterThan(100);
      expect(comparison.expired).toBeGreaterThan(20);
    }
  });
});
