import {
  arithmeticValue,
  expandText,
  expandValue,
  expandWord,
  itemIndex,
  type ShellScope,
} from './shell-expand.ts';
import { lexWhole } from './shell-lex.ts';
import type { ShellValue } from './shell-variables.ts';
import { assignmentOf, type ShellAssignment, type ShellWord } from './shell-word.ts';

/** How `declare` marks what it sets. */
export interface Declared {
  readonly isMap?: boolean;
  readonly isNumber?: boolean;
}

/** Does `NAME=value`, `NAME+=value`, `NAME[index]=value` or `NAME=(values)`. @throws SourceError */
export function assign(word: ShellWord, scope: ShellScope, declared: Declared = {}): void {
  const to = assignmentOf(word)!;
  const { variables } = scope;
  const array = word.parts[1];
  if (array?.kind === 'array') {
    assignArray(to, array.words, scope, declared);
    return;
  }
  const value = expandValue(word, to.length, scope);
  if (to.index === null && variables.array(to.name)?.isMap !== true) {
    variables.set(to.name, added(to, variables.get(to.name), value, word, scope, declared));
    return;
  }
  const index = indexOf(to.name, to.index ?? '0', word, scope);
  if (index === null) variables.set(to.name, { opaque: `$${to.name}` });
  else
    variables.setItem(
      to.name,
      index,
      added(to, variables.array(to.name)?.items.get(index), value, word, scope, declared),
    );
}

function added(
  to: ShellAssignment,
  old: ShellValue | undefined,
  value: ShellValue,
  word: ShellWord,
  scope: ShellScope,
  declared: Declared,
): ShellValue {
  if (typeof value !== 'string') return value;
  if (to.isAppend && old !== undefined && typeof old !== 'string') return old;
  if (declared.isNumber !== true) return to.isAppend ? (old ?? '') + value : value;
  const sum = arithmeticValue(
    to.isAppend ? `${old ?? 0}+(${value})` : value,
    { file: scope.file, line: word.at.line },
    scope,
  );
  return sum === null ? { opaque: `$${to.name}` } : String(sum);
}

function indexOf(name: string, text: string, word: ShellWord, scope: ShellScope): string | null {
  const index = expandText(lexWhole(text, { file: scope.file, line: word.at.line }, 'plain'), scope);
  if (typeof index !== 'string') return null;
  return itemIndex(index, scope.variables.array(name) ?? { isMap: false, items: new Map() }, scope);
}

function assignArray(
  to: ShellAssignment,
  words: readonly ShellWord[],
  scope: ShellScope,
  declared: Declared,
): void {
  const { variables } = scope;
  const old = variables.array(to.name);
  const isMap = declared.isMap ?? old?.isMap ?? false;
  const items = new Map<string, ShellValue>(to.isAppend ? old?.items : []);
  let next = Math.max(-1, ...[...items.keys()].map(Number).filter((n) => n >= 0)) + 1;
  for (const word of words) {
    const keyed = /^\[([^\]]*)\]=/.exec(word.parts[0]?.kind === 'text' ? word.parts[0].text : '');
    if (keyed !== null) {
      const value = expandValue(word, keyed[0].length, scope);
      const key = expandText(lexWhole(keyed[1]!, { file: scope.file, line: word.at.line }, 'plain'), scope);
      if (typeof key === 'string') items.set(isMap ? key : itemIndex(key, { isMap, items }, scope), value);
      if (typeof key === 'string' && !isMap) next = Number(key) + 1;
    } else
      for (const { text } of expandWord(word, scope, { unset: 'empty' })) items.set(String(next++), text);
  }
  variables.setArray(to.name, { isMap, items });
}
