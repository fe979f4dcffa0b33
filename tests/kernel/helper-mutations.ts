/** Damages messages where readers of messages go wrong: numbers, separators, lengths, ends of lines, letters' size. */
import type { Dice } from '../traffic/dice.ts';

/** What a number becomes; `$` stands for itself. Each stands at the edge of some width that a reader may count in. */
const NUMBERS: readonly string[] = [
  ...[
    '0',
    '1',
    '00',
    '255',
    '256',
    '257',
    '1023',
    '1024',
    '32767',
    '32768',
    '65534',
    '65535',
    '65536',
    '65537',
  ],
  ...['70000', '99999', '100000', '2147483647', '2147483648', '4294967295', '4294967296', '4294967297'],
  ...['18446744073709551615', '18446744073709551616', '99999999999999999999999'],
  ...['0$', '00000$', '0000000000000$', '-$', '+$', ' $', '$ ', '$x', '$.5', '0x$', '$$', '', 'x'],
];
const SEPARATORS = ' ,.;:|/@<>()[]=\r\n\t!\\"\0';
const NOISE: readonly string[] = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '\r\n ',
  '\n\n',
  '\t',
  ' ',
  '\x01',
  '\x7f',
  '\xff',
  '\v',
];

type Mutation = (dice: Dice, bytes: Buffer) => Buffer;

/** From and to of some bytes, seldom many of them. */
function range(dice: Dice, bytes: Buffer, most = 12): readonly [number, number] {
  const from = dice.below(bytes.length + 1);
  const length = dice.chance(15) ? dice.below(bytes.length + 1) : 1 + dice.below(most);
  return [from, Math.min(bytes.length, from + length)];
}

function splice(bytes: Buffer, from: number, to: number, by: Uint8Array | string): Buffer {
  const between = typeof by === 'string' ? Buffer.from(by, 'latin1') : by;
  return Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)]);
}

/** Every match's place in a text of one byte a character. */
function places(bytes: Buffer, pattern: RegExp): readonly (readonly [number, number])[] {
  return [...bytes.toString('latin1').matchAll(pattern)].map((m) => [m.index, m.index + m[0].length]);
}

const flip: Mutation = (dice, bytes) => {
  const out = Buffer.from(bytes);
  if (out.length > 0) out[dice.below(out.length)]! ^= 1 << dice.below(8);
  return out;
};
const set: Mutation = (dice, bytes) => {
  const out = Buffer.from(bytes);
  if (out.length > 0) out[dice.below(out.length)] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
  return out;
};
const insert: Mutation = (dice, bytes) => {
  const at = dice.below(bytes.length + 1);
  return splice(bytes, at, at, dice.chance(50) ? dice.pick(NOISE) : dice.bytes(1 + dice.below(4)));
};
const remove: Mutation = (dice, bytes) => splice(bytes, ...range(dice, bytes, 3), '');
const double: Mutation = (dice, bytes) => {
  const [from, to] = range(dice, bytes);
  return splice(bytes, to, to, bytes.subarray(from, to));
};
const move: Mutation = (dice, bytes) => {
  const [from, to] = range(dice, bytes);
  const rest = splice(bytes, from, to, '');
  const at = dice.below(rest.length + 1);
  return splice(rest, at, at, bytes.subarray(from, to));
};
const cut: Mutation = (dice, bytes) => bytes.subarray(0, dice.below(bytes.length + 1));
const behead: Mutation = (dice, bytes) => bytes.subarray(dice.below(Math.min(bytes.length, 12) + 1));
const twice: Mutation = (_dice, bytes) => Buffer.concat([bytes, bytes]);
const lengthen: Mutation = (dice, bytes) => {
  const [from, to] = range(dice, bytes, 2);
  const by = bytes.subarray(from, to);
  return splice(bytes, to, to, Buffer.concat(Array<Buffer>(dice.pick([2, 10, 100, 400])).fill(by)));
};

/** Replaces one match of a pattern. */
function replacing(pattern: RegExp, by: (dice: Dice, found: string) => string): Mutation {
  return (dice, bytes) => {
    const all = places(bytes, pattern);
    if (all.length === 0) return insert(dice, bytes);
    const [from, to] = dice.pick(all);
    return splice(bytes, from, to, by(dice, bytes.toString('latin1', from, to)));
  };
}

const number: Mutation = replacing(/\d+/g, (dice, found) => dice.pick(NUMBERS).replaceAll('$', found));
const digit: Mutation = replacing(/\d/g, (dice) => String(dice.below(10)));
const separator: Mutation = replacing(
  /[ ,.;:|/@<>()[\]=!"]/g,
  (dice) => SEPARATORS[dice.below(SEPARATORS.length)]!,
);
const moreSpace: Mutation = replacing(/[ ,.;:|/@<>=]/g, (dice, found) =>
  dice.pick([` ${found}`, `${found} `, `${found}${found}`, `${found}\t`, `${found}\r\n `, '']),
);
const lineEnd: Mutation = replacing(/\r\n/g, (dice) =>
  dice.pick(['\n', '\r', '', '\n\r', '\r\n\r\n', '\r\r\n', '\r\n ', ' \r\n', '\0\r\n']),
);
const caseOf: Mutation = replacing(/[A-Za-z]+/g, (dice, found) =>
  dice.pick([
    found.toUpperCase(),
    found.toLowerCase(),
    found[0]!.toUpperCase() + found.slice(1).toLowerCase(),
  ]),
);
const noReturns: Mutation = (_dice, bytes) =>
  Buffer.from(bytes.toString('latin1').replaceAll('\r', ''), 'latin1');
const word: Mutation = replacing(/[A-Za-z]+/g, (dice, found) =>
  dice.pick(['', found + found, `${found}x`, found.slice(1), found.slice(0, -1)]),
);

const BINARY: readonly Mutation[] = [
  flip,
  flip,
  set,
  set,
  insert,
  remove,
  double,
  move,
  cut,
  behead,
  twice,
  lengthen,
];
const TEXT: readonly Mutation[] = [
  ...[number, number, number, digit, digit, separator, separator, moreSpace, lineEnd, caseOf, word],
  ...[flip, set, insert, remove, double, move, cut, behead, twice, lengthen, noReturns],
];

/** The most that a mutated message has: it must fit a packet with the headers and what translation adds. */
const MOST = 1360;

/** A message with one to four of these done to it. */
export function mutated(dice: Dice, message: Uint8Array, isText: boolean): Buffer {
  let out: Buffer = Buffer.from(message);
  for (let n = dice.pick([1, 1, 1, 2, 2, 3, 4]); n > 0; n--)
    out = dice.pick(isText ? TEXT : BINARY)(dice, out);
  return out.subarray(0, MOST);
}
