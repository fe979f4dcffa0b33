import type { ExpectRecord } from '@keepstate/engine';
import { expectFlags } from './expect-line.ts';
import { familyName, JSON_VERSION } from './json-flow.ts';
import { secondsLeft } from './tuple-text.ts';

/** The fields of an expectation that listings and events share; docs/json.md explains them. */
function expectFields(e: ExpectRecord): Record<string, unknown> {
  return {
    id: e.id,
    family: familyName(e.family),
    protonum: e.protonum,
    timeout: secondsLeft(e.timeout),
    tuple: e.tuple,
    mask: e.mask,
    master: e.masterId,
    masterTuple: e.master,
    zone: e.zone,
    class: e.class,
    className: e.className,
    helper: e.helper,
    expectedHelper: e.expectedHelper,
    flags: expectFlags(e.flags),
    nat: e.nat,
  };
}

/** An expectation as one line of `flows --expect --json`, without a newline. */
export function jsonExpect(e: ExpectRecord): string {
  return JSON.stringify({ v: JSON_VERSION, ...expectFields(e) });
}

/**
 * An event of an expectation as one line of `events --json`, without a newline.
 * @param stamp its time as text, in seconds since the epoch
 */
export function jsonExpectEvent(kind: 'NEW' | 'DESTROY', e: ExpectRecord, stamp: string): string {
  const rest = JSON.stringify({ expectation: expectFields(e) });
  return `{"v":${JSON_VERSION},"event":"EXPECT_${kind}","time":${stamp},${rest.slice(1)}`;
}
