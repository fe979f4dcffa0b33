import { describe, expect, test } from 'vitest';
import { FTP_HELPER } from '../helper/ftp.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { createFlow, type FlowSpec, labelsOf, updateFlow, zeroCounters } from './edit.ts';
import { createExpectation, findExpectation, flushExpectations } from './edit-expect.ts';
import { readFlow } from './flow-record.ts';
import { LINUX_2_4 } from './profile.ts';
import {
  IPS_ASSURED,
  IPS_EXPECTED,
  IPS_FIXED_TIMEOUT,
  IPS_SEEN_REPLY,
  IPS_SRC_NAT,
  statusNames,
} from './status.ts';
import { udp, Wire } from './testing.mts';

const ORIGINAL = { src: '10.0.0.1', dst: '10.1.0.1', sport: 5, dport: 53 };
const UDP: FlowSpec = { protonum: 17, original: ORIGINAL, timeout: 30_000 };
const TCP: FlowSpec = { ...UDP, protonum: 6, proto: { state: 3, flags: 0x0a, mask: 0x0a } };

/** Makes a flow that must be made. */
function made(wire: Wire, spec: FlowSpec): number {
  wire.ct.comeTo(wire.now);
  const flow = createFlow(wire.ct, spec);
  if (typeof flow === 'string') throw new Error(flow);
  return flow;
}

describe('createFlow', () => {
  test('makes a flow that its packets find, and tells of it as NEW with all that a command’s message has', () => {
    const wire = new Wire({ nf_conntrack_acct: 1, nf_conntrack_timestamp: 1 });
    wire.wait(1);
    const flow = made(wire, { ...UDP, mark: 7, status: IPS_SEEN_REPLY | IPS_ASSURED });
    expect(wire.told()).toEqual(['NEW REPLY ASSURED PROTOINFO HELPER MARK 1']);
    expect(readFlow(wire.ct, flow)).toMatchObject({
      original: ORIGINAL,
      reply: { src: '10.1.0.1', dst: '10.0.0.1', sport: 53, dport: 5 },
      timeout: 30_000,
      mark: 7,
      counters: { original: { packets: 0 } },
      start: wire.now,
    });
    const pkt = wire.receive(udp(5, true));
    expect(pkt.flow).toBe(flow);
    expect(readFlow(wire.ct, flow).counters?.reply.packets).toBe(1);
  });

  test('makes flows of IPv6, whose addresses are gone with them', () => {
    const wire = new Wire();
    made(wire, {
      ...UDP,
      original: { src: 'fd00::1', dst: 'fd00::2', sport: 1, dport: 2 },
      srcNat: { address: 'fd00::9', port: 7 },
    });
    expect(wire.flows()[0]!.reply).toEqual({ src: 'fd00::2', dst: 'fd00::9', sport: 2, dport: 7 });
    expect(wire.ct.pool.size).toBe(3);
    wire.ct.flush();
    expect(wire.ct.pool.size).toBe(0);
  });

  test.each<[string, Partial<FlowSpec>, string]>([
    ['the same again', {}, 'EEXIST'],
    [
      'one whose answers are another’s',
      {
        original: { ...ORIGINAL, src: '10.9.9.9' },
        reply: { src: '10.1.0.1', dst: '10.0.0.1', sport: 53, dport: 5 },
      },
      'EEXIST',
    ],
    ['addresses of two families', { original: { ...ORIGINAL, dst: 'fd00::1' } }, 'EINVAL'],
    ['no addresses', { original: { ...ORIGINAL, dst: 'host' } }, 'EINVAL'],
    [
      'a reply of another family',
      { original: { ...ORIGINAL, sport: 6 }, reply: { src: 'fd00::1', dst: 'fd00::2' } },
      'EINVAL',
    ],
    ['no protocol', { protonum: 300 }, 'EINVAL'],
    [
      'ICMP that nothing answers',
      { protonum: 1, original: { src: '10.0.0.1', dst: '10.0.0.2', type: 3, code: 0, id: 0 } },
      'EINVAL',
    ],
    [
      'ICMP of IPv6',
      { protonum: 1, original: { src: 'fd00::1', dst: 'fd00::2', type: 8, code: 0, id: 0 } },
      'EINVAL',
    ],
    [
      'a status that only packets bring about',
      { original: { ...ORIGINAL, sport: 6 }, status: IPS_EXPECTED },
      'EBUSY',
    ],
    ['a helper that is not there', { original: { ...ORIGINAL, sport: 6 }, helper: 'nope' }, 'EOPNOTSUPP'],
    ['a state that is none', { ...TCP, proto: { state: 10 } }, 'EINVAL'],
    ['a state of SCTP without tags', { protonum: 132, proto: { state: 4 } }, 'EINVAL'],
    [
      'a translation to another family',
      { original: { ...ORIGINAL, sport: 6 }, srcNat: { address: 'fd00::1', port: null } },
      'EINVAL',
    ],
  ])('refuses %s, and leaves nothing behind', (_name, spec, errno) => {
    const wire = new Wire();
    made(wire, UDP);
    wire.told();
    expect(createFlow(wire.ct, { ...UDP, ...spec })).toBe(errno);
    expect([wire.ct.table.count, wire.ct.pool.size, wire.told()]).toEqual([1, 0, []]);
    wire.receive(udp(9));
    expect(wire.flows().map((flow) => flow.flowId)).toEqual([1, 2]);
  });

  test('finds no room in a table full of flows that are ASSURED', () => {
    const wire = new Wire({ nf_conntrack_max: 1 });
    const first = made(wire, { ...UDP, status: IPS_ASSURED });
    expect(createFlow(wire.ct, { ...UDP, original: { ...ORIGINAL, sport: 6 } })).toBe('ENOMEM');
    wire.ct.table.words[first * 32 + 8]! &= ~IPS_ASSURED;
    expect(createFlow(wire.ct, UDP)).toBe('EEXIST');
    made(wire, { ...UDP, original: { ...ORIGINAL, sport: 6 } });
    expect(wire.ct.stats).toMatchObject({ early_drop: 1, insert: 2 });
  });

  test('with no time to live is told of, and gone', () => {
    const wire = new Wire();
    made(wire, { ...UDP, timeout: 0 });
    wire.wait(0);
    expect(wire.told()).toEqual(['NEW REPLY ASSURED PROTOINFO HELPER MARK 0', 'DESTROY 0 expired']);
  });

  test('translates as rules would: the destination first, another port if answers are taken', () => {
    const wire = new Wire();
    made(wire, UDP);
    const flow = made(wire, {
      ...UDP,
      original: { ...ORIGINAL, dst: '10.5.5.5' },
      dstNat: { address: '10.1.0.1', port: null },
    });
    const { reply, status } = readFlow(wire.ct, flow);
    expect(reply).toMatchObject({ src: '10.1.0.1', dst: '10.0.0.1', sport: 53 });
    expect(reply.dport).not.toBe(5);
    expect(statusNames(status)).toEqual(['CONFIRMED', 'SRC_NAT', 'DST_NAT', 'SRC_NAT_DONE', 'DST_NAT_DONE']);
  });

  test('gives a translated source to other flows of it', () => {
    const wire = new Wire();
    const flow = made(wire, { ...UDP, srcNat: { address: '203.0.113.1', port: 777 } });
    expect(readFlow(wire.ct, flow)).toMatchObject({
      status: expect.toSatisfy((s: number) => (s & IPS_SRC_NAT) !== 0),
    });
    expect(wire.ct.bySource.first(0x0a000001, 5, 17 | (2 << 8), 0)).toBe(flow);
    wire.ct.delete(flow);
    expect(wire.ct.bySource.first(0x0a000001, 5, 17 | (2 << 8), 0)).toBe(0);
  });

  test('keeps zones of each direction apart', () => {
    const wire = new Wire();
    made(wire, UDP);
    made(wire, { ...UDP, zoneOriginal: 3, zoneReply: 3 });
    expect(createFlow(wire.ct, { ...UDP, zoneOriginal: 3 })).toBe('EEXIST');
    expect(wire.flows().map((flow) => [flow.zoneOriginal, flow.zoneReply])).toEqual([
      [0, 0],
      [3, 3],
    ]);
  });

  test('gives helpers by name, and in the classic system by port', () => {
    const wire = new Wire();
    const flow = made(wire, { ...TCP, helper: 'ftp' });
    expect(wire.ct.extension(flow)?.helper).toBe(FTP_HELPER);
    const classic = new Wire({}, LINUX_2_4);
    made(classic, { ...TCP, original: { ...ORIGINAL, dport: 21 } });
    expect(classic.flows()[0]!.helper).toBe('ftp');
  });

  test('lets a TCP connection go on that it was never told the windows of', () => {
    const wire = new Wire();
    const flow = made(wire, TCP);
    const ends = { src: '10.0.0.1', dst: '10.1.0.1', sport: 5, dport: 53, flags: 0x10, window: 10 };
    const pkt = wire.receive(tcpPacket({ ...ends, seq: 4_000_000_000, ack: 77, payload: 1000 }));
    expect([pkt.flow, pkt.reason]).toEqual([flow, 0]);
    wire.receive(tcpPacket({ ...ends, seq: 5, ack: 900, payload: 1000 }));
    expect(pkt.reason).toBe(0);
  });
});

describe('updateFlow', () => {
  test('changes what is asked for, and tells of it as an update', () => {
    const wire = new Wire({ nf_conntrack_acct: 1 });
    const flow = made(wire, TCP);
    wire.told();
    const change = {
      timeout: 5000,
      status: IPS_SEEN_REPLY,
      mark: 9,
      proto: { state: 7 },
      labels: [0, 33, 127],
    };
    expect(updateFlow(wire.ct, flow, change)).toBe(null);
    expect(wire.told()).toEqual(['REPLY ASSURED PROTOINFO HELPER MARK 0']);
    expect(readFlow(wire.ct, flow)).toMatchObject({ timeout: 5000, mark: 9, state: 'TIME_WAIT' });
    expect(labelsOf(wire.ct, flow)).toEqual([0, 33, 127]);
    updateFlow(wire.ct, flow, { labels: [] });
    expect(labelsOf(wire.ct, flow)).toEqual([]);
    wire.wait(5000);
    expect(wire.ct.table.count).toBe(0);
  });

  test('refuses what the kernel refuses; what comes before that is changed, what comes after is not, nobody is told', () => {
    const wire = new Wire();
    const flow = made(wire, TCP);
    wire.told();
    expect(updateFlow(wire.ct, flow, { timeout: 9000, status: IPS_EXPECTED, mark: 5 })).toBe('EBUSY');
    expect(readFlow(wire.ct, flow)).toMatchObject({ timeout: 9000, mark: 0 });
    updateFlow(wire.ct, flow, { status: IPS_FIXED_TIMEOUT });
    expect(updateFlow(wire.ct, flow, { timeout: 1, mark: 5 })).toBe('EPERM');
    expect(updateFlow(wire.ct, flow, { proto: { state: 99 }, mark: 5 })).toBe('EINVAL');
    expect(updateFlow(wire.ct, flow, { helper: 'ftp' })).toBe('EOPNOTSUPP');
    expect(readFlow(wire.ct, flow)).toMatchObject({ timeout: 9000, mark: 0, state: 'ESTABLISHED' });
    expect(wire.told()).toHaveLength(1);
  });

  test('takes no status away, and sets none that only packets bring about', () => {
    const wire = new Wire();
    const flow = made(wire, { ...UDP, status: IPS_ASSURED });
    updateFlow(wire.ct, flow, { status: 0xffff & ~(IPS_EXPECTED | (1 << 9)) });
    expect(statusNames(readFlow(wire.ct, flow).status)).toEqual([
      'SEEN_REPLY',
      'ASSURED',
      'CONFIRMED',
      'FIXED_TIMEOUT',
      'HELPER',
    ]);
  });

  test('keeps the helper that a flow has', () => {
    const wire = new Wire();
    const flow = made(wire, { ...TCP, helper: 'ftp' });
    expect(updateFlow(wire.ct, flow, { helper: 'ftp' })).toBe(null);
    expect(updateFlow(wire.ct, flow, { helper: 'irc' })).toBe('EBUSY');
  });
});

test('zeroCounters sets both directions to 0, and nothing where nothing is counted', () => {
  const wire = new Wire({ nf_conntrack_acct: 1 });
  wire.receive(udp(1));
  wire.receive(udp(1, true));
  zeroCounters(wire.ct, 1);
  const none = { packets: 0, bytes: 0 };
  expect(wire.flows()[0]!.counters).toEqual({ original: none, reply: none });
  const other = new Wire();
  other.receive(udp(1));
  zeroCounters(other.ct, 1);
  expect(other.flows()[0]!.counters).toBe(null);
});

describe('expectations by command', () => {
  const FULL = { src: '255.255.255.255', dst: '255.255.255.255', sport: 0, dport: 65535 };
  const spec = {
    protonum: 17,
    tuple: { src: '1.1.1.1', dst: '2.2.2.2', dport: 55 },
    mask: FULL,
    master: ORIGINAL,
    masterProtonum: 6,
    timeout: 10_000,
  };

  test('need a master that has a helper, whose word on how long they wait holds', () => {
    const wire = new Wire();
    expect(createExpectation(wire.ct, spec)).toBe('ENOENT');
    made(wire, { ...TCP, original: { ...ORIGINAL, sport: 6 } });
    expect(createExpectation(wire.ct, { ...spec, master: { ...ORIGINAL, sport: 6 } })).toBe('EOPNOTSUPP');
    made(wire, { ...TCP, helper: 'ftp' });
    expect(createExpectation(wire.ct, spec)).toBe(null);
    expect(createExpectation(wire.ct, spec)).toBe('EEXIST');
    expect(wire.ct.expectations.all()[0]!.expires - wire.ct.now).toBe(300_000);
  });

  test('let their flow in as RELATED, whatever port it comes from', () => {
    const wire = new Wire();
    made(wire, { ...TCP, helper: 'ftp', mark: 3 });
    createExpectation(wire.ct, spec);
    wire.receive(udpPacket({ src: '1.1.1.1', dst: '2.2.2.2', sport: 999, dport: 55 }));
    expect(wire.flows()[1]).toMatchObject({
      master: 1,
      mark: 3,
      status: expect.toSatisfy((s: number) => (s & IPS_EXPECTED) !== 0),
    });
    expect(wire.ct.expectations.counts).toEqual({ expect_new: 1, expect_create: 1, expect_delete: 1 });
  });

  test('are found by id, and all go at once', () => {
    const wire = new Wire();
    made(wire, { ...TCP, helper: 'sip' });
    expect(createFlow(wire.ct, { ...TCP, original: { ...ORIGINAL, sport: 6 }, helper: 'ftp' })).toBeTypeOf(
      'number',
    );
    createExpectation(wire.ct, spec);
    createExpectation(wire.ct, { ...spec, tuple: { ...spec.tuple, dport: 56 } });
    expect(findExpectation(wire.ct, 2)?.tuple[2]).toBe(56);
    expect(findExpectation(wire.ct, 3)).toBe(null);
    flushExpectations(wire.ct);
    expect(wire.ct.expectations.count).toBe(0);
  });

  test.each([
    [{ tuple: { ...spec.tuple, src: 'x' } }, 'EINVAL'],
    [{ mask: { ...FULL, src: 'ffff::' } }, 'EINVAL'],
    [{ tuple: { ...spec.tuple, src: 'fd00::1' } }, 'EINVAL'],
    [{ master: { ...ORIGINAL, src: 'nobody' } }, 'EINVAL'],
    [{ master: { ...ORIGINAL, src: 'fd00::1' } }, 'EINVAL'],
  ])('of %j are refused', (wrong, errno) => {
    const wire = new Wire();
    made(wire, { ...TCP, helper: 'ftp' });
    expect(createExpectation(wire.ct, { ...spec, ...wrong })).toBe(errno);
    expect([wire.ct.expectations.count, wire.ct.pool.size]).toEqual([0, 0]);
  });
});
