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
  switch (dice.weighted({ drop: 25, twice: 10, other: 30, letter: 20, swap: 15 })) {
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
