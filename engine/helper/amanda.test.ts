import { expect, test } from 'vitest';
import { udpPacket } from '../packet/build.ts';
import { bytesOf } from './payload.ts';
import { OUTER, Talk } from './testing.mts';

function answered(text: string): string[] {
  const talk = new Talk('amanda', 'udp', 10080);
  talk.up('REQ');
  expect(talk.down(text).text).toBe(text);
  return talk.expected().map((one) => one.replace('tcp 10.0.0.1 > 198.51.100.1:', ''));
}

test('amanda: the ports of an answer’s CONNECT line are expected, each stream once', () => {
  expect(answered('REP\nCONNECT DATA 50000 MESG 50001 INDEX 50002\n')).toEqual([
    '50000 180',
    '50001 180',
    '50002 180',
  ]);
  expect(answered('CONNECT STATE 9 DATA 7 DATA 8\nCONNECT MESG 6\n')).toEqual(['7 180', '9 180']);
});

test('amanda: a bad port ends the reading, a line without its end is not read', () => {
  expect(answered('CONNECT DATA 1 MESG 0 INDEX 3\n')).toEqual(['1 180']);
  expect(answered('CONNECT DATA x INDEX 3\n')).toEqual([]);
  expect(answered('CONNECT DATA 1')).toEqual([]);
  expect(answered('connect DATA 1\n')).toEqual([]);
});

test('amanda: five digits of a port are read, modulo 65536', () => {
  expect(answered('CONNECT DATA 123456 MESG 65537\n')).toEqual(['12345 180', '1 180']);
});

test('amanda: an answer keeps the exchange for five minutes, the client’s next packet for UDP’s time', () => {
  const talk = new Talk('amanda', 'udp', 10080);
  talk.up('REQ');
  talk.down('ACK');
  expect(talk.flows()[0]!.timeout).toBe(300_000);
  talk.up('ACK');
  expect(talk.flows()[0]!.timeout).toBe(30_000);
});

test('amanda: ports are written anew under translation, without zeros in front', () => {
  const talk = new Talk('amanda', 'udp', 10080, { masqueraded: true });
  talk.up('REQ');
  expect(talk.down('CONNECT DATA 007 MESG 8\n').text).toBe('CONNECT DATA 7 MESG 8\n');
  expect(talk.expected()).toHaveLength(2);
});

/** What is left for a second exchange, whose stream DATA the first one expects already. */
function second(text: string, masqueraded: boolean): [string | null, number] {
  const talk = new Talk('amanda', 'udp', 10080, { masqueraded });
  talk.up('REQ');
  talk.down('CONNECT DATA 65535\n');
  const ends = { src: talk.client, sport: 4001, dst: talk.server, dport: 10080 };
  const outer = masqueraded ? OUTER : talk.client;
  talk.packet(0, udpPacket({ ...ends, payload: bytesOf('REQ') }));
  const back = { src: ends.dst, sport: ends.dport, dst: outer, dport: ends.sport, payload: bytesOf(text) };
  return [talk.packet(1, udpPacket(back)).text, talk.expected().length];
}

test('amanda: a stream that cannot be expected drops the answer, but all others are expected', () => {
  const text = 'CONNECT DATA 65535 MESG 7 INDEX 8\n';
  expect(second(text, false)).toEqual([null, 3]);
});

test('amanda: under translation the last stream decides whether the answer is dropped', () => {
  const first = 'CONNECT DATA 65535 MESG 7\n';
  expect(second(first, true)).toEqual([first, 2]);
  expect(second('CONNECT DATA 7 MESG 65535\n', true)).toEqual([null, 2]);
});

test('amanda: a port that grows under translation costs the last one of its line a digit', () => {
  const talk = new Talk('amanda', 'udp', 10080, { masqueraded: true });
  talk.up('REQ');
  talk.down('CONNECT DATA 9999 MESG 8\n');
  const ends = { src: talk.client, sport: 4001, dst: talk.server, dport: 10080 };
  talk.packet(0, udpPacket({ ...ends, payload: bytesOf('REQ') }));
  const back = { src: ends.dst, sport: ends.dport, dst: OUTER, dport: ends.sport };
  talk.packet(1, udpPacket({ ...back, payload: bytesOf('CONNECT DATA 9999 MESG 3012\n') }));
  const [, , data, message] = talk.expected().map((one) => Number(/:(\d+) 180$/.exec(one)![1]));
  // Another port than 9999 is drawn at random above it.
  expect(data).toBeGreaterThan(9999);
  expect(message).toBe(301);
});
