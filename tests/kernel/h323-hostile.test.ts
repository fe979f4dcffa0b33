/** H.323 messages in pieces, cut short and damaged, against the kernel's helpers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { reportDialogue } from './dialogue.ts';
import { type End, TcpTalk, udpPacket } from './dialogue-tcp.ts';
import type { Plain } from './h323-encode.ts';
import * as M from './h323-messages.ts';
import { SCENES } from './h323-scenes.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';

const [IN, OUT, PUBLIC] = ['192.168.1.5', '198.51.100.7', '203.0.113.2'];
const TELLING: readonly string[] = ['setup', 'callProceeding', 'connect', 'alerting', 'facility', 'progress'];
/** Damaged messages of each kind. 54,000 were compared when this was written. */
const DAMAGED = 240;

function talk(seen = IN, n = 0): TcpTalk {
  const client: End = { from: 'eth1', src: IN, sport: 40000 + n, dst: OUT, dport: 1720 };
  const server: End = { from: 'eth0', src: OUT, sport: 1720, dst: seen, dport: 40000 + n };
  return new TcpTalk(client, server).open();
}

const media = (port: number): Plain => M.h2250(M.channel(IN, port), M.channel(IN, port + 1));
const stack: Record<string, Plain> = {
  separateStack: { networkAddress: { localAreaAddress: M.channel(IN, 1503) }, associateConference: false },
};

/** H.245 messages that open channels. */
const CONTROL: readonly Uint8Array[] = [
  M.h245('request', 'openLogicalChannel', M.openChannel(media(6000), media(7000), stack)),
  M.h245('request', 'openLogicalChannel', {
    forwardLogicalChannelNumber: 1,
    forward: M.dataChannel({ separateLANStack: true }, media(8000)),
    ...stack,
  }),
  M.h245('response', 'openLogicalChannelAck', M.openAck(media(6000), media(7000))),
  M.h245('response', 'openLogicalChannelAck', M.openAck(media(6000), media(7000), stack)),
];

/** Every kind of call signalling, with all that it can tell of. */
const SIGNALLING: readonly Uint8Array[] = [...TELLING, 'information', 'releaseComplete', 'empty'].map(
  (kind) => {
    const told: Record<string, Plain> = TELLING.includes(kind)
      ? { h245Address: M.transport(IN, 5000), fastStart: [M.openChannel(media(6000), media(7000))] }
      : {};
    const control = M.openChannel(media(8000));
    return M.userInformation(kind, told, {
      h245Tunnelling: true,
      h245Control: [M.h245('request', 'openLogicalChannel', control)],
    });
  },
);

/** RAS messages that something follows from. */
const RAS: readonly Uint8Array[] = [
  M.ras('gatekeeperConfirm', { rasAddress: M.transport('8.8.8.8', 1719) }),
  M.ras('registrationRequest', {
    callSignalAddress: [M.transport(IN, 1720)],
    rasAddress: [M.transport(IN, 1719)],
    timeToLive: 70000,
    keepAlive: Uint8Array.of(0x80),
  }),
  M.ras('registrationConfirm', { callSignalAddress: [M.transport(IN, 1720)] }),
  M.ras('unregistrationRequest', { callSignalAddress: [M.transport(IN, 1720)] }),
  M.ras('admissionRequest', { srcCallSignalAddress: M.transport(IN, 1720) }),
  M.ras('admissionConfirm', { destCallSignalAddress: M.transport('8.8.8.8', 1720) }),
  M.ras('locationConfirm', {
    callSignalAddress: M.transport('8.8.8.8', 1720),
    rasAddress: M.transport('8.8.8.9', 1719),
  }),
];

const overQ931 = (all: readonly Uint8Array[]): RulePacket[] =>
  all.reduce((t, one) => t.say(0, M.tpkt(M.q931(5, one))), talk()).packets;
const overTunnel = (all: readonly Uint8Array[]): RulePacket[] =>
  all.reduce((t, one) => t.say(0, M.call('facility', {}, { h245Control: [one] })), talk()).packets;
const overUdp = (all: readonly Uint8Array[]): RulePacket[] =>
  all.map((one) => ({ from: 'eth1', bytes: udpPacket(IN, 1719, OUT, 1719, one) }));

const KINDS = [
  ['call signalling', SIGNALLING, overQ931],
  ['H.245', CONTROL, overTunnel],
  ['RAS', RAS, overUdp],
] as const;

/** One to three bytes are other ones. */
function damaged(dice: Dice, message: Uint8Array): Uint8Array {
  const out = Uint8Array.from(message);
  for (let n = dice.between(1, 3); n > 0; n--) {
    const at = dice.below(out.length);
    out[at] = dice.chance(50) ? dice.below(256) : out[at]! ^ (1 << dice.below(8));
  }
  return out;
}

/** A setup in two segments, cut at each byte, each on a connection of its own with ports of its own. */
function splits(seen: string): RulePacket[] {
  const setup = (n: number): Uint8Array =>
    M.call('setup', {
      h245Address: M.transport(IN, 5000 + n),
      fastStart: [M.openChannel(media(6000 + 2 * n))],
    });
  return Array.from({ length: setup(0).length + 1 }, (_, n) => {
    const bytes = setup(n);
    return talk(seen, n).say(0, bytes.subarray(0, n)).say(0, bytes.subarray(n)).packets;
  }).flat();
}

/** Headers of RFC 1006 that say something else than what follows. */
function headers(): RulePacket[] {
  const one = (n: number): Uint8Array =>
    M.call(
      'facility',
      {},
      { h245Control: [M.h245('request', 'openLogicalChannel', M.openChannel(media(n)))] },
    );
  const [a, b] = [one(6000), one(7000)];
  const length = a.length;
  const segments: (readonly (readonly number[])[])[] = [
    [[...a, ...b]],
    [[...a, ...b.subarray(0, 4)], [...b.subarray(4)]],
    [[...a.subarray(0, 4)], [...a.subarray(4), ...b]],
    [[...a.subarray(0, 4)], [...b]],
    [[...a.subarray(0, 4)], [...b], [...a.subarray(4)]],
    [[...a.subarray(0, 4)], [3, 0, 0, 4], [...a.subarray(4)]],
    [[...a.subarray(0, 4)], [8], [...a.subarray(4)]],
    [[...a.subarray(0, 4)], [...a.subarray(4), 7, 7]],
    [[3, 0, 255, 255], [...a.subarray(4)]],
    [[2, 0, 0, length], [...a.subarray(4)]],
    ...[0, 3, 4, 5].map((n) => [[3, 0, 0, n, ...a]]),
    ...[-1, 1].map((by) => [[3, 0, 0, length + by, ...a.subarray(4)]]),
    [[3, 1, 0, length, ...a.subarray(4)]],
    [[9, 9, 9, 9, ...a]],
    [[...a, 9, 9, 9, 9, ...b]],
    ...[1, 3].map((n) => [[...a, ...b.subarray(0, n)]]),
  ];
  return segments.flatMap(
    (all, n) => all.reduce((t, bytes) => t.say(0, Uint8Array.from(bytes)), talk(IN, n)).packets,
  );
}

describe.skipIf(!rulesUsable())('H.323 in pieces and damaged', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  const check = async (packets: readonly RulePacket[], scene = 0): Promise<void> => {
    expect(await reportDialogue(kernel, { sources: SCENES[scene]!.sources, packets })).toBe(null);
  };

  test('a setup cut in two at every byte', () => check(splits(IN)));
  test('a setup cut in two at every byte, behind translation', () => check(splits(PUBLIC), 2));
  test('TPKT headers that lie', () => check(headers()));

  test('a checksum of 0 after translation is written as ffff', async () => {
    const hex = '2540060008914a0004503601801c011a030000640c6013801114000100c0a80105177000c8a801051771';
    const message = M.tpkt(M.q931(5, Buffer.from(hex, 'hex')));
    const window = (value: number): RulePacket[] =>
      talk(PUBLIC).send(0, 0x18, message, { window: value }).packets;
    const run = await kernel.run({ sources: SCENES[2]!.sources, packets: window(1000) });
    const checksum = Buffer.from(run.outcomes.at(-1)!.left[0]!.bytes).readUInt16BE(36);
    // The sum of all words becomes ffff.
    const sum = 1000 + checksum;
    await check(window((sum & 0xffff) + (sum >>> 16)), 2);
  });

  for (const [name, messages, wrap] of KINDS) {
    test(`${name} that ends too early, at every byte`, async () => {
      for (const message of messages)
        await check(wrap(Array.from(message, (_, end) => message.subarray(0, end))));
    });

    test(`damaged ${name}`, async () => {
      const dice = new Dice(name.length);
      await check(wrap(Array.from({ length: DAMAGED }, () => damaged(dice, dice.pick(messages)))));
    });
  }
});
