/** What single H.323 messages do, against the kernel's helpers. Each case was a measurement first. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialogue, reportDialogue } from './dialogue.ts';
import { type End, TcpTalk, udpPacket } from './dialogue-tcp.ts';
import type { Plain } from './h323-encode.ts';
import * as M from './h323-messages.ts';
import { SCENES } from './h323-scenes.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

const PLAIN: readonly Source[] = SCENES[0]!.sources;
/** Source translation to PUBLIC. */
const HIDDEN: readonly Source[] = SCENES[2]!.sources;

const [IN, OUT, PUBLIC] = ['192.168.1.5', '198.51.100.7', '203.0.113.2'];

/** A connection from inside to a callee outside, which sees the caller at `seen`. */
function talk(seen = IN, n = 0): TcpTalk {
  const client: End = { from: 'eth1', src: IN, sport: 40000 + n, dst: OUT, dport: 1720 };
  const server: End = { from: 'eth0', src: OUT, sport: 1720, dst: seen, dport: 40000 + n };
  return new TcpTalk(client, server).open();
}

const up = (bytes: Uint8Array): RulePacket => ({
  from: 'eth1',
  bytes: udpPacket(IN, 1719, OUT, 1719, bytes),
});
const down =
  (seen: string) =>
  (bytes: Uint8Array): RulePacket => ({ from: 'eth0', bytes: udpPacket(OUT, 1719, seen, 1719, bytes) });

const media = (rtp: number | null, rtcp: number | null): Plain =>
  M.h2250(rtp === null ? null : M.channel(IN, rtp), rtcp === null ? null : M.channel(IN, rtcp));
const open = (rtp: number | null, rtcp: number | null): Uint8Array =>
  M.h245('request', 'openLogicalChannel', M.openChannel(media(rtp, rtcp)));
const tunnel = (...messages: Uint8Array[]): Uint8Array =>
  M.call('facility', {}, { h245Tunnelling: true, h245Control: messages });
const setup = (port: number): Uint8Array => M.call('setup', { h245Address: M.transport(IN, port) });
const forward = (to: string, port: number): Uint8Array =>
  M.call('facility', { reason: { callForwarded: true }, alternativeAddress: M.transport(to, port) });
const register = (addresses: readonly Plain[], more: Record<string, Plain> = {}): Uint8Array =>
  M.ras('registrationRequest', {
    callSignalAddress: addresses,
    rasAddress: [M.transport(IN, 1719)],
    ...more,
  });
const LIFE = { timeToLive: 120, keepAlive: Uint8Array.of(0x80) };

/** By the name of what they show; `seen` is the caller's address outside. */
const CASES: Readonly<Record<string, (seen: string) => readonly RulePacket[]>> = {
  'an odd RTP port stands for its even neighbour': (seen) =>
    talk(seen).say(0, tunnel(open(6001, 7000))).packets,
  'the ports 0 and 65535 make no pair of their own': (seen) =>
    talk(seen).say(0, tunnel(open(0, 65535), open(65534, null))).packets,
  'a fifth tunnelled message is not read': (seen) =>
    talk(seen).say(0, tunnel(...[0, 2, 4, 6, 8].map((n) => open(6000 + n, null)))).packets,
  'a fifth channel is not translated': (seen) => {
    const t = talk(seen).say(0, tunnel(...[0, 2, 4, 6].map((n) => open(6000 + n, 6001 + n))));
    return t.say(0, tunnel(open(6008, 6009))).say(0, tunnel(open(6002, 6003))).packets;
  },
  'of twelve channels the oldest expectations go': (seen) => {
    const fastStart = Array.from({ length: 12 }, (_, i) => M.openChannel(media(6000 + 2 * i, null)));
    return talk(seen).say(0, M.call('setup', { fastStart })).packets;
  },
  'two callers with the same RTP port': (seen) => [
    ...talk(seen).say(0, tunnel(open(6000, 6001))).packets,
    ...talk(seen, 1).say(0, tunnel(open(6000, 6001))).packets,
  ],
  'the ends of a setup are shown as the callee sees them': (seen) =>
    talk(seen).say(
      0,
      M.call('setup', {
        sourceCallSignalAddress: M.transport('192.168.1.6', 1720),
        destCallSignalAddress: M.transport('8.8.8.8', 1720),
      }),
    ).packets,
  'a call is forwarded to either side': (seen) =>
    [IN, OUT, '10.1.2.3', '8.8.8.8'].flatMap(
      (to, n) =>
        talk(seen, n)
          .say(0, forward(to, 1725 + n))
          .say(1, forward(to, 1735 + n)).packets,
    ),
  'an endpoint registers, twice, with a loopback address, and leaves': (seen) => [
    up(register([M.transport(IN, 1720)], LIFE)),
    down(seen)(M.ras('registrationConfirm', { callSignalAddress: [M.transport(OUT, 1720)] })),
    up(register([M.transport('127.0.0.1', 1), M.transport(IN, 1720)])),
    up(M.ras('unregistrationRequest', { callSignalAddress: [M.transport(IN, 1720)] })),
  ],
  'a lifetime is read only with something behind it': () => [
    up(register([M.transport(IN, 1720)], { timeToLive: 60 })),
    up(register([M.transport(IN, 1721)], LIFE)),
  ],
  'of a list ten addresses are looked at, of fastStart thirty channels': (seen) => {
    const others = (n: number): Plain[] => Array.from({ length: n }, () => M.transport('9.9.9.9', 9));
    const fastStart = Array.from({ length: 32 }, (_, i) => M.openChannel(media(6000 + 2 * i, null)));
    return [
      up(register([...others(9), M.transport(IN, 1720)])),
      up(register([...others(10), M.transport(IN, 1721)])),
      ...talk(seen).say(0, M.call('setup', { fastStart })).packets,
    ];
  },
  'an admission names either end': (seen) => [
    up(register([M.transport(IN, 1720)])),
    up(M.ras('admissionRequest', { srcCallSignalAddress: M.transport(IN, 1720) })),
    ...[OUT, seen, IN, '8.8.8.8'].map((to) =>
      down(seen)(M.ras('admissionConfirm', { destCallSignalAddress: M.transport(to, 1720) })),
    ),
  ],
};

describe.skipIf(!rulesUsable())('H.323, message by message', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  const check = async (dialogue: Dialogue): Promise<void> => {
    expect(await reportDialogue(kernel, dialogue)).toBe(null);
  };

  for (const [name, packets] of Object.entries(CASES)) {
    test(name, () => check({ sources: PLAIN, packets: packets(IN) }));
    test(`${name}, behind translation`, () => check({ sources: HIDDEN, packets: packets(PUBLIC) }));
  }

  test('two callers who wish for one port of H.245: the second is dropped', () =>
    check({
      sources: PLAIN,
      packets: [...talk().say(0, setup(5000)).packets, ...talk(IN, 1).say(0, setup(5000)).packets],
    }));

  test('behind translation the second gets another port, which the kernel draws at random', async () => {
    const packets = [
      ...talk(PUBLIC).say(0, setup(5000)).packets,
      ...talk(PUBLIC, 1).say(0, setup(5000)).say(0, setup(5000)).packets,
    ];
    // Only the range is compared, and that it stays.
    const run = await kernel.run({ sources: HIDDEN, packets, tables: 'end' });
    const ports = run.outcomes.flatMap(({ tracked }) =>
      tracked!.events.filter(({ type }) => type === 'NEW').map(({ expect }) => expect.tuple.dport),
    );
    expect(ports).toHaveLength(3);
    expect(ports[0]).toBe(5000);
    expect(ports[1]).toBeGreaterThan(5000);
    expect(ports[2]).toBe(ports[1]);
  });
});
