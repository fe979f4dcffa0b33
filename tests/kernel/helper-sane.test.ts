import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import { SYN, TcpTalk, tcpPacket } from './dialogue-tcp.ts';
import { differences, many, SEED } from './helper-run.ts';
import { Chance, endsOf, helperRules, NATS, type Nat, openTalk } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const COUNT = 15;

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

const START = words(7, 1);

/** Requests and answers in any order, whole and cut; at last somebody comes to each port. */
function madTalk(seed: number, nat: Nat): Dialogue {
  const chance = new Chance(seed);
  const ends = endsOf(nat, 6566);
  const talk = openTalk(ends);
  for (let i = 0; i < 9; i++) {
    const reply = words(chance.of([0, 0, 0, 1]), chance.of([4000, 4001, 80, 0, 70000]), 1);
    switch (chance.below(7)) {
      case 0:
      case 1:
        talk.say(0, START);
        break;
      case 2:
        talk.say(0, words(chance.of([1, 3, 7]), 1).subarray(0, chance.of([3, 4, 8])));
        break;
      case 3:
        talk.ack(chance.of([0, 1]));
        break;
      case 4:
        talk.say(1, reply.subarray(0, chance.of([1, 7, 8])));
        break;
      case 5:
        talk.say(0, Buffer.concat([START, words(1)]));
        break;
      default:
        talk.say(1, reply);
    }
  }
  const { from, src, dst } = ends.client;
  for (const port of [4000, 4001])
    talk.packets.push({ from, bytes: tcpPacket(src, 9, dst, port, { flags: SYN, seq: 1, ack: 0 }) });
  return { sources: [helperRules('sane', 'tcp', [6566], nat)], packets: talk.packets };
}

describe.skipIf(!rulesUsable())('sane', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)(
    'requests and answers are read as in the kernel (%s)',
    { timeout: 120_000 },
    async (nat) => {
      const dialogues = many(COUNT, (i) => madTalk(SEED * 1000 + i, nat));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );

  test('request and answer may be cut in two anywhere', { timeout: 120_000 }, async () => {
    const reply = words(0, 4000, 1);
    const dialogues = Array.from({ length: 18 }, (_, i): Dialogue => {
      const talk = openTalk(endsOf('none', 6566));
      if (i < 7)
        talk
          .say(0, START.subarray(0, i + 1))
          .say(0, START.subarray(i + 1))
          .say(1, reply);
      else
        talk
          .say(0, START)
          .say(1, reply.subarray(0, i - 6))
          .say(1, reply.subarray(i - 6));
      return { sources: [helperRules('sane', 'tcp', [6566], 'none')], packets: talk.packets };
    });
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test('over IPv6 too', async () => {
    const [src, dst] = ['fd00:1::5', '2001:db8:9::1'];
    const talk = new TcpTalk(
      { from: 'eth1', src, sport: 4000, dst, dport: 6566 },
      { from: 'eth0', src: dst, sport: 6566, dst: src, dport: 4000 },
    );
    talk
      .open()
      .say(0, START)
      .say(1, words(0, 4000, 1));
    talk.packets.push({
      from: 'eth1',
      bytes: tcpPacket(src, 9, dst, 4000, { flags: SYN, seq: 1, ack: 0 }),
    });
    const dialogue = { sources: [helperRules('sane', 'tcp', [6566], 'none')], packets: talk.packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });
});
