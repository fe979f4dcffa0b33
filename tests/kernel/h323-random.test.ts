/** H.323 messages of every shape that the tables of ASN.1 allow, and of some that they do not. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { H323_USER_INFORMATION } from '../../engine/helper/h225-call.ts';
import { RAS_MESSAGE } from '../../engine/helper/h225-ras.ts';
import { H245_MESSAGE } from '../../engine/helper/h245.ts';
import { Dice } from '../traffic/dice.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side } from './dialogue-live.ts';
import { addressBytes } from './dialogue-tcp.ts';
import * as M from './h323-messages.ts';
import { RandomPer } from './h323-random.ts';
import { SCENES } from './h323-scenes.ts';
import { differences, many, SEED } from './helper-run.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Dialogues of each kind, and messages in each: every one is on a flow of its own. */
const COUNT = 3;
const MESSAGES = 120;
/** Ports that one message may name. */
const PORTS = 40;
const MOST = 1200;

/** A message of a kind: `ports` are its own, and `ip` its sender's. */
type Make = (random: RandomPer, ip: string, port: number) => Uint8Array;

const KINDS: readonly (readonly [string, 'tcp' | 'udp', Make])[] = [
  ['RAS', 'udp', (random) => random.message(RAS_MESSAGE)],
  [
    'call signalling',
    'tcp',
    (random) => M.tpkt(M.q931(5, random.message(H323_USER_INFORMATION).subarray(0, MOST))),
  ],
  [
    'H.245, with another message behind it',
    'tcp',
    (random, ip, port) => {
      const channel = M.openChannel(M.h2250(M.channel(ip, port + 36), null));
      const next = M.h245('request', 'openLogicalChannel', channel);
      const h245Control = [random.message(H245_MESSAGE).subarray(0, MOST), next];
      return M.call(
        'alerting',
        { h245Address: M.transport(ip, port + 38) },
        { h245Tunnelling: true, h245Control },
      );
    },
  ],
];

function randomDialogue(seed: number, proto: 'tcp' | 'udp', make: Make): LiveDialogue {
  const dice = new Dice(seed);
  const scene = SCENES[0]!;
  const live = new LiveDialogue(scene.sources);
  for (let i = 0; i < MESSAGES; i++) {
    const src = `192.168.1.${5 + i}`;
    const side: Side = { ...scene.client(i, proto === 'udp' ? 1719 : 1720), src };
    const port = 2000 + PORTS * i;
    const message = make(new RandomPer(dice, addressBytes(src), port), src, port);
    if (proto === 'udp') liveUdp(live, side, Buffer.concat([message, dice.bytes(dice.below(8))]));
    else {
      const tcp = new LiveTcp(live, side, 'eth0', [1000, 2000]);
      tcp.open();
      tcp.say(0, message);
    }
  }
  return live;
}

describe.skipIf(!rulesUsable())('H.323 of any shape', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(KINDS)('%s: read as in the kernel', { timeout: 120_000 }, async (_name, proto, make) => {
    const dialogues = many(COUNT, (i) => randomDialogue(SEED * 1000 + i, proto, make));
    expect(await differences(kernel, dialogues)).toEqual([]);
  });
});
