import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { AF_INET } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { Expectation } from './expectation.ts';
import { addressText, portFields, readFlow, type TupleRecord } from './flow-record.ts';
import * as F from './flow-table.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE } from './tuple.ts';

/** An expectation as a plain object, for printing and for programs; a copy that outlives it. */
export interface ExpectRecord {
  readonly id: number;
  /** AF_INET (2) or AF_INET6 (10). */
  readonly family: number;
  readonly protonum: number;
  /** Milliseconds left. */
  readonly timeout: number;
  /** Original direction of the flow that is expected; what may be anything is 0. */
  readonly tuple: TupleRecord;
  /** Which bits of it count. */
  readonly mask: TupleRecord;
  /** Original direction of the flow that told of it. */
  readonly master: TupleRecord;
  /** Id of that flow. */
  readonly masterId: number;
  /** Protocol of that flow. */
  readonly masterProtonum: number;
  readonly zone: number;
  /** Index of the helper's kinds of expectations, and its name if it has one of its own. */
  readonly class: number;
  readonly className: string | null;
  /** Helper of the flow that told of it, null if a rule made it. */
  readonly helper: string | null;
  /** Helper that the expected flow will have, null if none. */
  readonly expectedHelper: string | null;
  /** EXPECT_* bits. */
  readonly flags: number;
  /** Where the expected flow is translated to, null if it is not: the port, and the address where one was kept. */
  readonly nat: { readonly direction: number; readonly dst: string | null; readonly dport: number } | null;
}

const FULL: readonly number[] = [-1, -1, -1, -1];
const ZERO: readonly number[] = [0, 0, 0, 0];

function wordsText(family: number, words: readonly number[]): string {
  return family === AF_INET ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!);
}

/** Reads an expectation; during its DESTROY event, too. */
export function readExpectation(ct: Conntrack, expected: Expectation): ExpectRecord {
  const { tuple: t, master } = expected;
  const family = t[T_KIND]! >>> 8;
  const protonum = t[T_KIND]! & 255;
  const source = t[T_SRC]! === 0 ? wordsText(family, ZERO) : addressText(ct, family, t[T_SRC]!);
  const flow = readFlow(ct, master);
  const helper = ct.extension(master)?.helper ?? null;
  const kind = helper?.policies[expected.class]?.name ?? '';
  const { savedAddress, savedPort, dir } = expected;
  const hasAddress = savedAddress.some((word) => word !== 0);
  return {
    id: expected.id,
    family,
    protonum,
    timeout: expected.expires - ct.now,
    tuple: { src: source, dst: addressText(ct, family, t[T_DST]!), ...portFields(protonum, t[T_PORTS]!) },
    mask: {
      src: wordsText(family, expected.sourceMask),
      dst: wordsText(family, FULL),
      ...portFields(protonum, (expected.portMask << 16) | 0xffff),
    },
    master: flow.original,
    masterId: flow.flowId,
    masterProtonum: ct.table.words[master * F.ROW_WORDS + F.F_KIND]! & 255,
    zone: t[T_ZONE]!,
    class: expected.class,
    className: kind === '' || kind === helper?.name ? null : kind,
    helper: helper?.name ?? null,
    expectedHelper: expected.helper?.name ?? null,
    flags: expected.flags,
    nat:
      savedPort === 0 && !hasAddress
        ? null
        : { direction: dir, dst: hasAddress ? wordsText(family, savedAddress) : null, dport: savedPort },
  };
}
