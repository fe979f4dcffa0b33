import { expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { bytesOf } from './payload.ts';
import { OUTER, Talk } from './testing.mts';

/** 10.0.0.1 and 203.0.113.1 as the numbers that DCC has. */
const OWN = 167772161;
const OUT = 3405803777;

function said(line: string): string[] {
  const talk = new Talk('irc', 'tcp', 6667);
  expect(talk.up(line).text).toBe(line);
  return talk.expected();
}

test.each(['SEND f', 'CHAT chat', 'MOVE f', 'TSEND f', 'SCHAT f'])('irc: DCC %s names a port', (command) => {
  const line = `PRIVMSG bob :\x01DCC ${command} ${OWN} 5000\x01\r\n`;
  expect(said(line)).toEqual(['tcp any > 10.0.0.1:5000 300']);
});

test.each([
  ['the address of another', `PRIVMSG bob :\x01DCC SEND f ${OWN + 1} 5000\x01\r\n`],
  ['port 0', `PRIVMSG bob :\x01DCC SEND f ${OWN} 0\x01\r\n`],
  ['no newline', `PRIVMSG bob :\x01DCC SEND f ${OWN} 5000\x01`],
  ['a prefix', `:me PRIVMSG bob :\x01DCC SEND f ${OWN} 5000\x01\r\n`],
  ['another message', `NOTICE bob :\x01DCC SEND f ${OWN} 5000\x01\r\n`],
  ['a line before it', `PING x\r\nPRIVMSG bob :\x01DCC SEND f ${OWN} 5000\x01\r\n`],
  ['a resumption', `PRIVMSG bob :\x01DCC RESUME f ${OWN} 5000\x01\r\n`],
])('irc: %s makes nothing expected', (_, line) => {
  expect(said(line)).toEqual([]);
});

test('irc: numbers that are too long overflow as the kernel’s do', () => {
  const line = `PRIVMSG bob :\x01DCC SEND f ${OWN + 2 ** 32} ${65536 + 80}\x01\r\n`;
  expect(said(line)).toEqual(['tcp any > 10.0.0.1:80 300']);
});

test('irc: what lies behind 4095 bytes is not read', () => {
  const line = `PRIVMSG bob :\x01DCC SEND f ${OWN} 5000\x01\r\n`;
  expect(said(' '.repeat(4095 - line.length) + line)).toHaveLength(1);
  expect(said(' '.repeat(4096 - line.length) + line)).toEqual([]);
});

test('irc: a masqueraded client’s offer names the outer address, and everything later is shifted', () => {
  const talk = new Talk('irc', 'tcp', 6667, { masqueraded: true });
  const rest = ' 5000 1234\x01\r\n';
  const heard = talk.up(`PRIVMSG bob :\x01DCC SEND f ${OWN}${rest}`);
  expect(heard.text).toBe(`PRIVMSG bob :\x01DCC SEND f ${OUT}${rest}`);
  expect(talk.expected()).toEqual([`tcp any > ${OUTER}:5000 300`]);
  const sequence = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(24);
  const first = sequence(heard.bytes);
  const grown = heard.text!.length;
  expect(sequence(talk.up('PING\r\n').bytes)).toBe(first + grown);
});

test('irc: the ninth offer takes the place of the first', () => {
  const talk = new Talk('irc', 'tcp', 6667);
  for (let i = 0; i < 9; i++) talk.up(`PRIVMSG bob :\x01DCC SEND f ${OWN} ${5000 + i}\x01\r\n`);
  const ports = talk.expected().map((one) => Number(/:(\d+) /.exec(one)![1]));
  expect(ports).toEqual([5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008]);
});

test('irc: behind another DCC command the search for an offer goes on, behind one that cannot be read it ends', () => {
  const offer = `\x01DCC CHAT f ${OWN} 5000\x01\r\n`;
  expect(said(`PRIVMSG bob :\x01DCC RESUME f 1 2\x01\r\nPRIVMSG bob :${offer}`)).toHaveLength(1);
  expect(said(`PRIVMSG bob :\x01DCC SEND f x\x01\r\nPRIVMSG bob :${offer}`)).toEqual([]);
});

/** The checksum of a segment behind an offer that was made longer, which says something with that window. */
function checksumBehind(line: string, window: number): number {
  const talk = new Talk('irc', 'tcp', 6667, { masqueraded: true });
  const first = `PRIVMSG b :\x01DCC SEND f ${OWN} 5000\x01\r\n`;
  talk.up(first);
  const ends = { src: talk.client, dst: talk.server, sport: 4000, dport: 6667 };
  const numbers = { flags: 0x18, seq: 1001 + first.length, ack: 5001, window };
  const { bytes } = talk.packet(0, tcpPacket({ ...ends, ...numbers, payload: bytesOf(line) }));
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(36);
}

test.each([
  ['ffff in a segment that was changed', `PRIVMSG b :\x01DCC SEND f ${OWN} 5001\x01\r\n`, 0xffff],
  ['0 in one whose numbers alone were', 'PING x\r\n', 0],
])('irc: behind a change of length a checksum of 0 is %s', (_, line, checksum) => {
  const sum = 1000 + checksumBehind(line, 1000);
  // With this window the sum of all words is ffff.
  expect(checksumBehind(line, (sum & 0xffff) + (sum >>> 16))).toBe(checksum);
});
