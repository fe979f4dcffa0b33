import {
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  EXPECT_USERSPACE,
  type ExpectRecord,
  type TupleRecord,
} from '@keepstate/engine';
import { procAddress } from './proc-nf-conntrack.ts';
import { procPorts, secondsLeft, toolPorts } from './tuple-text.ts';

const FLAGS: readonly (readonly [number, string])[] = [
  [EXPECT_PERMANENT, 'PERMANENT'],
  [EXPECT_INACTIVE, 'INACTIVE'],
  [EXPECT_USERSPACE, 'USERSPACE'],
];

/** Names of an expectation's flags, in the order of their numbers. */
export function expectFlags(flags: number): string[] {
  return FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

function flagsText(flags: number): string {
  return flags === 0 ? '' : `${expectFlags(flags).join(',')} `;
}

function pair(prefix: string, protonum: number, t: TupleRecord): string {
  return `${prefix}src=${t.src} ${prefix}dst=${t.dst} ${toolPorts(protonum, t)}`;
}

/** An expectation as `conntrack -L expect` prints it (conntrack-tools 1.4.7), without a newline. */
export function expectLine(e: ExpectRecord): string {
  return (
    `${secondsLeft(e.timeout)} proto=${e.protonum} ` +
    pair('', e.protonum, e.tuple) +
    pair('mask-', e.protonum, e.mask) +
    pair('master-', e.masterProtonum, e.master) +
    flagsText(e.flags) +
    `class=${e.class}` +
    (e.helper === null ? '' : ` helper=${e.helper}`)
  );
}

/** An expectation as a line of /proc/net/nf_conntrack_expect, without a newline. */
export function procExpect(e: ExpectRecord): string {
  const { tuple: t } = e;
  const kind = e.className === null ? '' : `/${e.className}`;
  return (
    `${secondsLeft(e.timeout)} l3proto = ${e.family} proto=${e.protonum} ` +
    `src=${procAddress(t.src)} dst=${procAddress(t.dst)} ${procPorts(t)}` +
    flagsText(e.flags) +
    (e.helper === null ? '' : e.helper + kind)
  );
}
