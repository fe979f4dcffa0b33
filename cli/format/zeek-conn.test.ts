import { AF_INET, Packet, resetPacket, tcpPacket, udpPacket } from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { ZeekConn } from './zeek-conn.ts';

const TCP = 6;
const UDP = 17;
const BITS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, A: 16 };

function packetOf(bytes: Uint8Array): Packet {
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  pkt.family = AF_INET;
  pkt.l4 = 20;
  return pkt;
}

interface Step {
  readonly reply: boolean;
  readonly flags: string;
  readonly seq: number;
  readonly length?: number;
  readonly window?: number;
}

/** A TCP connection out of steps, a tenth of a second apart. */
function played(...steps: readonly Step[]): ZeekConn {
  const conn = new ZeekConn(1, TCP, 0);
  for (const [i, { reply, flags, seq, length = 0, window = 1000 }] of steps.entries()) {
    const bits = [...flags].reduce((sum, f) => sum | BITS[f]!, 0);
    const ends = reply
      ? { src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 9 }
      : { src: '10.0.0.1', dst: '10.0.0.2', sport: 9, dport: 80 };
    conn.add(
      packetOf(tcpPacket({ ...ends, flags: bits, seq, window, payload: new Uint8Array(length) })),
      reply,
      i * 100,
    );
  }
  return conn;
}

const SYN = { reply: false, flags: 'S', seq: 100 };
const SYNACK = { reply: true, flags: 'SA', seq: 500 };
const ACK = { reply: false, flags: 'A', seq: 101 };
const REQUEST = { reply: false, flags: 'A', seq: 101, length: 10 };
const ANSWER = { reply: true, flags: 'A', seq: 501, length: 20 };
const FIN = { reply: false, flags: 'FA', seq: 111 };
const FIN_BACK = { reply: true, flags: 'FA', seq: 521 };
const RST = { reply: false, flags: 'RA', seq: 111 };
const RST_BACK = { reply: true, flags: 'RA', seq: 521 };

describe('the state of a connection in conn.log', () => {
  test.each<[string, string, readonly Step[]]>([
    ['S0', 'S', [SYN]],
    ['S1', 'Sh', [SYN, SYNACK]],
    ['S1', 'ShADd', [SYN, SYNACK, ACK, REQUEST, ANSWER]],
    ['SF', 'ShADdFf', [SYN, SYNACK, ACK, REQUEST, ANSWER, FIN, FIN_BACK]],
    ['SF', 'ShADdFfR', [SYN, SYNACK, ACK, REQUEST, ANSWER, FIN, FIN_BACK, RST]],
    ['REJ', 'Sr', [SYN, RST_BACK]],
    ['S2', 'ShADdF', [SYN, SYNACK, ACK, REQUEST, ANSWER, FIN]],
    ['S3', 'ShADdf', [SYN, SYNACK, ACK, REQUEST, ANSWER, FIN_BACK]],
    ['RSTO', 'ShADR', [SYN, SYNACK, ACK, REQUEST, RST]],
    ['RSTR', 'ShADr', [SYN, SYNACK, ACK, REQUEST, RST_BACK]],
    ['RSTOS0', 'SR', [SYN, RST]],
    ['SH', 'SF', [SYN, FIN]],
    ['OTH', 'ADd', [ACK, REQUEST, ANSWER]],
  ])('is %s with history %s', (state, history, steps) => {
    const conn = played(...steps);
    expect(conn.connState).toBe(state);
    expect(conn.history).toBe(history);
  });

  test('of UDP is SF with an answer and S0 without', () => {
    const bytes = udpPacket({
      src: '10.0.0.1',
      dst: '10.0.0.2',
      sport: 1,
      dport: 2,
      payload: new Uint8Array(7),
    });
    const conn = new ZeekConn(1, UDP, 0);
    conn.add(packetOf(bytes), false, 0);
    expect([conn.connState, conn.history, conn.bytesOf(conn.orig)]).toEqual(['S0', 'D', 7]);
    conn.add(packetOf(bytes), true, 5);
    expect([conn.connState, conn.history, conn.bytesOf(conn.resp)]).toEqual(['SF', 'Dd', 7]);
  });
});

describe('sizes in conn.log', () => {
  test('go by sequence numbers: what was sent twice counts once, and is a t in the history', () => {
    const conn = played(SYN, SYNACK, REQUEST, REQUEST);
    expect(conn.bytesOf(conn.orig)).toBe(10);
    expect(conn.orig.ipBytes).toBe(40 + 50 + 50);
    expect(conn.history).toBe('ShDT');
  });

  test('know what is missing, until it comes', () => {
    const gap = [SYN, SYNACK, { ...REQUEST, seq: 121 }];
    expect(played(...gap).orig.missed).toBe(20);
    const filled = played(...gap, { ...REQUEST, length: 20 });
    expect([filled.orig.missed, filled.bytesOf(filled.orig)]).toEqual([0, 30]);
  });

  test('do not stop at 2^32', () => {
    const start = 0xfffffff0;
    const conn = played(
      { ...SYN, seq: start - 1 },
      { ...REQUEST, seq: start, length: 32 },
      { ...REQUEST, seq: 16, length: 8 },
    );
    expect(conn.bytesOf(conn.orig)).toBe(40);
  });

  test('show a closed window as w', () => {
    expect(played(SYN, SYNACK, { ...ANSWER, length: 0, window: 0 }).history).toBe('Shaw');
  });
});
