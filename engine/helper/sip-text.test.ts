import { expect, test } from 'vitest';
import { viewOf } from '../packet/build-bytes.ts';
import { bytesOf } from './payload.ts';
import {
  findInHeader,
  findInLine,
  isLetter,
  NOWHERE,
  nextAt,
  nextLine,
  numberAt,
  SipText,
  skipBlanks,
} from './sip-text.ts';

function text(letters: string): SipText {
  const bytes = bytesOf(`<${letters}>`);
  return new SipText(viewOf(bytes), 1, letters.length);
}

test('a text has no bytes before its first and behind its last', () => {
  const t = text('ab');
  expect([t.byte(-1), t.byte(0), t.byte(1), t.byte(2)]).toEqual([NOWHERE, 0x61, 0x62, NOWHERE]);
});

test.each([
  ['0', 0],
  ['5060', 5060],
  ['5060x', 5060],
  ['4294967295', 4294967295],
  ['4294967296', -1],
  ['00000005060', 5060],
  ['000000005060', -1],
  ['', -1],
  ['x', -1],
  ['-1', -1],
  [' 1', -1],
])('the number of %j is %d', (letters, value) => {
  expect(numberAt(text(letters), 0)).toBe(value);
});

test('a number ends where it is told to', () => {
  expect(numberAt(text('123456'), 1, 3)).toBe(23);
});

test('letters are those of Latin-1', () => {
  const letters = Array.from({ length: 256 }, (_, byte) => byte).filter(isLetter);
  expect(letters).toHaveLength(52 + 62);
  expect([isLetter(NOWHERE), isLetter(0xd7), isLetter(0xf7), isLetter(0xe9)]).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('a line begins behind CR, LF or both, and not at the end of the text', () => {
  expect([nextLine(text('a\rb'), 0), nextLine(text('a\nb'), 0), nextLine(text('a\r\nb'), 0)]).toEqual([
    2, 2, 3,
  ]);
  expect([nextLine(text('a\n\nb'), 0), nextLine(text('a\n\rb'), 0)]).toEqual([2, 2]);
  expect([nextLine(text('a\r\n'), 0), nextLine(text('a'), 0), nextLine(text(''), 0)]).toEqual([-1, -1, -1]);
});

test('blanks are skipped over one fold', () => {
  const skip = (letters: string): number => skipBlanks(text(letters), 0, letters.length);
  expect(skip(' \t\r\n \tx')).toBe(6);
  expect(skip('\r\n \r\n x')).toBe(3);
  expect(skip('\r\nx')).toBe(NOWHERE);
  expect(skip('\r\n')).toBe(NOWHERE);
  expect(skip('  ')).toBe(2);
});

test('a word is found in a folded line, but not as its first', () => {
  const find = (letters: string): number => findInHeader(text(letters), 0, letters.length, bytesOf('sip:'));
  expect(find('<SIP:x')).toBe(1);
  expect(find('x\r\n <sip:x')).toBe(5);
  expect(find('x\r\n sip:x')).toBe(NOWHERE);
  expect(find('x\r\nsip:x')).toBe(NOWHERE);
  expect(find('x sip:')).toBe(NOWHERE);
});

test('in a line of a description case matters', () => {
  const find = (letters: string): number => findInLine(text(letters), 0, bytesOf('IN IP4 '));
  expect([find('IN IP4 1'), find('in ip4 1'), find('x\nIN IP4 1')]).toEqual([0, NOWHERE, NOWHERE]);
});

test('the next @ is remembered, and found anew behind it', () => {
  const t = text('ab@cd@e\nf');
  expect([nextAt(t, 0), nextAt(t, 2), nextAt(t, 3), nextAt(t, 6), nextAt(t, 8), nextAt(t, 1)]).toEqual([
    2, 2, 5, 7, 9, 2,
  ]);
});
