import { ips, protocolName, TCP_STATE_NAMES, type TupleRecord } from '@keepstate/engine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conntrackLine } from '../format/conntrack-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonExpect } from '../format/json-expect.ts';
import { procIpConntrack } from '../format/proc-ip-conntrack.ts';
import { procNfConntrack } from '../format/proc-nf-conntrack.ts';
import { XML_EXPECT_HEAD, XML_EXPECT_TAIL, xmlExpect } from '../format/xml-expect.ts';
import { wordsText } from './address.ts';
import { jsonEntry } from './entry-json.ts';
import { Labels } from './labels.ts';
import { suggestedNat } from './nat-status.ts';
import { SCTP_STATES } from './protocol-table.ts';
import { readDump } from './read-dump.ts';
import { saveLine } from './save-line.ts';
import type { Entry } from './table.ts';
import { invert, portKind } from './tuple.ts';
import { XML_HEAD, XML_TAIL, xmlFlow } from './xml-flow.ts';

const NOW = 1_795_229_509_000;
const GRE = { timeout: 30, stream: 180 };
const WORLD = { say: () => undefined, labels: new Labels(() => undefined) };
const PROTOCOLS = [1, 6, 17, 33, 47, 58, 99, 132, 136] as const;

const port = fc.integer({ min: 0, max: 65535 });

/** One direction of a flow. */
function tuple(family: number, protonum: number): fc.Arbitrary<TupleRecord> {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const address = fc
    .array(word, { minLength: family === 2 ? 1 : 4, maxLength: family === 2 ? 1 : 4 })
    .map(wordsText);
  const ends = fc.record({ src: address, dst: address });
  const types = protonum === 1 ? [8, 0, 13, 17] : [128, 129, 139];
  switch (portKind(protonum)) {
    case 'port':
      return fc.record({ src: address, dst: address, sport: port, dport: port });
    case 'key':
      return fc.record({ src: address, dst: address, srckey: port, dstkey: port });
    case 'icmp':
      return fc.record({
        src: address,
        dst: address,
        type: fc.constantFrom(...types),
        code: fc.constant(0),
        id: port,
      });
    default:
      return ends;
  }
}

const zones = fc.oneof(
  fc.integer({ min: 0, max: 65535 }).map((zone) => [zone, zone] as const),
  fc.constantFrom([5, 0] as const, [0, 7] as const),
);

function stateOf(protonum: number): fc.Arbitrary<string | null> {
  if (protonum === 6) return fc.constantFrom(...TCP_STATE_NAMES);
  return protonum === 132 ? fc.constantFrom(...SCTP_STATES) : fc.constant(null);
}

/** A flow as a dump may have it. */
const entries: fc.Arbitrary<Entry> = fc
  .tuple(fc.constantFrom(...PROTOCOLS), fc.boolean(), fc.boolean())
  .chain(([protonum, six, translated]) => {
    const family = protonum === 58 ? 10 : protonum === 1 ? 2 : six ? 10 : 2;
    const counter = fc.record({ packets: fc.nat(), bytes: fc.nat() });
    return fc
      .record({
        original: tuple(family, protonum),
        other: tuple(family, protonum),
        state: stateOf(protonum),
        zones,
        bits: fc.constantFrom(0, ips.IPS_SEEN_REPLY, ips.IPS_SEEN_REPLY | ips.IPS_ASSURED),
        seconds: fc.integer({ min: 0, max: 432_000 }),
        mark: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        flowId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        counters: fc.option(fc.record({ original: counter, reply: counter })),
        age: fc.option(fc.integer({ min: 0, max: 100_000 })),
        helper: fc.option(fc.constantFrom('ftp', 'sip')),
        uses: fc.integer({ min: 1, max: 9 }),
        vtags: fc.record({ original: fc.nat(), reply: fc.nat() }),
      })
      .map((v) => {
        const answer = invert(family, protonum, v.original)!;
        // Translation leaves ICMP's type and code.
        const reply = translated ? { ...v.other, ...icmpOf(answer) } : answer;
        return {
          flowId: v.flowId,
          family,
          protonum,
          protocol: protocolName(protonum),
          state: v.state,
          timeout: v.seconds * 1000 + 999,
          original: v.original,
          reply,
          status: ips.IPS_CONFIRMED | v.bits | suggestedNat(v.original, reply),
          mark: v.mark,
          zoneOriginal: v.zones[0],
          zoneReply: v.zones[1],
          master: null,
          helper: v.helper,
          uses: v.uses,
          counters: v.counters,
          start: v.age === null ? null : NOW - v.age * 1000,
          labels: [],
          vtags: protonum === 132 ? v.vtags : null,
        };
      });
  });

function icmpOf({ type, code, id }: TupleRecord): Partial<TupleRecord> {
  return type === undefined ? {} : { type, code: code ?? 0, id: id ?? 0 };
}

/** What lines leave out, as reading fills it in. */
const none = { counters: null, start: null, helper: null, uses: 1, mark: 0, vtags: null } as const;
const noIcmp = ({ src, dst, type: _t, code: _c, id: _i, ...ports }: TupleRecord): TupleRecord => ({
  src,
  dst,
  ...ports,
});

interface Format {
  readonly print: (entry: Entry) => string;
  /** What a printed flow is read as. `line` is its place in the file. */
  readonly kept: (entry: Entry, line: number) => Partial<Entry>;
  /** Makes flows of any into those that such a dump may have. */
  readonly among?: (list: readonly Entry[]) => readonly Entry[];
  /** Around all flows. */
  readonly head?: string;
  readonly tail?: string;
}

const FORMATS: Readonly<Record<string, Format>> = {
  'conntrack -L': {
    print: (e) => conntrackLine(e, NOW),
    kept: (_e, line) => ({ flowId: line, vtags: null }),
  },
  'conntrack -L -o extended,id,ktimestamp': {
    print: (e) => conntrackLine(e, NOW, { extended: true, id: true, ktimestamp: true }),
    kept: () => ({ vtags: null }),
  },
  '/proc/net/nf_conntrack': {
    // By a flow in the default zone it is told from conntrack -L -o extended.
    among: ([first, ...rest]) => [{ ...first!, zoneOriginal: 0, zoneReply: 0 }, ...rest],
    print: (e) => procNfConntrack(e, NOW, GRE),
    kept: (_e, line) => ({ flowId: line, vtags: null, helper: null }),
  },
  '/proc/net/ip_conntrack': {
    print: (e) => procIpConntrack(e, NOW, GRE, true),
    kept: (_e, line) => ({ flowId: line, vtags: null, helper: null, zoneOriginal: 0, zoneReply: 0 }),
  },
  'conntrack -L -o save': {
    print: (e) => saveLine(e, 'A'),
    kept: (e, line) => ({ ...none, flowId: line, vtags: e.vtags }),
  },
  'conntrack -L -o xml': {
    print: (e) => xmlFlow(e, NOW, { ktimestamp: true }),
    kept: (e) => ({ vtags: null, original: noIcmp(e.original), reply: noIcmp(e.reply) }),
    head: XML_HEAD,
    tail: XML_TAIL,
  },
  'conntrack -L -o json': { print: jsonEntry, kept: () => ({}) },
};

describe('a dump that is read has the flows that were printed', () => {
  test.each(Object.entries(FORMATS))(
    '%s',
    (_name, { print, kept, among = (list) => list, head = '', tail = '' }) => {
      fc.assert(
        fc.property(fc.array(entries, { minLength: 1, maxLength: 4 }), (all) => {
          const list = among(all);
          const text = head + list.map((e) => `${print(e)}\n`).join('') + tail;
          const wanted = list.map((e, i) => ({ ...e, ...kept(e, i + 1) }));
          expect(readDump('dump', text, NOW, WORLD).entries).toEqual(wanted);
        }),
        { numRuns: 60 },
      );
    },
  );
});

const FULL = '255.255.255.255';
const EXPECTED = {
  id: 1,
  family: 2,
  protonum: 6,
  timeout: 299_999,
  tuple: { src: '10.0.1.2', dst: '10.0.2.2', sport: 0, dport: 51221 },
  mask: { src: FULL, dst: FULL, sport: 0, dport: 65535 },
  master: { src: '10.0.1.2', dst: '10.0.2.2', sport: 56510, dport: 21 },
  masterId: 0,
  masterProtonum: 6,
  zone: 0,
  class: 0,
  className: null,
  helper: 'ftp',
  expectedHelper: null,
  flags: 3,
  nat: null,
} as const;

describe('a dump of expectations that is read has those that were printed', () => {
  test.each([
    ['conntrack -L expect', `${expectLine(EXPECTED)}\n`],
    ['xml', `${XML_EXPECT_HEAD}${xmlExpect(EXPECTED)}\n${XML_EXPECT_TAIL}`],
    ['json', `${jsonExpect(EXPECTED)}\n`],
  ])('%s', (_name, text) => {
    expect(readDump('dump', text, NOW, WORLD).expectations).toEqual([EXPECTED]);
  });

  test('/proc/net/nf_conntrack_expect, which has neither mask nor master', () => {
    const line = '299 l3proto = 2 proto=6 src=10.0.1.2 dst=10.0.2.2 sport=0 dport=51221 ftp\n';
    const [one] = readDump('dump', line, NOW, WORLD).expectations;
    expect(one).toMatchObject({ helper: 'ftp', tuple: EXPECTED.tuple, timeout: 299_999, protonum: 6 });
  });
});
