import { SourceError, type Span } from '../base/error.ts';
import type { Word } from '../iptables/words.ts';
import { arithmetic } from './shell-arithmetic.ts';
import { expandBraces } from './shell-brace.ts';
import { lexWhole } from './shell-lex.ts';
import { quotePattern, replacePattern, trimPattern } from './shell-pattern.ts';
import type { HereDocument, LexFrom } from './shell-token.ts';
import type { ShellArray, ShellValue, ShellVariables } from './shell-variables.ts';
import type { ShellParameter, ShellPart, ShellWord } from './shell-word.ts';

/** What words are expanded with. */
export interface ShellScope {
  readonly file: string;
  readonly variables: ShellVariables;
  /** Notes what is wrong. */
  error(error: SourceError): void;
  /** What a command prints, without the ends of lines at its end; of `<(…)` a file's name. */
  substitute(part: Extract<ShellPart, { kind: 'command' }>): ShellValue;
}

/** How to expand. */
export interface ExpandOptions {
  /** What an unset variable is: an error, or nothing, as the shell has it. */
  readonly unset: 'error' | 'empty';
}

const EMPTY: ExpandOptions = { unset: 'empty' };
const DEPTH_MAX = 50;
let depth = 0;

/** What a word stands for: several words if an unquoted variable holds blanks, none if it is empty. @throws SourceError if only a shell could tell */
export function expandWord(word: ShellWord, scope: ShellScope, options: ExpandOptions): Word[] {
  return expandBraces(word).flatMap((each) => fieldsOf(each, scope, options));
}

function fieldsOf(word: ShellWord, scope: ShellScope, options: ExpandOptions): Word[] {
  let open = false;
  let text = '';
  const out: Word[] = [];
  const end = (): void => {
    if (open) out.push({ text, at: word.at });
    open = false;
    text = '';
  };
  const ifs = scope.variables.get('IFS');
  for (const part of word.parts) {
    const all = part.kind === 'variable' ? manyValues(part, scope) : null;
    if (all !== null) {
      // "$@" is as many words as there are values, whatever is in them.
      for (const [n, value] of all.entries()) {
        if (n > 0) end();
        text += known(value, placeOf(part, word));
        open = true;
      }
      continue;
    }
    const value = known(partValue(part, word, scope, options), placeOf(part, word));
    if (part.kind === 'text' || part.kind === 'array' || part.quoted) {
      text += value;
      open = true;
      continue;
    }
    for (const c of value) {
      if (typeof ifs !== 'string' || !ifs.includes(c)) {
        text += c;
        open = true;
      } else if (!open && c.trim() !== '') out.push({ text: '', at: word.at });
      else end();
    }
  }
  end();
  return out;
}

/** A value that can be told. @throws SourceError if it cannot */
export function known(value: ShellValue, at: Span): string {
  if (typeof value === 'string') return value;
  throw new SourceError(`what ${value.opaque} gives is not known here`, at, 'write the value itself');
}

/** Where a part stands; the whole word if that is on the same line. */
function placeOf(part: ShellPart, word: ShellWord): Span {
  return 'at' in part && part.at.line !== word.at.line ? part.at : word.at;
}

/** The values of `"$@"`, `"${NAME[@]}"` and `"${!NAME[@]}"`, each a word of its own; null for all else. */
function manyValues(part: ShellParameter, scope: ShellScope): readonly ShellValue[] | null {
  const { operator, quoted } = part;
  const all = quoted && !/^(length|indirect|:?[-=?+])$/.test(operator) ? listValues(part, scope) : null;
  if (all === null || operator === '' || operator === 'keys') return all;
  if (operator === ':') return sliced(all, part, scope);
  return all.map((value) => (typeof value === 'string' ? changed(value, part, scope) : value));
}

function listValues(part: ShellParameter, scope: ShellScope): readonly ShellValue[] | null {
  const isAll = part.subscript?.parts[0]?.kind === 'text' && part.subscript.parts[0].text === '@';
  const { frame } = scope.variables;
  if (part.name === '@' && part.subscript === null)
    return frame.isKnown || frame.args.length > 0 ? frame.args : null;
  if (!isAll) return null;
  const array = scope.variables.array(part.name);
  if (array === null) return scope.variables.get(part.name) === undefined ? [] : null;
  return part.operator === 'keys' ? [...array.items.keys()] : inOrder(array);
}

/** `"${NAME[@]:from:count}"`; the arguments count from 1. */
function sliced(
  all: readonly ShellValue[],
  part: ShellParameter,
  scope: ShellScope,
): readonly ShellValue[] | null {
  const first = part.name === '@' ? 1 : 0;
  const [from, count] = [numberOf(part.operand, part, scope), numberOf(part.second, part, scope)];
  if (from === null || (part.second !== null && count === null) || (first === 1 && from === 0)) return null;
  const start = from < 0 ? all.length + from : from - first;
  return start < 0 ? [] : all.slice(start, part.second === null ? undefined : start + Math.max(0, count!));
}

function numberOf(word: ShellWord | null, part: ShellParameter, scope: ShellScope): number | null {
  const text = word === null ? '' : expandText(word, scope);
  if (typeof text !== 'string') return null;
  const value = arithmeticValue(text, { file: scope.file, line: part.at.line }, scope);
  return value === null ? null : Number(value);
}

/** Values by ascending index. */
function inOrder(array: { isMap: boolean; items: ReadonlyMap<string, ShellValue> }): ShellValue[] {
  const all = [...array.items];
  if (!array.isMap) all.sort(([a], [b]) => Number(a) - Number(b));
  return all.map(([, value]) => value);
}

function partValue(part: ShellPart, word: ShellWord, scope: ShellScope, options: ExpandOptions): ShellValue {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'opaque':
      return { opaque: part.what };
    case 'array':
      return { opaque: 'an array' };
    case 'command':
      return scope.substitute(part);
    case 'arithmetic': {
      const value = arithmeticValue(part.text, { file: scope.file, line: part.at.line }, scope);
      return value === null ? { opaque: `$((${part.text}))` } : String(value);
    }
    default:
      return parameterValue(part, word, scope, options);
  }
}

/** What `$((text))` gives, null if it cannot be told. */
export function arithmeticValue(text: string, from: LexFrom, scope: ShellScope): bigint | null {
  const plain = expandText(lexWhole(text, from, 'quoted'), scope);
  if (typeof plain !== 'string') return null;
  return arithmetic(plain, {
    get: (name) => {
      const value = numberVariable(name, scope) ?? '';
      return typeof value === 'string' ? value : undefined;
    },
    set: (name, value) => {
      const [, own, index] = ELEMENT.exec(name) ?? [];
      if (own === undefined) scope.variables.set(name, value);
      else
        scope.variables.setItem(own, itemIndex(index!, scope.variables.array(own) ?? NO_ITEMS, scope), value);
    },
  });
}

const ELEMENT = /^(\w+)\[(.*)\]$/s;
const NO_ITEMS: ShellArray = { isMap: false, items: new Map() };

/** The value of `NAME` or `NAME[index]` as arithmetic has them. */
function numberVariable(name: string, scope: ShellScope): ShellValue | undefined {
  const [, own, index] = ELEMENT.exec(name) ?? [];
  if (own === undefined) return scope.variables.get(name);
  const array = scope.variables.array(own);
  return array?.items.get(itemIndex(index!, array, scope));
}

/** The value itself, before any operator. */
function bareValue(part: ShellParameter, scope: ShellScope): ShellValue | undefined {
  const { variables } = scope;
  if (part.subscript === null) return variables.get(part.name);
  const index = expandText(part.subscript, scope);
  if (typeof index !== 'string') return index;
  const array = variables.array(part.name);
  if (array === null) return undefined;
  if (index === '@' || index === '*') {
    const values = inOrder(array);
    const ifs = index === '*' && part.quoted ? variables.get('IFS') : ' ';
    return (
      values.find((value) => typeof value !== 'string') ?? values.join(typeof ifs === 'string' ? ifs[0] : ' ')
    );
  }
  return array.items.get(itemIndex(index, array, scope));
}

/** The index that a word of `NAME[word]` means. */
export function itemIndex(
  text: string,
  array: { isMap: boolean; items: ReadonlyMap<string, ShellValue> },
  scope: ShellScope,
): string {
  if (array.isMap) return text;
  const index = Number(arithmeticValue(text, { file: scope.file, line: 1 }, scope) ?? -1n);
  return String(index < 0 ? Math.max(-1, ...[...array.items.keys()].map(Number)) + 1 + index : index);
}

function parameterValue(
  part: ShellParameter,
  word: ShellWord,
  scope: ShellScope,
  options: ExpandOptions,
): ShellValue {
  const { operator, name } = part;
  if (operator === 'length') return lengthOf(part, scope);
  if (operator === 'keys') return [...(scope.variables.array(name)?.items.keys() ?? [])].join(' ');
  const value = bareValue(part, scope);
  if (operator === 'indirect') {
    if (typeof value !== 'string') return value ?? '';
    return scope.variables.get(value) ?? '';
  }
  const isUnset = value === undefined || (value === '' && operator.startsWith(':') && operator !== ':');
  if (/^:?[-=?+]$/.test(operator)) {
    if (operator.endsWith('+')) return isUnset ? '' : operandText(part, scope);
    if (!isUnset) return value!;
    if (operator.endsWith('?')) {
      scope.error(
        new SourceError(
          `$${name} is not set here, which ends the script`,
          part.at,
          `write ${name}=… before it`,
        ),
      );
      return { opaque: `$${name}` };
    }
    const instead = operandText(part, scope);
    if (operator.endsWith('=')) scope.variables.set(name, instead);
    return instead;
  }
  if (value !== undefined)
    return operator === '' || typeof value !== 'string' ? value : changed(value, part, scope);
  if (options.unset === 'empty') return '';
  const hint = /^[\d@*]/.test(name) ? 'write the value itself' : `write ${name}=… before it`;
  throw new SourceError(`$${name} is not set here`, placeOf(part, word), hint);
}

function lengthOf(part: ShellParameter, scope: ShellScope): ShellValue {
  const index = part.subscript === null ? null : expandText(part.subscript, scope);
  const { variables } = scope;
  if (index === '@' || index === '*') return String(variables.array(part.name)?.items.size ?? 0);
  if ((part.name === '@' || part.name === '*') && part.subscript === null) return variables.get('#')!;
  const value = bareValue(part, scope) ?? '';
  return typeof value === 'string' ? String([...value].length) : value;
}

function operandText(part: ShellParameter, scope: ShellScope): ShellValue {
  return part.operand === null ? '' : expandText(part.operand, scope);
}

/** What `#`, `%`, `/`, `^`, `,` and `:` make of a value. */
function changed(value: string, part: ShellParameter, scope: ShellScope): ShellValue {
  const { operator } = part;
  const opaque = { opaque: `\${${part.name}${operator}…}` };
  if (operator === ':') return substring(value, part, scope) ?? opaque;
  const pattern = part.operand === null ? '' : expandPattern(part.operand, scope);
  if (typeof pattern !== 'string') return pattern;
  if (/^[#%]/.test(operator)) return trimPattern(value, pattern, operator) ?? opaque;
  if (operator.startsWith('/')) {
    const by = part.second === null ? '' : expandText(part.second, scope);
    return typeof by === 'string' ? (replacePattern(value, pattern, by, operator) ?? opaque) : by;
  }
  if (pattern !== '') return opaque;
  const change = (text: string): string =>
    operator.startsWith('^') ? text.toUpperCase() : text.toLowerCase();
  return operator.length === 2 ? change(value) : change(value.slice(0, 1)) + value.slice(1);
}

function substring(value: string, part: ShellParameter, scope: ShellScope): string | null {
  const from = numberOf(part.operand, part, scope);
  const count = part.second === null ? value.length : numberOf(part.second, part, scope);
  if (from === null || count === null || part.subscript !== null || /^[@*]$/.test(part.name)) return null;
  const start = from < 0 ? value.length + from : from;
  if (start < 0) return '';
  return value.slice(start, count < 0 ? value.length + count : start + count);
}

/** All of a word as one text: nothing is split. */
export function expandText(word: ShellWord, scope: ShellScope, options: ExpandOptions = EMPTY): ShellValue {
  return joined(word.parts, word, scope, options, (text) => text);
}

/** The same as a pattern, in which quoted text stands for itself. */
export function expandPattern(word: ShellWord, scope: ShellScope): ShellValue {
  return joined(word.parts, word, scope, EMPTY, (text, part) =>
    part.kind === 'array' || !part.quoted ? text : quotePattern(text),
  );
}

/** The value of an assignment `NAME=word`. @param skip characters in front of it */
export function expandValue(word: ShellWord, skip: number, scope: ShellScope): ShellValue {
  const [first, ...rest] = word.parts;
  const text = first?.kind === 'text' ? first.text.slice(skip) : '';
  return joined([{ kind: 'text', text, quoted: false }, ...rest], word, scope, EMPTY, (each) => each);
}

function joined(
  parts: readonly ShellPart[],
  word: ShellWord,
  scope: ShellScope,
  options: ExpandOptions,
  take: (text: string, part: ShellPart) => string,
): ShellValue {
  let out = '';
  if (depth >= DEPTH_MAX) return { opaque: 'what is this deep' };
  depth++;
  try {
    for (const part of parts) {
      const value = partValue(part, word, scope, options);
      if (typeof value !== 'string') return value;
      out += take(value, part);
    }
  } finally {
    depth--;
  }
  return out;
}

/** The text of a here-document with its variables put in. @throws SourceError */
export function expandDocument(here: HereDocument, scope: ShellScope): string {
  if (here.literal) return here.text;
  const { parts, at } = lexWhole(here.text, { file: scope.file, line: here.line }, 'document');
  return parts
    .map((part) => {
      const word = 'at' in part ? { parts: [part], at: part.at } : { parts: [part], at };
      return known(partValue(part, word, scope, { unset: 'error' }), placeOf(part, word));
    })
    .join('');
}
