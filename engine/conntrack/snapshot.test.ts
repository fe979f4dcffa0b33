import { describe, expect, test } from 'vitest';
import { FTP_HELPER } from '../helper/ftp.ts';
import { Talk } from '../helper/testing.mts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { IP_CT_ESTABLISHED } from '../packet/packet.ts';
import { readFlow } from './flow-record.ts';
import { F_MASTER, ROW_WORDS } from './flow-table.ts';
import { LINUX_2_4 } from './profile.ts';
import { restore } from './restore.ts';
import { Snapshot, snapshot } from './snapshot.ts';
import { crc32 } from './snapshot-crc.ts';
import { FRAME, PRELUDE, SECTION_END, SNAPSHOT_VERSION, SnapshotError } from './snapshot-format.ts';
import { stream, tcp, udp, udp6, Wire } from './testing.mts';

/** Both directions' packets of UDP flows from a port on. */
function open(wire: Wire, from: number, count: number): void {
  for (let port = from; port < from + count; port++) wire.receive(udp(port));
}

/** Ports of a table's flows, in order. */
function ports(wire: Wire): number[] {
  return wire
    .flows()
    .map((flow) => flow.original.sport!)
    .sort((a, b) => a - b);
}

/** Another wire with what one has, so many ms later. */
function restored(
  from: Wire,
  later = 0,
  bytes = snapshot(from.ct),
): { wire: Wire; counts: ReturnType<typeof restore> } {
  const wire = new Wire();
  wire.now = from.now + later;
  const counts = restore(wire.ct, bytes, { now: wire.now });
  return { wire, counts };
}

/** Takes a snapshot in slices. @param between called after each */
function sliced(wire: Wire, rows: number, between: (slice: number) => void): Uint8Array {
  const one = new Snapshot(wire.ct);
  const bytes: number[] = [];
  for (let slice = 0; ; slice++) {
    const more = one.next(rows);
    if (more === null) return Uint8Array.from(bytes);
    for (const byte of more) bytes.push(byte);
    between(slice);
  }
}

/** A table with flows of all kinds, two masters of which one is gone, and an expectation. */
function busy(): Wire {
  const wire = new Wire({ nf_conntrack_acct: 1, nf_conntrack_timestamp: 1 });
  wire.receive(tcp(1, 2));
  wire.receive(tcp(1, 0x12, true));
  wire.receive(udp6(3));
  stream(wire, 4);
  wire.ct.labels(1)[2] = 5;
  let flow = 0;
  wire.ct.eachFlow((row) => {
    flow = row;
  });
  wire.ct.extend(flow).helper = FTP_HELPER;
  wire.ct.extend(flow).data = FTP_HELPER.start!();
  const spec = { master: flow, family: 2, proto: 17, source: null, sourcePort: null, timeout: 50_000 };
  wire.ct.expect({ ...spec, destination: [0x0a090909], destinationPort: 99 });
  wire.receive(udpPacket({ src: '10.7.7.7', dst: '10.9.9.9', sport: 5, dport: 99 }));
  wire.ct.expect({ ...spec, destination: [0x0a090909], destinationPort: 100 });
  return wire;
}

describe('a snapshot', () => {
  test('of an empty table restores an empty table, and its ids go on', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.ct.flush();
    const { wire: other, counts } = restored(wire);
    expect([counts.flows, counts.expectations]).toEqual([0, 0]);
    other.receive(udp(2));
    expect(other.flows()[0]!.flowId).toBe(2);
  });

  test('keeps every field of every flow, expectation and label', () => {
    const before = busy();
    const { wire, counts } = restored(before);
    expect(counts).toMatchObject({
      flows: 4,
      masters: 0,
      expectations: 1,
      expired: 0,
      taken: 0,
      unknownHelpers: [],
    });
    expect(wire.flows()).toEqual(before.flows());
    expect(wire.ct.expectations.all().map((one) => one.tuple[2]! & 0xffff)).toEqual([100]);
    expect([...wire.ct.labels(1)]).toEqual([0, 0, 5, 0]);
    expect(wire.told()).toEqual([]);
  });

  test('lets timers go on while it lies in a file, and leaves out what has run out', () => {
    const before = new Wire();
    open(before, 1, 2);
    before.wait(10_000);
    before.receive(udp(2));
    const { wire, counts } = restored(before, 25_000);
    expect(counts).toMatchObject({ flows: 1, expired: 1 });
    expect(wire.flows()[0]!.timeout).toBe(5000);
    wire.wait(5000);
    expect(wire.told()).toEqual(['DESTROY 40000 expired']);
  });

  test('stops timers while the clock goes back, those of UDP streams too', () => {
    const before = new Wire();
    before.receive(udp(1));
    before.receive(udp(1, true));
    const { wire } = restored(before, -500_000);
    expect(wire.flows()[0]!.timeout).toBe(30_000);
    wire.wait(2001);
    wire.receive(udp(1));
    expect(wire.flows()[0]!.timeout).toBe(120_000);
  });

  test('keeps a master that is gone as long as its flow is there', () => {
    const before = busy();
    const child = before.flows().find((flow) => flow.master !== null)!;
    let master = 0;
    before.ct.eachFlow((row) => {
      if (readFlow(before.ct, row).flowId === child.master) master = row;
    });
    before.ct.delete(master);
    const { wire, counts } = restored(before);
    expect(counts).toMatchObject({ flows: 3, masters: 1, expectations: 0 });
    expect(wire.flows()).toEqual(before.flows());
    expect(wire.ct.table.count).toBe(4);
    wire.wait(500_000);
    expect(wire.ct.table.count).toBe(0);
    expect(wire.ct.pool.size).toBe(0);
  });

  test('keeps a master that has run out meanwhile as long as its flow is there', () => {
    const before = busy();
    const master = before.flows().find((flow) => flow.helper === 'ftp')!;
    before.wait(1);
    before.ct.eachFlow((row) => {
      if (readFlow(before.ct, row).flowId === master.flowId) before.ct.setTimeout(row, 10);
    });
    const { wire, counts } = restored(before, 20);
    expect(counts).toMatchObject({ flows: 3, masters: 1, expired: 2, expectations: 0 });
    expect(wire.flows().find((flow) => flow.master !== null)!.master).toBe(master.flowId);
  });

  test('that is not the last one lets connections go on that went on behind it, and says so of their windows', () => {
    const before = new Wire();
    before.receive(tcp(1, 2));
    before.receive(tcp(1, 0x12, true));
    before.receive(tcp(1, 0x10));
    const bytes = snapshot(before.ct);
    const ends = { src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 80, flags: 0x10 };
    const ahead = tcpPacket({ ...ends, seq: 50_000_000, ack: 501, window: 10, payload: 100 });
    for (const isLast of [true, false]) {
      const wire = new Wire();
      wire.now = before.now;
      restore(wire.ct, bytes, { now: wire.now, isLast: () => isLast });
      expect(wire.receive(ahead).reason === 0).toBe(!isLast);
    }
  });

  test('of a profile without windows lets connections go on where windows are followed', () => {
    const before = new Wire({}, LINUX_2_4);
    for (const [flags, back] of [
      [2, false],
      [0x12, true],
      [0x10, false],
    ] as const)
      before.receive(tcp(1, flags, back));
    const { wire } = restored(before);
    const ends = { src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 80, flags: 0x10 };
    // Scaled windows that nobody knows the scale of: far ahead of what was acknowledged.
    for (const seq of [101, 1_000_000, 200, 50_000_000]) {
      const pkt = wire.receive(tcpPacket({ ...ends, seq, ack: 501, window: 10, payload: 100 }));
      expect([pkt.ctinfo, pkt.reason]).toEqual([IP_CT_ESTABLISHED, 0]);
    }
    expect(restored(wire).wire.flows()).toEqual(wire.flows());
  });

  test('does not put in flows whose tuples are taken', () => {
    const before = new Wire();
    open(before, 1, 3);
    const wire = new Wire();
    wire.receive(udp(2));
    const counts = restore(wire.ct, snapshot(before.ct), { now: wire.now });
    expect(counts).toMatchObject({ flows: 2, taken: 1 });
    expect(ports(wire)).toEqual([1, 2, 3]);
  });

  test('tells of helpers that are not there, and leaves their flows without', () => {
    const wire = new Wire();
    wire.ct.helpers = [];
    const counts = restore(wire.ct, snapshot(busy().ct), { now: wire.now });
    expect(counts).toMatchObject({ flows: 4, unknownHelpers: ['ftp'] });
    expect(wire.flows().every((flow) => flow.helper === null)).toBe(true);
  });

  test('maps the devices of masqueraded flows', () => {
    const before = new Wire();
    open(before, 1, 1);
    before.ct.table.words[ROW_WORDS + 31]! |= 7 << 16;
    const wire = new Wire();
    const device = (meta: unknown, saved: number): number => (meta as number) + saved;
    restore(wire.ct, snapshot(before.ct, 100), { now: wire.now, device });
    expect((wire.ct.table.words[ROW_WORDS + 31]! >> 16) & 0xfff).toBe(107);
  });
});

describe('a snapshot in slices', () => {
  test('is the same as one at once if nothing happens between them', () => {
    const wire = new Wire();
    open(wire, 1, 500);
    const bytes = sliced(wire, 7, () => {});
    expect(restored(wire, 0, bytes).wire.flows()).toEqual(restored(wire).wire.flows());
  });

  test('has exactly the flows that are there when the last slice is taken', () => {
    const wire = new Wire();
    open(wire, 1, 300);
    let next = 1000;
    let there: number[] = [];
    const bytes = sliced(wire, 16, (slice) => {
      there = ports(wire);
      // Rows of those that go are taken by those that come, before and behind what was written.
      let i = 0;
      wire.ct.eachFlow((row) => {
        if (i++ % 11 === slice % 11) wire.ct.delete(row);
      });
      if (slice < 40) open(wire, next, 9);
      next += 9;
    });
    const { wire: other, counts } = restored(wire, 0, bytes);
    expect(counts.taken).toBe(0);
    expect(ports(other)).toEqual(there);
  });

  test('never parts a flow from its master', () => {
    for (let stop = 0; stop < 12; stop++) {
      const wire = busy();
      open(wire, 100, 40);
      let ended = false;
      const bytes = sliced(wire, 5, (slice) => {
        if (slice !== stop || ended) return;
        ended = true;
        const child = wire.flows().find((flow) => flow.master !== null)!;
        wire.ct.eachFlow((row) => {
          if (readFlow(wire.ct, row).flowId === child.master) wire.ct.delete(row);
        });
      });
      const { wire: other } = restored(wire, 0, bytes);
      expect(other.flows().filter((flow) => flow.master !== null)).toHaveLength(1);
      other.ct.flush();
      expect(other.ct.table.count).toBe(0);
    }
  });

  test('follows a chain of masters however long it is', () => {
    const wire = new Wire();
    const rows = 20_000;
    for (let i = 1; i <= rows; i++)
      wire.receive(udpPacket({ src: '10.0.0.1', dst: `10.1.${i >> 8}.${i & 255}`, sport: 9, dport: 9 }));
    for (let row = 1; row < rows; row++) wire.ct.bindMaster(row, row + 1);
    const { wire: other } = restored(wire);
    expect(other.ct.table.count).toBe(rows);
    expect(other.flows().filter((flow) => flow.master === null)).toHaveLength(1);
    expect(other.ct.table.words[other.ct.table.limit * ROW_WORDS - ROW_WORDS + F_MASTER]).not.toBe(0);
  });
});

/** What restoring says of bytes; the table must be as empty as before if that is an error. */
function trouble(bytes: Uint8Array, wire = new Wire()): SnapshotError | null {
  const before = wire.ct.nextFlowId;
  try {
    restore(wire.ct, bytes, { now: wire.now });
    return null;
  } catch (error) {
    // expect() alone would take most of the time.
    const { table, expectations, pool, nextFlowId } = wire.ct;
    if (table.count + expectations.count + pool.size !== 0 || nextFlowId !== before)
      throw new Error('changed');
    if (!(error instanceof SnapshotError)) throw error;
    return error;
  }
}

/** Makes all checksums fit again, as far as sections can be told. */
function repaired(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  let check = 0;
  for (let at = PRELUDE; at + FRAME <= bytes.length; ) {
    const stop = at + 8 + view.getUint32(at + 4, true);
    if (stop + 4 > bytes.length) break;
    if (view.getUint32(at, true) === SECTION_END) return withEnd(bytes, at, stop, check);
    view.setInt32(stop, crc32(bytes, at, stop), true);
    check = crc32(bytes, stop, stop + 4, check);
    at = stop + 4;
  }
  return bytes;
}

/** The same with an end that names another checksum of all. */
function withEnd(bytes: Uint8Array, at: number, stop: number, check: number): Uint8Array {
  const text = String.fromCharCode(...bytes.subarray(at + 8, stop)).replace(
    /"check":-?\d+/,
    `"check":${check}`,
  );
  const made = new Uint8Array(at + FRAME + text.length);
  made.set(bytes.subarray(0, at + 8));
  const view = new DataView(made.buffer);
  view.setUint32(at + 4, text.length, true);
  for (let i = 0; i < text.length; i++) made[at + 8 + i] = text.charCodeAt(i);
  view.setInt32(made.length - 4, crc32(made, at, made.length - 4), true);
  return made;
}

describe('a damaged snapshot', () => {
  const whole = snapshot(busy().ct);

  test('that is cut off anywhere is refused, and nothing is restored', () => {
    const wire = new Wire();
    for (let length = 0; length < whole.length; length++) {
      const error = trouble(whole.slice(0, length), wire);
      expect(error?.message, `cut at ${length}`).toMatch(/^byte \d+: expected /);
      expect(error!.offset).toBeLessThanOrEqual(length);
    }
  });

  test('with any bit flipped is refused, and nothing is restored', () => {
    const wire = new Wire();
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const { message } = trouble(bytes, wire) ?? { message: '' };
      if (!/^byte \d+: expected /.test(message))
        expect(message, `bit ${bit}`).toMatch(/^byte \d+: expected /);
    }
  });

  test('with bytes behind its end is refused', () => {
    const bytes = new Uint8Array(whole.length + 3);
    bytes.set(whole);
    expect(trouble(bytes)!.message).toBe(`byte ${whole.length}: expected nothing more, found 3 bytes`);
  });

  test('of another version is refused by that', () => {
    const bytes = whole.slice();
    bytes[16] = SNAPSHOT_VERSION + 1;
    expect(trouble(bytes)!.message).toContain(
      `byte 16: expected version ${SNAPSHOT_VERSION}, not ${SNAPSHOT_VERSION + 1}`,
    );
  });

  test('whose checksums fit is refused or restored, and never trips up a packet', () => {
    let restoredOnes = 0;
    for (let i = 0; i < 1000; i++) {
      const bytes = whole.slice();
      for (let n = 0; n <= i % 3; n++)
        bytes[20 + ((i * 7919 + n * 104_729) % (bytes.length - 20))] = (i * 31 + n * 17) & 255;
      const wire = new Wire();
      try {
        restore(wire.ct, repaired(bytes), { now: wire.now });
      } catch (error) {
        expect(error).toBeInstanceOf(SnapshotError);
        expect(wire.ct.table.count).toBe(0);
        continue;
      }
      restoredOnes++;
      wire.receive(tcp(1, 0x10));
      wire.receive(udp(4));
      wire.flows();
      wire.wait(1_000_000);
    }
    expect(restoredOnes).toBeGreaterThan(10);
  });
});

test('crc32 is the one of ISO 3309', () => {
  const bytes = Uint8Array.from('123456789', (c) => c.charCodeAt(0));
  expect(crc32(bytes, 0, 9) >>> 0).toBe(0xcbf43926);
  expect(crc32(bytes, 4, 9, crc32(bytes, 0, 4)) >>> 0).toBe(0xcbf43926);
});

test('a helper’s talk goes on in a firewall of another seed', () => {
  const talk = new Talk('ftp', 'tcp', 21);
  talk.up('USER x\r\n');
  const before = talk.firewall.conntrack;
  talk.firewall = new (talk.firewall.constructor as new (o: object) => typeof talk.firewall)({ seed: 99 });
  restore(talk.firewall.conntrack, snapshot(before), { now: talk.now });
  talk.up('PORT 10,0,0,1,4,1\r\n');
  expect(talk.expected()).toEqual(['tcp 198.51.100.1 > 10.0.0.1:1025 300']);
});
