import {
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  EXPECT_USERSPACE,
  type ExpectRecord,
  type TupleRecord,
} from '@keepstate/engine';
import { addressWords, familyOf, wordsText } from './address.ts';
import { type Place, refuseAt } from './dump-error.ts';
import { type Word, wordsOf } from './parse-line.ts';
import { TUPLE_FIELDS } from './tuple.ts';

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['PERMANENT', EXPECT_PERMANENT],
  ['INACTIVE', EXPECT_INACTIVE],
  ['USERSPACE', EXPECT_USERSPACE],
]);
const FULL = ['255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'] as const;

/** Whether a line begins as those of expectations do. */
export function isExpectLine(line: string): boolean {
  return /^\d+ (l3proto = |proto=)/.test(line);
}

/** The three tuples of a line: what is expected, its mask, its master. */
class Tuples {
  readonly parts: Record<string, string | number>[] = [];
  readonly rest: Map<string, string> = new Map();
  flags = 0;
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  take({ text, col }: Word): void {
    const equals = text.indexOf('=');
    const name = text.slice(0, equals).replace(/^(mask|master)-/, '');
    const value = text.slice(equals + 1);
    if (equals < 1) this.plain(text, col);
    else if (name === 'src') this.parts.push({ src: this.address(value, col) });
    else if (name === 'dst' && this.parts.length > 0) this.parts.at(-1)!.dst = this.address(value, col);
    else if (TUPLE_FIELDS.some((f) => f === name) && this.parts.length > 0) {
      if (!/^(0x[0-9a-f]+|\d+)$/i.test(value)) refuseAt(this.place, col, `'${text}' has no number`);
      this.parts.at(-1)![name] = Number(value);
    } else this.rest.set(name, value);
  }

  /** Flags, and in /proc the helper. */
  private plain(text: string, col: number): void {
    for (const word of text.split(',')) {
      const flag = FLAGS.get(word);
      if (flag !== undefined) this.flags |= flag;
      else if (/^[a-zA-Z0-9_.-]+(\/[a-z-]+)?$/.test(text)) this.rest.set('helper', text.split('/')[0]!);
      else refuseAt(this.place, col, `'${text}' is no field of an expectation`);
    }
  }

  private address(text: string, col: number): string {
    const words = addressWords(text);
    return words === null ? refuseAt(this.place, col, `'${text}' is no address`) : wordsText(words);
  }
}

/**
 * An expectation of a line of conntrack -L expect or /proc/net/nf_conntrack_expect (which has neither mask nor master).
 * @throws UsageError with file, line and column
 */
export function parseExpectLine(line: string, place: Place): ExpectRecord {
  const isProc = /^\d+ l3proto = /.test(line);
  const words = wordsOf(line).slice(isProc ? 4 : 1);
  const tuples = new Tuples(place);
  for (const word of words) tuples.take(word);
  const [tuple, mask, master] = tuples.parts as unknown as (TupleRecord | undefined)[];
  if (tuple?.dst === undefined || (!isProc && (mask?.dst === undefined || master?.dst === undefined))) {
    return refuseAt(place, line.length + 1, 'the line ends before the tuples of an expectation');
  }
  const proto = tuples.rest.get('proto') ?? '';
  if (!/^\d{1,3}$/.test(proto)) refuseAt(place, 1, "the line has no 'proto=NUMBER'");
  const protonum = Number(proto);
  const family = familyOf(addressWords(tuple.src)!);
  const full = FULL[family === 2 ? 0 : 1];
  return {
    id: place.line,
    family,
    protonum,
    timeout: Number.parseInt(line, 10) * 1000 + 999,
    tuple,
    mask: mask ?? { src: full, dst: full },
    master: master ?? { src: tuple.src, dst: tuple.dst },
    masterId: 0,
    masterProtonum: protonum,
    zone: 0,
    class: Number(tuples.rest.get('class') ?? 0),
    className: null,
    helper: tuples.rest.get('helper') ?? null,
    expectedHelper: null,
    flags: tuples.flags,
    nat: null,
  };
}
