import { readFileSync } from 'node:fs';
import { CaptureReader, CaptureRecord, LINE_ROOM, LineWriter, pageWriter, Settings } from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { LastGone, PacketReport } from '../report.ts';
import { Session } from '../session.ts';
import { connection, datagram, pcap, segment, type Timed } from '../testing/captures.ts';
import { TraceStyle, writeTraceLine } from './trace-line.ts';
import { QuickTrace } from './trace-line-quick.ts';

const out = pageWriter();

/** Traces a capture, each line both ways; returns how many packets were for the quick one. */
function bothWays(capture: Uint8Array, colour = false, profile?: Settings): number {
  const session = new Session({ settings: profile ?? new Settings(), seed: 1, noTime: false, at: null });
  const style = new TraceStyle(false, colour);
  const gone = new LastGone(session);
  const report = new PacketReport();
  const quick = new QuickTrace(session, style, report, gone);
  const reader = new CaptureReader('a capture');
  reader.push(capture);
  const record = new CaptureRecord();
  const usual = new LineWriter();
  let count = 0;
  while (reader.next(record)) {
    const verdict = session.receive(record);
    out.at = 0;
    if (!quick.write(out, record, verdict)) {
      expect(out.at).toBe(0);
      continue;
    }
    count++;
    usual.at = 0;
    usual.room(LINE_ROOM);
    report.fill(session, verdict, gone);
    writeTraceLine(usual, session, report, record, style, null, '');
    expect(out.toString()).toBe(usual.toString());
  }
  return count;
}

describe('the quick way to a line of trace', () => {
  test('writes what the usual way writes, of most packets of real captures', () => {
    for (const name of ['http', 'ftp']) {
      const capture = readFileSync(new URL(`../../examples/${name}.pcap`, import.meta.url));
      const packets = bothWays(capture);
      expect(packets).toBeGreaterThan(5);
      expect(bothWays(capture, true)).toBe(packets);
    }
  });

  test('takes every packet of a connection and of an exchange over UDP', () => {
    const packets: Timed[] = [...connection(), ...connection(1, 1001)];
    packets.push(
      { at: 3, bytes: datagram('10.0.0.1', '10.0.0.2', 9, 53) },
      { at: 3.5, bytes: datagram('10.0.0.2', '10.0.0.1', 53, 9) },
    );
    expect(bothWays(pcap(packets))).toBe(packets.length);
  });

  test('writes the same however much time goes by, to the microsecond, forwards and backwards', () => {
    const gaps = [
      1e-6, 0.9999999, 1.0000004, 59.999999, 0.1, 99_998.5, 3, 899_000.25, 100, 2e7, -5, 3e8, -4e8,
    ];
    let at = 0;
    const packets = gaps.flatMap((gap, i) => {
      at += gap;
      return connection(at, 2000 + i);
    });
    expect(bothWays(pcap(packets))).toBeGreaterThan(packets.length / 3);
  });

  test('leaves to the usual way what is INVALID, refused or of no flow', () => {
    const bad = [
      { at: 1, bytes: segment('client', 'ACK', 0x7fffffff, 5001) },
      { at: 2, bytes: segment('client', 'SYN FIN', 1, 1, { port: 9 }) },
      { at: 3, bytes: new Uint8Array(9) },
    ];
    expect(bothWays(pcap([...connection().slice(0, 3), ...bad]))).toBe(3);
  });
});
