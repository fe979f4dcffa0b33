import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { udpPacket } from '../../engine/packet/build.ts';
import { fragmentIpv4, fragmentIpv6 } from '../../engine/packet/build-fragment.ts';
import { Dice } from '../traffic/dice.ts';
import {
  type ChainPair,
  log,
  logStates,
  type RulePair,
  sometimes,
  statement,
  tableOf,
  textOf,
} from './pipeline-rules.ts';
import { EngineRun } from './rules-engine.ts';
import { PacketGenerator } from './rules-gen-packet.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';
import { differing, fromHost, isFragment, kernelView, type PacketView } from './rules-view.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const;
const PROTOCOLS = [1, 6, 17, 58, 132];
const REJECTS = ['no-route', 'port-unreachable', 'host-unreachable', 'admin-prohibited'];

/** Without what a new namespace sends by itself: reports of multicast listeners. */
function withoutNoise(view: PacketView): PacketView {
  const noise = 'ff020000000000000000000000000016';
  // The kernel's log is the whole machine's.
  const log = view.log.filter((line) =>
    /^<4>(prerouting|input|forward|output|postrouting|nat_|raw)/.test(line),
  );
  return { ...view, log, left: view.left.filter((hex) => hex.slice(48, 80) !== noise) };
}

/** Fragments, whose way the ruleset oracle does not show, and options that routers write to. */
function isLeftOut(bytes: Uint8Array): boolean {
  const records = bytes[0]! >> 4 === 4 && (bytes[0]! & 15) > 5 && [68, 131, 137].includes(bytes[20]!);
  return isFragment(bytes) || records || (bytes[0]! >> 4 === 6 && bytes[40] === 44);
}

/** The identification of IPv6 fragments is drawn at random. */
function withoutFragmentId(hex: string): string {
  return hex.startsWith('6') && hex.slice(12, 14) === '2c'
    ? `${hex.slice(0, 88)}00000000${hex.slice(96)}`
    : hex;
}

/** What a rule may do with a packet at a hook. */
function ending(dice: Dice, proto: number, hook: ChainPair['hook']): RulePair {
  // In PREROUTING and POSTROUTING nft refuses reject; in OUTPUT the kernel drops what it would send to itself.
  if (hook === 'postrouting' || hook === 'output' || dice.chance(20))
    return statement(dice.pick(['drop', 'accept']));
  if (proto === 6 && dice.chance(60)) return statement('reject with tcp reset');
  return statement(`reject with icmpx type ${dice.pick(REJECTS)}`);
}

/** Chains at every hook that log what they see, and end the way of some packets. */
function ruleset(dice: Dice): ChainPair[] {
  const chains: ChainPair[] = [];
  for (const hook of HOOKS) {
    const rules: RulePair[] = [log(hook), ...logStates(hook)];
    for (let i = dice.below(4); i > 0; i--) {
      const proto = dice.pick(PROTOCOLS);
      rules.push(sometimes(proto, dice.below(4), ending(dice, proto, hook)));
    }
    const policy = dice.chance(10) ? 'drop' : 'accept';
    chains.push({
      name: `c_${hook}`,
      type: 'filter',
      hook,
      priority: dice.pick([-150, 0, 10]),
      policy,
      rules,
    });
  }
  const isRaw = dice.chance(30);
  if (isRaw) {
    const rules = [log('raw'), sometimes(17, dice.below(4), statement('notrack'))];
    chains.push({ name: 'raw', type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept', rules });
  }
  for (const hook of ['prerouting', 'postrouting', 'input', 'output'] as const) {
    if (!dice.chance(40)) continue;
    const priority = hook === 'prerouting' || hook === 'output' ? -100 : 100;
    const name = `nat_${hook}`;
    chains.push({ name, type: 'nat', hook, priority, policy: 'accept', rules: [log(name)] });
  }
  return chains;
}

describe.skipIf(!rulesUsable())('a packet comes past the rules as in the kernel', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    console.log(`pipeline: KEEPSTATE_SEED=${SEED}`);
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());

  test('hooks, their order, ct state there, hop limits, answers and their own way, on generated rulesets', {
    timeout: 300_000,
  }, async () => {
    const found: string[] = [];
    let packets = 0;
    let answers = 0;
    for (let round = 0; round < 150 && found.length < 5; round++) {
      const dice = new Dice(SEED * 1000 + round);
      const chains = ruleset(dice);
      const text = textOf(chains);
      const played: RulePacket[] = new PacketGenerator(dice, 46, text)
        .take(60)
        .filter((p) => !isLeftOut(p.bytes) && (p.from !== 'host' || fromHost(p.bytes)));
      const run = await kernel.run({ sources: [{ kind: 'nft', text }], packets: played });
      expect(run.loaded.map((step) => step.stderr).join('')).toBe('');
      const engine = new EngineRun([tableOf(chains)]);
      for (const [i, packet] of played.entries()) {
        const ours = engine.play(packet, 1_000_000);
        const theirs = withoutNoise(kernelView(run.outcomes[i]!, packet));
        packets++;
        answers += ours.left.length > 1 || ours.verdict === 'reject' ? 1 : 0;
        const fields = differing(theirs, ours, packet);
        if (fields.length === 0) continue;
        const show = (view: object): string => JSON.stringify(view, null, 1);
        found.push(
          `seed ${SEED * 1000 + round} packet ${i} from ${packet.from} ${Buffer.from(packet.bytes).toString('hex')}\n${fields}\nkernel ${show(theirs)}\nkeepstate ${show(ours)}\n${text}`,
        );
        break;
      }
    }
    expect(found.join('\n')).toBe('');
    console.log(`${packets} packets, ${answers} answers`);
    expect(answers).toBeGreaterThan(packets / 50);
  });

  test('fragments leave as they came, whatever their order was', { timeout: 60_000 }, async () => {
    const dice = new Dice(SEED);
    const text = textOf([
      { name: 'c', type: 'filter', hook: 'forward', priority: 0, policy: 'accept', rules: [] },
    ]);
    const played: RulePacket[] = [];
    for (let i = 0; i < 60; i++) {
      const v6 = dice.chance(50);
      const ends = v6
        ? { src: '2001:db8:5::1', dst: 'fd00:1::5' }
        : { src: '198.51.100.7', dst: '192.168.1.5' };
      const datagram = udpPacket({
        ...ends,
        sport: 1000 + i,
        dport: 53,
        payload: dice.between(60, 1400),
        ip: { id: i },
      });
      const sizes = Array.from({ length: dice.between(1, 4) }, () => 8 * dice.between(1, 120));
      const pieces = v6 ? fragmentIpv6(datagram, sizes, i) : fragmentIpv4(datagram, sizes);
      const order = dice.chance(50) ? pieces : pieces.reverse();
      played.push(...order.map((bytes) => ({ bytes, from: 'eth0' as const })));
    }
    await kernel.reset();
    const run = await kernel.run({ sources: [{ kind: 'nft', text }], packets: played });
    const engine = new EngineRun([tableOf([])]);
    let left = 0;
    for (const [i, packet] of played.entries()) {
      const theirs = withoutNoise(kernelView(run.outcomes[i]!, packet)).left.map(withoutFragmentId);
      const ours = engine.play(packet, 1_000_000).left.map(withoutFragmentId);
      expect(ours, `packet ${i}`).toEqual(theirs);
      left += ours.length;
    }
    expect(left).toBeGreaterThan(100);
  });
});
