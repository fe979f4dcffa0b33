import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import {
  type SavedExpectation,
  type SavedExtension,
  type SnapshotEnd,
  SnapshotError,
  type SnapshotHead,
} from './snapshot-format.ts';

/** What a value of JSON must be. */
type Check = (value: unknown) => boolean;

const isNumber: Check = (v) => typeof v === 'number';
const isWhole: Check = (v) => Number.isSafeInteger(v);
const isText: Check = (v) => typeof v === 'string';
const isAny: Check = () => true;
const isObject: Check = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const isList =
  (check: Check, ...lengths: readonly number[]): Check =>
  (v) =>
    Array.isArray(v) && v.every(check) && (lengths.length === 0 || lengths.includes(v.length));
const isName: Check = (v) =>
  Array.isArray(v) && v.length === 3 && isText(v[0]) && isWhole(v[1]) && isWhole(v[2]);

/** Fields and what they must be; those with a question mark may be missing. */
type Fields = Readonly<Record<string, Check>>;

const HEAD: Fields = { time: isNumber, profile: isText, settings: isObject, meta: isAny };
const END: Fields = {
  time: isNumber,
  records: isWhole,
  flows: isWhole,
  expectations: isWhole,
  nextId: isWhole,
  nextExpectId: isWhole,
  random: isWhole,
  check: isWhole,
};
const EXTENSION: Fields = {
  'helper?': isName,
  'data?': isAny,
  'seq?': isList(isWhole, 6),
  'labels?': isList(isWhole, 4),
  'events?': isWhole,
  'expectEvents?': isWhole,
  'timeouts?': isList((v) => v === null || isNumber(v)),
  'policy?': isText,
  'masqDevice?': isWhole,
};
const EXPECTATION: Fields = {
  master: isWhole,
  family: (v) => v === AF_INET || v === AF_INET6,
  proto: (v) => isWhole(v) && (v as number) >= 0 && (v as number) <= 255,
  src: isList(isWhole, 1, 4),
  dst: isList(isWhole, 1, 4),
  ports: isWhole,
  zone: isWhole,
  sourceMask: isList(isWhole, 1, 4),
  portMask: isWhole,
  class: isWhole,
  flags: isWhole,
  'helper?': isName,
  expires: isNumber,
  id: isWhole,
  'fn?': isText,
  dir: (v) => v === 0 || v === 1,
  savedPort: isWhole,
  savedAddress: isList(isWhole, 0, 1, 4),
};

function check(at: number, what: string, value: unknown, fields: Fields): void {
  if (!isObject(value)) throw new SnapshotError(at, `expected ${what}`);
  const from = value as Readonly<Record<string, unknown>>;
  for (const [field, isRight] of Object.entries(fields)) {
    const name = field.replace('?', '');
    if (name !== field && !(name in from)) continue;
    if (!(name in from) || !isRight(from[name]))
      throw new SnapshotError(at, `expected ${what}: its '${name}' is missing or wrong`);
  }
}

/** @throws SnapshotError unless a value is a head */
export function checkHead(at: number, value: unknown): SnapshotHead {
  check(at, 'the head', value, HEAD);
  return value as SnapshotHead;
}

/** @throws SnapshotError unless a value is an end */
export function checkEnd(at: number, value: unknown): SnapshotEnd {
  check(at, 'the end', value, END);
  return value as SnapshotEnd;
}

/** @throws SnapshotError unless a value is what a flow has beside its row */
export function checkExtension(at: number, value: unknown): SavedExtension {
  check(at, "a flow's extension", value, EXTENSION);
  return value as SavedExtension;
}

/** @throws SnapshotError unless a value is an expectation */
export function checkExpectation(at: number, value: unknown): SavedExpectation {
  check(at, 'an expectation', value, EXPECTATION);
  const one = value as SavedExpectation;
  const length = one.family === AF_INET ? 1 : 4;
  if ([one.src, one.dst, one.sourceMask].some((words) => words.length !== length))
    throw new SnapshotError(at, 'expected an expectation with addresses of its family');
  return one;
}
