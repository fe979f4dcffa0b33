import { AF_INET } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { Expectation } from './expectation.ts';
import type { FlowExtension } from './extension.ts';
import * as F from './flow-table.ts';
import type { Helper } from './helper.ts';
import * as R from './snapshot-format.ts';
import { asciiJson, type SavedExpectation, type SavedExtension } from './snapshot-format.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import * as S from './status.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE } from './tuple.ts';

/** Bytes that a record can have at the most, without its JSON. */
const MOST: number = (R.RECORD_WORDS + 16 + R.PROTO_WORDS + 2) * 4 + 6 * 8;

/**
 * Writes the record of a flow.
 * @param master number of its master's record, -1 if it has none
 */
export function writeFlow(out: SnapshotWriter, ct: Conntrack, flow: number, master: number): void {
  const { words: w, doubles, counters, starts } = ct.table;
  const at = flow * F.ROW_WORDS;
  const status = w[at + F.F_STATUS]!;
  const events = w[at + F.F_EVENTS]!;
  const kind = w[at + F.F_KIND]!;
  const ext = ct.extension(flow);
  const counts = (events & F.FLAG_ACCT) !== 0 && counters !== null;
  const starts1 = (events & F.FLAG_TSTAMP) !== 0 && starts !== null;
  out.reserve(MOST);
  out.word(
    (counts ? R.RECORD_COUNTERS : 0) |
      (starts1 ? R.RECORD_START : 0) |
      (master >= 0 ? R.RECORD_MASTER : 0) |
      (ext !== null ? R.RECORD_EXTENSION : 0) |
      ((status & S.IPS_DYING) !== 0 ? R.RECORD_DYING : 0),
  );
  out.word(kind);
  out.word(w[at + F.F_ZONES]!);
  out.word(status & S.IPS_MASK);
  out.word(w[at + F.F_MARK]!);
  out.word(w[at + F.F_ID]!);
  out.word(events);
  out.word(w[at + F.F_PORTS]!);
  out.word(w[at + F.F_RPORTS]!);
  const isIpv4 = kind >>> 8 === AF_INET;
  writeAddress(out, ct, isIpv4, w[at + F.F_SRC]!);
  writeAddress(out, ct, isIpv4, w[at + F.F_DST]!);
  writeAddress(out, ct, isIpv4, w[at + F.F_RSRC]!);
  writeAddress(out, ct, isIpv4, w[at + F.F_RDST]!);
  out.double(doubles[(at + F.F_EXPIRES) / 2]!);
  for (let i = 0; i < R.PROTO_WORDS; i++) out.word(w[at + F.F_PROTO + i]!);
  if (counts) for (let i = 0; i < 4; i++) out.double(counters![flow * 4 + i]!);
  if (starts1) out.double(starts![flow]!);
  if (master >= 0) out.word(master);
  if (ext !== null) writeExtension(out, kind, ext);
}

function writeAddress(out: SnapshotWriter, ct: Conntrack, isIpv4: boolean, word: number): void {
  if (isIpv4) out.word(word);
  else for (let i = 0; i < 4; i++) out.word(ct.pool.word(word, i));
}

function writeExtension(out: SnapshotWriter, kind: number, ext: FlowExtension): void {
  const text = asciiJson(savedExtension(kind, ext));
  out.reserve(4 + text.length);
  out.word(text.length);
  out.ascii(text);
}

type Name = readonly [name: string, proto: number, family: number];

function nameOf(helper: Helper, family: number): Name {
  return [helper.name, helper.proto, family];
}

/** One statement a field: spreads would take most of the time where rules give every flow an extension. */
function savedExtension(kind: number, ext: FlowExtension): SavedExtension {
  const saved: { -readonly [K in keyof SavedExtension]: SavedExtension[K] } = {};
  const { helper, seq } = ext;
  if (helper !== null) {
    saved.helper = nameOf(helper, kind >>> 8);
    if (helper.save !== undefined && ext.data !== null) saved.data = helper.save(ext.data);
  }
  if (seq !== null) saved.seq = seq.flatMap(({ place, before, after }) => [place, before, after]);
  if (ext.labels !== null) saved.labels = [...ext.labels];
  if (ext.events !== -1) saved.events = ext.events;
  if (ext.expectEvents !== -1) saved.expectEvents = ext.expectEvents;
  // JSON has no NaN: null stands for what the sysctl says.
  if (ext.timeouts !== null) saved.timeouts = [...ext.timeouts];
  if (ext.policy !== '') saved.policy = ext.policy;
  if (ext.masqDevice !== 0) saved.masqDevice = ext.masqDevice;
  return saved;
}

/** What is kept of an expectation. @param master number of its master's record */
export function savedExpectation(ct: Conntrack, expected: Expectation, master: number): SavedExpectation {
  const { tuple, helper, onMatch } = expected;
  const family = tuple[T_KIND]! >>> 8;
  const words = (word: number): readonly number[] => {
    if (family === AF_INET) return [word];
    return word === 0 ? [0, 0, 0, 0] : [0, 1, 2, 3].map((i) => ct.pool.word(word, i));
  };
  return {
    master,
    family,
    proto: tuple[T_KIND]! & 255,
    src: words(tuple[T_SRC]!),
    dst: words(tuple[T_DST]!),
    ports: tuple[T_PORTS]!,
    zone: tuple[T_ZONE]!,
    sourceMask: expected.sourceMask,
    portMask: expected.portMask,
    class: expected.class,
    flags: expected.flags,
    ...(helper === null ? {} : { helper: nameOf(helper, family) }),
    expires: expected.expires,
    id: expected.id,
    ...(onMatch?.fnName === undefined ? {} : { fn: onMatch.fnName }),
    dir: expected.dir,
    savedPort: expected.savedPort,
    savedAddress: expected.savedAddress,
  };
}
