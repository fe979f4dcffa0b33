/** Rulesets with a mistake in them: mostly wrong, now and then still right. */
import type { Dice } from '../traffic/dice.ts';

const WORDS: readonly string[] = [
  '!',
  '--dport',
  '-p',
  'tcp',
  '65536',
  '70000',
  '1.2.3.4/33',
  '-j',
  'DROP',
  'accept',
  '{',
  '}',
  'ct',
  'state',
  '==',
  '/',
  '0x',
  '-m',
  'nosuch',
  '""',
  '::1',
  '5-3',
  'jump nowhere',
];

/** The text with one word or character changed in one of its rules. */
export function mutated(dice: Dice, text: string): string {
  const lines = text.split('\n');
  // Lines with a rule: what stands around them makes the same mistake again and again.
  const rules = [...lines.keys()].filter((i) => /^-A|^ {4}/.test(lines[i]!));
  if (rules.length === 0) return text;
  const at = dice.pick(rules);
  const words = lines[at]!.split(' ');
  const n = dice.below(words.length);
  const word = words[n]!;
  switch (dice.weighted({ drop: 15, twice: 10, other: 20, letter: 15, swap: 10, digit: 30 })) {
    case 'digit':
      words[n] = word.replace(/\d+/, () =>
        String(dice.pick([0, 1, 2, 7, 16, 24, 32, 255, 256, 1024, 65535])),
      );
      break;
    case 'drop':
      words.splice(n, 1);
      break;
    case 'twice':
      words.splice(n, 0, word);
      break;
    case 'other':
      words[n] = dice.pick(WORDS);
      break;
    case 'letter': {
      const i = dice.below(word.length + 1);
      words[n] = word.slice(0, i) + dice.pick(['x', '0', '-', '.', ':', '']) + word.slice(i + 1);
      break;
    }
    case 'swap':
      words.splice(n, 2, words[n + 1] ?? '', word);
      break;
  }
  lines[at] = words.join(' ');
  return lines.join('\n');
}

/** The text with damage of any kind: bytes changed, pieces gone, doubled, moved, taken from elsewhere. */
export function scrambled(dice: Dice, text: string): string {
  let out = text;
  for (let n = dice.pick([1, 1, 1, 2, 3, 8]); n > 0; n--) {
    const at = dice.below(out.length + 1);
    const size = dice.pick([1, 1, 2, 5, 20]);
    const piece = out.slice(at, at + size);
    switch (dice.weighted({ delete: 25, double: 15, insert: 25, char: 20, move: 10, mutate: 25 })) {
      case 'delete':
        out = out.slice(0, at) + out.slice(at + size);
        break;
      case 'double':
        out = out.slice(0, at) + piece + out.slice(at);
        break;
      case 'insert':
        out = `${out.slice(0, at)} ${dice.pick(WORDS)} ${out.slice(at)}`;
        break;
      case 'char':
        out =
          out.slice(0, at) +
          dice.pick([...'{}()"\'\\;,.:/-!=\n\t@$*#&|<>\0\u00e9\u{1f600}0x9']) +
          out.slice(at + 1);
        break;
      case 'move': {
        const to = dice.below(out.length + 1);
        const rest = out.slice(0, at) + out.slice(at + size);
        out = rest.slice(0, to) + piece + rest.slice(to);
        break;
      }
      case 'mutate':
        out = mutated(dice, out);
        break;
    }
  }
  return out;
}
