import { plainText, type ShellWord } from './shell-word.ts';

/** Commands that run another, with their options that take a value. */
const WRAPPERS: ReadonlyMap<string, string> = new Map([
  ['sudo', 'ugpC'],
  ['doas', 'u'],
  ['exec', 'a'],
  ['command', ''],
  ['builtin', ''],
  ['env', 'u'],
  ['nice', 'n'],
  ['ionice', 'cn'],
  ['nohup', ''],
  ['stdbuf', 'oei'],
  ['timeout', 'ks'],
]);

/** A command without `sudo`, `env NAME=value` and the like in front; `command -v` stays as it is. */
export function wrapped(words: readonly ShellWord[]): readonly ShellWord[] {
  let rest = words;
  for (;;) {
    const name = plainText(rest[0]).replace(/^.*\//, '');
    const valued = WRAPPERS.get(name);
    if (valued === undefined) return rest;
    if (name === 'command' && /^-[vV]/.test(plainText(rest[1]))) return rest;
    let first = 1;
    for (; /^-./.test(plainText(rest[first])); first++) {
      const option = plainText(rest[first]);
      if (option === '--') {
        first++;
        break;
      }
      if (option.length === 2 && valued.includes(option[1]!)) first++;
    }
    if (name === 'env') while (/^\w+=/.test(plainText(rest[first]))) first++;
    if (name === 'timeout') first++;
    rest = rest.slice(first);
  }
}
