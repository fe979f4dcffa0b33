import { SourceError } from '../base/error.ts';
import type { Status } from './script-tools.ts';
import { toolOf } from './script-tools.ts';
import { arithmetic } from './shell-arithmetic.ts';
import { assign } from './shell-assign.ts';
import type { SimpleCommand } from './shell-ast.ts';
import { arithmeticValue, expandText, expandWord } from './shell-expand.ts';
import { FILTER_NAMES, filtered } from './shell-filter.ts';
import { getopts } from './shell-getopts.ts';
import type { ShellHost } from './shell-host.ts';
import { echoText, printfText } from './shell-printf.ts';
import { mapfile, readLine } from './shell-read.ts';
import { assignmentOf, type ShellWord } from './shell-word.ts';

/** A builtin or small tool: what follows its name as written, the command, and the shell. */
type Builtin = (words: readonly ShellWord[], node: SimpleCommand, shell: ShellHost, name: string) => Status;
/** The same with its words expanded. */
type Command = (words: readonly string[], node: SimpleCommand, shell: ShellHost, name: string) => Status;

/** So that a script cannot make up files without end. */
const FILES_MAX = 10_000;

/** A command for which words that cannot be told make its output unknown and no more. */
function plain(run: Command): Builtin {
  return (words, node, shell, name) => {
    const texts: string[] = [];
    try {
      for (const word of words)
        texts.push(...expandWord(word, shell, { unset: 'empty' }).map(({ text }) => text));
    } catch {
      shell.output?.mark(`'${name}'`);
      return null;
    }
    return run(texts, node, shell, name);
  };
}

const declare: Builtin = (words, _node, shell, name) => {
  let isMap = false;
  let isNumber = false;
  let isExport = name === 'export';
  for (const word of words) {
    const to = assignmentOf(word);
    const text = to === null ? expandText(word, shell) : '';
    if (typeof text !== 'string') continue;
    if (/^[-+]./.test(text)) {
      if (text.includes('A')) isMap = true;
      if (text.includes('i')) isNumber = true;
      if (text.includes('x')) isExport = true;
      continue;
    }
    const target = to?.name ?? text;
    if (!/^[A-Za-z_]\w*$/.test(target)) continue;
    const isLocal = name === 'local' || (shell.variables.isInFunction && /^(declare|typeset)$/.test(name));
    // The value is what it is before the name is hidden: `local a=$a`.
    if (to !== null && isLocal)
      shell.variables.hideBehind(target, () => assign(word, shell, { isMap, isNumber }));
    else if (to !== null) assign(word, shell, isMap ? { isMap, isNumber } : { isNumber });
    else if (isLocal) shell.variables.hide(target);
    if (to === null && isMap) shell.variables.setArray(target, { isMap, items: new Map() });
    if (isNumber) shell.variables.numbers.add(target);
    if (isExport) shell.variables.exported.add(target);
  }
  return true;
};

function jump(words: readonly string[], shell: ShellHost, how: 'exit' | 'return'): Status {
  const given = words[0];
  const status =
    given === undefined ? shell.variables.status : /^\d+$/.test(given) ? Number(given) & 255 : null;
  shell.leave(how, 0, status);
  return shell.variables.outcome;
}

function set(words: readonly string[], shell: ShellHost): Status {
  for (const [i, word] of words.entries()) {
    if (word === '--' || !/^[-+]./.test(word)) {
      shell.variables.setArgs(words.slice(word === '--' ? i + 1 : i));
      return true;
    }
    const isOption = words[i - 1] === '-o' || words[i - 1] === '+o';
    if (/^[-+][a-z]*e/.test(word)) shell.isErrexit = word.startsWith('-');
    if (/^[-+][a-z]*o$/.test(word)) {
      const option = words[i + 1];
      if (option === 'errexit') shell.isErrexit = word.startsWith('-');
      if (option === 'pipefail') shell.isPipefail = word.startsWith('-');
      if (option !== undefined && !isOption) return set(words.slice(i + 2), shell);
    }
  }
  return true;
}

function printed(text: string | null, name: string, shell: ShellHost): Status {
  if (text === null) shell.output?.mark(`'${name}'`);
  else shell.output?.print(text);
  return true;
}

const printf: Command = (words, _node, shell, name) => {
  const [option, variable, ...rest] = words;
  if (option !== '-v' || variable === undefined) return printed(printfText(words), name, shell);
  shell.variables.set(variable, printfText(rest) ?? { opaque: `$${variable}` });
  return true;
};

const cat: Command = (words, _node, shell, name) => {
  for (const file of words.length === 0 ? ['-'] : words) {
    const value = file === '-' ? (shell.input?.rest() ?? null) : shell.files.read(file);
    if (typeof value === 'string') shell.output?.print(value);
    else shell.output?.mark(`'${name}'`);
  }
  return true;
};

const tee: Command = (words, _node, shell) => {
  const text = shell.input?.rest() ?? null;
  for (const file of words.filter((word) => !word.startsWith('-')))
    shell.files.write(file, text ?? { opaque: file }, words.includes('-a'));
  return printed(text, 'tee', shell);
};

/** What `which NAME` and `command -v NAME` answer. */
const which: Command = (words, _node, shell) => {
  let status: Status = true;
  for (const word of words.filter((each) => !each.startsWith('-'))) {
    const isOwn = shell.functions.has(word) || BUILTINS.has(word);
    if (isOwn && !FILTER_NAMES.includes(word)) shell.output?.print(`${word}\n`);
    else if (toolOf(word) !== null)
      shell.output?.print(word.includes('/') ? `${word}\n` : `/usr/sbin/${word}\n`);
    else {
      shell.output?.mark(`the path of '${word}'`);
      status = null;
    }
  }
  return status;
};

const shift: Command = (words, _node, shell) => {
  const { args, isKnown } = shell.variables.frame;
  const by = Number(words[0] ?? 1);
  if (!isKnown) return null;
  if (by > args.length) return false;
  shell.variables.setArgs(args.slice(by));
  return true;
};

const unset: Command = (words, _node, shell) => {
  for (const word of words) {
    const m = /^(\w+)(?:\[(.*)\])?$/.exec(word);
    if (m !== null) shell.variables.unset(m[1]!, m[2] ?? null);
    if (words[0] === '-f') shell.functions.delete(word);
  }
  return true;
};

const evaluate: Builtin = (words, node, shell) => {
  const texts = words.flatMap((word) => expandWord(word, shell, { unset: 'empty' })).map(({ text }) => text);
  return shell.runText(texts.join(' '), node.at);
};

const letBuiltin: Command = (words, node, shell) => {
  let last: bigint | null = 0n;
  for (const word of words) last = arithmeticValue(word, { file: node.at.file, line: node.at.line }, shell);
  return last === null ? null : last !== 0n;
};

const expr: Command = (words, _node, shell) => {
  const text = words.join(' ').replace(/(^| )=( |$)/, '$1==$2');
  const isPlain = /^[-\d +*/%<>=!()]+$/.test(text);
  const value = isPlain ? arithmetic(text, { get: () => undefined, set: () => {} }) : null;
  printed(value === null ? null : `${value}\n`, 'expr', shell);
  return value === null ? null : value !== 0n;
};

const trap: Command = (words, _node, shell) => {
  const [action, ...signals] = words[0] === '--' ? words.slice(1) : words;
  if (signals.some((signal) => signal === 'EXIT' || signal === '0'))
    shell.atExit = action === '-' ? null : action!;
  return true;
};

/** The folder that `cd` led to, as far as the script says: scripts name files by it; null if it does not. */
function folderOf(shell: ShellHost): string | null {
  const folder = shell.variables.has('PWD') ? shell.variables.get('PWD') : null;
  return typeof folder === 'string' ? folder : null;
}

const cd: Command = (words, _node, shell) => {
  const [to] = words.filter((word) => !word.startsWith('-'));
  const before = shell.variables.has('PWD') ? shell.variables.get('PWD') : '';
  const isWhole = to?.startsWith('/') || before === '';
  if (to === undefined || (!isWhole && typeof before !== 'string'))
    shell.variables.set('PWD', { opaque: '$PWD' });
  else shell.variables.set('PWD', isWhole ? to : `${before}/${to}`);
  return true;
};

const pwd: Command = (_words, _node, shell) => {
  const folder = folderOf(shell);
  return printed(folder === null ? null : `${folder}\n`, 'pwd', shell);
};

const mktemp: Command = (words, _node, shell) => {
  if (shell.files.count > FILES_MAX) return null;
  const path = `/tmp/tmp.${shell.files.count}`;
  shell.files.write(path, words.includes('-d') ? { opaque: path } : '', false);
  return printed(`${path}\n`, 'mktemp', shell);
};

function unknownItems(name: string, node: SimpleCommand, shell: ShellHost): Status {
  if (toolOf(name) !== null)
    throw new SourceError('what comes through a pipe is not known here', node.at, 'give the text with <<EOF');
  shell.output?.mark('xargs');
  return null;
}

/** `xargs [-n 1] [-I {}] command …` */
const xargs: Command = (words, node, shell) => {
  let first = 0;
  let by = 0;
  let mark = '';
  for (; /^-/.test(words[first] ?? ''); first++) {
    const m = /^-([nIiLr0])(.*)$/.exec(words[first]!);
    if (m === null || m[1] === '0') return null;
    const value = m[2] !== '' || m[1] === 'i' || m[1] === 'r' ? m[2]! : (words[++first] ?? '');
    if (m[1] === 'I' || m[1] === 'i') mark = value === '' ? '{}' : value;
    else if (m[1] !== 'r') by = Number(value);
  }
  const text = shell.input?.rest() ?? null;
  const command = words.slice(first);
  if (text === null) return unknownItems(command[0] ?? '', node, shell);
  const items = text.split(mark === '' ? /\s+/ : '\n').filter((item) => item !== '');
  let status: Status = true;
  if (mark !== '')
    for (const item of items)
      status = shell.runWords(
        command.map((word) => word.replaceAll(mark, item)),
        node,
      );
  else
    for (let i = 0; i < items.length; i += by || items.length)
      status = shell.runWords([...command, ...items.slice(i, by === 0 ? undefined : i + by)], node);
  return status;
};

const shellCommand: Command = (words, node, shell) => {
  const at = words.findIndex((word) => /^-[a-z]*c$/.test(word));
  if (at >= 0 && words[at + 1] !== undefined)
    return shell.runShell(words[at + 1]!, words.slice(at + 3), node.at);
  const file = words.findIndex((word) => !word.startsWith('-'));
  const text = file < 0 ? (shell.input?.rest() ?? null) : shell.files.read(words[file]!);
  if (typeof text === 'string') return shell.runShell(text, words.slice(file + 1), node.at);
  shell.warn(`the script ${words[file] ?? 'that comes through a pipe'}`, node);
  return null;
};

const alias: Command = (words, _node, shell) => {
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals > 0) shell.aliases.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return true;
};

function remove(words: readonly string[], shell: ShellHost): Status {
  for (const word of words) if (!word.startsWith('-')) shell.files.remove(word);
  return true;
}

const loopLeave: Command = (words, _node, shell, name) => {
  shell.leave(name as 'break' | 'continue', Math.max(1, Number(words[0] ?? 1) || 1), 0);
  return true;
};

const filter: Command = (words, _node, shell, name) => {
  const out = filtered(name, words, shell.input?.rest() ?? null, (path) => shell.files.text(path));
  if (out === null) {
    shell.output?.mark(`'${name}'`);
    return null;
  }
  shell.output?.print(out.text);
  return out.status;
};

const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ...['export', 'readonly', 'local', 'declare', 'typeset'].map((name) => [name, declare] as const),
  ['exit', plain((words, _node, shell) => jump(words, shell, 'exit'))],
  ['return', plain((words, _node, shell) => jump(words, shell, 'return'))],
  ['break', plain(loopLeave)],
  ['continue', plain(loopLeave)],
  ['set', plain((words, _node, shell) => set(words, shell))],
  ['shift', plain(shift)],
  ['unset', plain(unset)],
  ['eval', evaluate],
  ['let', plain(letBuiltin)],
  ['expr', plain(expr)],
  ['read', plain((words, _node, shell) => readLine(words, shell))],
  ['mapfile', plain((words, _node, shell) => mapfile(words, shell))],
  ['readarray', plain((words, _node, shell) => mapfile(words, shell))],
  ['getopts', plain((words, _node, shell) => getopts(words, shell))],
  ['echo', plain((words, _node, shell) => printed(echoText(words, shell.isDash), 'echo', shell))],
  ['printf', plain(printf)],
  ['cat', plain(cat)],
  ['tee', plain(tee)],
  [':', plain(() => true)],
  ['true', plain(() => true)],
  ['command', plain(which)],
  ['which', plain(which)],
  ['type', plain(which)],
  ['hash', plain(which)],
  ['trap', plain(trap)],
  ['cd', plain(cd)],
  ['pwd', plain(pwd)],
  ['mktemp', plain(mktemp)],
  ['xargs', plain(xargs)],
  ['bash', plain(shellCommand)],
  ['sh', plain(shellCommand)],
  ['dash', plain(shellCommand)],
  ['alias', plain(alias)],
  ['rm', plain((words, _node, shell) => remove(words, shell))],
  ...FILTER_NAMES.map((name) => [name, plain(filter)] as const),
  ['false', () => false],
]);

/** The builtin, or small tool, of a name; undefined if there is none. */
export function builtinOf(name: string): Builtin | undefined {
  return BUILTINS.get(name);
}
