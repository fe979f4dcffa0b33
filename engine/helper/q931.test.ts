import { expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { TH_ACK, TH_PUSH, TH_SYN } from '../packet/tcp.ts';
import { OUTER, Talk } from './testing.mts';

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));

/**
 * A Setup of 10.0.0.5: h245Address with port 5000, fastStart with one channel of G.711 at 6000 and 6001. This is what
 * tests/kernel/h323-messages.ts writes, and Linux reads it so.
 */
const SETUP = bytesOf(
  '03000090080212340504038893a52803616c007e007a0500f0060008914a0004000a00000513880240040061006c00690063006501801234' +
    '22c0b500534c0470686f6e650031000101801234000102030405060708090a0b0c0d0e0f1000c910000011000102030405060708090a0b0c' +
    '0d0e0f101b01190000640c60138011140001000a0000051770000a0000051771',
);
/** OpenLogicalChannel of H.245 with the same channel. */
const OPEN = bytesOf('0300001e030000640c60138011140001000a0000051770000a0000051771');

const CLIENT = { client: '10.0.0.5', server: '198.51.100.7' };

const call = (masqueraded = false): Talk => new Talk('Q.931', 'tcp', 1720, { ...CLIENT, masqueraded });

/** The same octets with the caller's address replaced by the one that it is masqueraded with. */
function shown(message: Uint8Array): string {
  const inner = '\x0a\0\0\x05';
  const outer = OUTER.split('.').map(Number);
  return String.fromCharCode(...message).replaceAll(inner, String.fromCharCode(...outer));
}

test('a setup tells of its control channel and of its media', () => {
  const talk = call();
  expect(talk.up(SETUP).text).toBe(String.fromCharCode(...SETUP));
  expect(talk.expected()).toEqual([
    'tcp 198.51.100.7 > 10.0.0.5:5000 240',
    'udp 198.51.100.7 > 10.0.0.5:6000 240',
    'udp 198.51.100.7 > 10.0.0.5:6001 240',
  ]);
});

test('behind translation it tells of the outer address, in the message too', () => {
  const talk = call(true);
  expect(talk.up(SETUP).text).toBe(shown(SETUP));
  expect(talk.expected()).toEqual([
    `tcp 198.51.100.7 > ${OUTER}:5000 240`,
    `udp 198.51.100.7 > ${OUTER}:6000 240`,
    `udp 198.51.100.7 > ${OUTER}:6001 240`,
  ]);
});

test('a setup that names the address of another is let through and not believed', () => {
  const talk = call();
  const foreign = Uint8Array.from(SETUP);
  foreign[foreign.indexOf(5, 30)] = 6;
  talk.up(foreign);
  expect(talk.expected().some((line) => line.startsWith('tcp'))).toBe(false);
});

test('a header in a segment of its own belongs to the next one', () => {
  const talk = call();
  talk.up(SETUP.subarray(0, 4));
  expect(talk.expected()).toEqual([]);
  talk.up(SETUP.subarray(4));
  expect(talk.expected()).toHaveLength(3);
});

test('a message in two other pieces is not put together', () => {
  const talk = call();
  talk.up(SETUP.subarray(0, 50));
  talk.up(SETUP.subarray(50));
  expect(talk.expected()).toEqual([]);
});

test('the control channel that was told of is read in turn', () => {
  const talk = call();
  talk.up(SETUP);
  const ends = { src: '198.51.100.7', dst: '10.0.0.5', sport: 30000, dport: 5000 };
  const back = { src: ends.dst, dst: ends.src, sport: ends.dport, dport: ends.sport };
  talk.packet(1, tcpPacket({ ...ends, flags: TH_SYN, seq: 1 }));
  talk.packet(0, tcpPacket({ ...back, flags: TH_SYN | TH_ACK, seq: 1, ack: 2 }));
  talk.packet(1, tcpPacket({ ...ends, flags: TH_ACK, seq: 2, ack: 2 }));
  const opened = Uint8Array.from(OPEN);
  opened.set([0x1f, 0x40], opened.length - 9);
  opened.set([0x1f, 0x41], opened.length - 2);
  talk.packet(0, tcpPacket({ ...back, flags: TH_ACK | TH_PUSH, seq: 2, ack: 2, payload: opened }));
  expect(talk.flows().map(({ helper }) => helper)).toEqual(['Q.931', 'H.245']);
  expect(talk.expected().slice(-2)).toEqual([
    'udp 198.51.100.7 > 10.0.0.5:8000 240',
    'udp 198.51.100.7 > 10.0.0.5:8001 240',
  ]);
});

test('of a second channel that is expected already by another call the packet is dropped', () => {
  const talk = call();
  talk.up(SETUP);
  const ends = { src: '10.0.0.5', dst: '198.51.100.7', sport: 4001, dport: 1720 };
  const back = { src: ends.dst, dst: ends.src, sport: ends.dport, dport: ends.sport };
  talk.packet(0, tcpPacket({ ...ends, flags: TH_SYN, seq: 1 }));
  talk.packet(1, tcpPacket({ ...back, flags: TH_SYN | TH_ACK, seq: 1, ack: 2 }));
  talk.packet(0, tcpPacket({ ...ends, flags: TH_ACK, seq: 2, ack: 2 }));
  const heard = talk.packet(0, tcpPacket({ ...ends, flags: TH_ACK, seq: 2, ack: 2, payload: SETUP }));
  expect(heard.text).toBe(null);
});

/** {@link SETUP} with other information elements in front of the user-user one. */
function behind(...elements: readonly number[]): Uint8Array {
  const rest = SETUP.subarray(19);
  const length = 9 + elements.length + rest.length;
  return Uint8Array.of(3, 0, length >> 8, length & 255, ...SETUP.subarray(4, 9), ...elements, ...rest);
}

test.each([
  ['one of a single octet first', [0xa1, 4, 1, 2], 3],
  ['nothing', [], 3],
  ['two of a single octet', [0xa1, 0xa1], 0],
  ['a single octet later, taken for a longer one', [4, 1, 2, 0xa1, 1, 9], 3],
])('before the user-user information: %s', (_, elements, count) => {
  const talk = call();
  talk.up(behind(...elements));
  expect(talk.expected()).toHaveLength(count);
});

/** An Alerting with these H.245 messages tunnelled in it. */
function tunnelled(...messages: readonly (readonly number[])[]): Uint8Array {
  const control = messages.flatMap((message) => [message.length, ...message]);
  const head = bytesOf('052340060008914a000422c0b500534c0470686f6e65003100c0a80105177006c001');
  const information = [...head, 0x80, control.length + 1, messages.length, ...control];
  const start = [
    8,
    2,
    0x12,
    0x34,
    5,
    0x7e,
    information.length >> 8,
    information.length & 255,
    ...information,
  ];
  return Uint8Array.of(3, 0, (start.length + 4) >> 8, (start.length + 4) & 255, ...start);
}

/** OpenLogicalChannel of H.245, as it stands behind {@link OPEN}'s header, at 10.0.0.5:6000. */
const CHANNEL: readonly number[] = [...OPEN.subarray(4)];

test('an H.245 message that no one reads is passed over, whatever its length says', () => {
  const talk = call();
  // A request, its first addition (communicationModeRequest), with a length of 127.
  talk.up(tunnelled([0x10, 0, 0x7f], CHANNEL));
  expect(talk.expected().map((line) => line.slice(0, 3))).toEqual(['udp', 'udp']);
});

test('behind translation a medium at port 1 is left alone: Linux tries no port 0', () => {
  const media = Uint8Array.from(SETUP);
  for (const at of [SETUP.length - 9, SETUP.length - 2]) media.set([0, 1], at);
  const talk = call(true);
  talk.up(media);
  expect(talk.expected()).toEqual([`tcp 198.51.100.7 > ${OUTER}:5000 240`]);
  const untranslated = call();
  untranslated.up(media);
  expect(untranslated.expected()).toHaveLength(3);
});
