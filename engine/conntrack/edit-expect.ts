import { parseAddress } from '../packet/address.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { EditError } from './edit.ts';
import {
  EXPECT_ADDED,
  EXPECT_ALREADY,
  EXPECT_BUSY,
  type Expectation,
  type ExpectSpec,
} from './expectation.ts';
import { findFlow } from './flow-find.ts';
import type { TupleRecord } from './flow-record.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, TUPLE_WORDS, type Tuple } from './tuple.ts';

/** An expectation to be made by a command. */
export interface ExpectationSpec {
  readonly protonum: number;
  /** Of the original direction of the flow to come. */
  readonly tuple: TupleRecord;
  /** Which bits of source address and port count. Of the destination all do. */
  readonly mask: TupleRecord;
  /** A tuple of the flow that it belongs to, and that flow's protocol and zone. */
  readonly master: TupleRecord;
  readonly masterProtonum: number;
  readonly zone?: number;
  /** Milliseconds, where the master's helper does not say how long (measured: it always does). */
  readonly timeout: number;
  readonly class?: number;
  /** EXPECT_*. */
  readonly flags?: number;
}

const ERRORS: Readonly<Record<number, EditError>> = { [EXPECT_BUSY]: 'EBUSY', [EXPECT_ALREADY]: 'EALREADY' };

/**
 * Expects a flow as `conntrack -I expect` does.
 * @returns null, or why not: ENOENT without the master, EOPNOTSUPP if that has no helper, EEXIST for the same tuple
 */
export function createExpectation(ct: Conntrack, spec: ExpectationSpec): EditError | null {
  const { tuple, mask } = spec;
  const source = parseAddress(tuple.src);
  const destination = parseAddress(tuple.dst);
  const sourceMask = parseAddress(mask.src);
  if (source === undefined || destination === undefined || sourceMask === undefined) return 'EINVAL';
  if (source.length !== destination.length || source.length !== sourceMask.length) return 'EINVAL';
  const master = masterOf(ct, spec);
  if (typeof master === 'string') return master;
  if (ct.extension(master)?.helper == null) return 'EOPNOTSUPP';
  const made: ExpectSpec = {
    master,
    class: spec.class ?? 0,
    family: source.length === 1 ? AF_INET : AF_INET6,
    proto: spec.protonum,
    source,
    sourceMask,
    destination,
    sourcePort: (mask.sport ?? 0) === 0 ? null : (tuple.sport ?? 0),
    destinationPort: tuple.dport ?? 0,
    timeout: spec.timeout,
    flags: spec.flags ?? 0,
  };
  if (isThere(ct, made)) return 'EEXIST';
  const verdict = ct.expect(made);
  return verdict === EXPECT_ADDED ? null : (ERRORS[verdict] ?? 'EMFILE');
}

function masterOf(ct: Conntrack, { master, masterProtonum, zone = 0 }: ExpectationSpec): number | EditError {
  if (parseAddress(master.src)?.length !== parseAddress(master.dst)?.length) return 'EINVAL';
  if (parseAddress(master.src) === undefined) return 'EINVAL';
  const hit = findFlow(ct, { ...master, protonum: masterProtonum, zone });
  return hit === 0 ? 'ENOENT' : hit >> 1;
}

/** Whether something is expected that the new tuple would be taken for. */
function isThere(ct: Conntrack, spec: ExpectSpec): boolean {
  const isIpv4 = spec.family === AF_INET;
  const word = (a: readonly number[]): number =>
    isIpv4 ? a[0]! | 0 : ct.pool.lookup(a[0]!, a[1]!, a[2]!, a[3]!);
  const t: Tuple = new Int32Array(TUPLE_WORDS);
  t[T_SRC] = word(spec.source!);
  t[T_DST] = word(spec.destination);
  t[T_PORTS] = ((spec.sourcePort ?? 0) << 16) | spec.destinationPort;
  t[T_KIND] = spec.proto | (spec.family << 8);
  return ct.expectations.at(t).some(({ tuple, portMask, sourceMask }) => {
    if (tuple[T_DST] !== t[T_DST] || tuple[T_KIND] !== t[T_KIND]) return false;
    if (((tuple[T_PORTS]! ^ t[T_PORTS]!) & ((portMask << 16) | 0xffff)) !== 0) return false;
    return sourceMask.every((mask, i) => {
      const theirs = isIpv4 ? tuple[T_SRC]! : ct.pool.word(tuple[T_SRC]!, i);
      return ((theirs ^ spec.source![i]!) & mask) === 0;
    });
  });
}

/** Expects nothing of all that was told (`conntrack -F expect`). */
export function flushExpectations(ct: Conntrack): void {
  for (const expected of ct.expectations.all()) ct.unexpect(expected);
}

/** The expectation with an id, null if there is none. */
export function findExpectation(ct: Conntrack, id: number): Expectation | null {
  return ct.expectations.all().find((expected) => expected.id === id) ?? null;
}
