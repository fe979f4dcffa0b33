import type { Status } from './script-tools.ts';
import { posixRegExp, shellPattern } from './shell-pattern.ts';

/** A word of `[ … ]` or `[[ … ]]` whose variables are put in. */
export interface TestWord {
  /** Null if it cannot be told. */
  readonly text: string | null;
  /** The same as a pattern, for what stands right of `==` in `[[ … ]]`; null if it cannot be told. */
  readonly pattern: string | null;
  /** As it was written if it is plain text: operators are. */
  readonly plain: string;
}

/** What a test asks besides its words. */
export interface TestWorld {
  readonly isDouble: boolean;
  /** Whether there is such a file, null if that is not known. */
  exists(path: string): boolean | null;
  /** Takes what a regular expression matched. */
  matched(groups: readonly string[]): void;
}

/** Numbers compared. */
const COMPARE: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ['-eq', (a, b) => a === b],
  ['-ne', (a, b) => a !== b],
  ['-lt', (a, b) => a < b],
  ['-le', (a, b) => a <= b],
  ['-gt', (a, b) => a > b],
  ['-ge', (a, b) => a >= b],
]);
const STRINGS: ReadonlySet<string> = new Set(['=', '==', '!=', '<', '>', '=~', '-nt', '-ot', '-ef']);
/** Tools that a script may look for before it uses them. */
const TOOL = /\/(ip6?tables(-legacy|-nft)?(-restore|-save)?|ipset|nft)$/;
/** What Linux has wherever rules are loaded. */
const ALWAYS =
  /^\/(dev\/null|proc\/sys\/net\/ipv[46](\/(conf|ip_forward|tcp_syncookies)(\/.*)?)?|proc\/net\/if_inet6)$/;
const DEPTH_MAX = 100;
/** So that expressions that repeat come to an end. */
const MATCHED_MAX = 1000;

/**
 * What `[ … ]` or `[[ … ]]` says.
 * @returns null if keepstate cannot tell
 */
export function shellTest(words: readonly TestWord[], world: TestWorld): Status {
  if (words.length === 0) return false;
  const test = new ShellTest(words, world);
  const status = test.either(0);
  return test.isAtEnd ? status : test.isUnsure ? null : false;
}

function not(status: Status): Status {
  return status === null ? null : !status;
}

class ShellTest {
  private readonly words: readonly TestWord[];
  private readonly world: TestWorld;
  private i = 0;

  constructor(words: readonly TestWord[], world: TestWorld) {
    this.words = words;
    this.world = world;
  }

  get isAtEnd(): boolean {
    return this.i >= this.words.length;
  }

  /** Whether a word is there that cannot be told: then its count cannot be told either. */
  get isUnsure(): boolean {
    return this.words.some((word) => word.text === null);
  }

  private plain(ahead: number): string {
    return this.words[this.i + ahead]?.plain ?? '';
  }

  private take(operator: string): boolean {
    if (this.plain(0) !== operator) return false;
    this.i++;
    return true;
  }

  either(depth: number): Status {
    let status = this.both(depth);
    while (this.take(this.world.isDouble ? '||' : '-o')) {
      const right = this.both(depth);
      status = status === true || right === true ? true : status === null || right === null ? null : false;
    }
    return status;
  }

  private both(depth: number): Status {
    let status = this.single(depth);
    while (this.take(this.world.isDouble ? '&&' : '-a')) {
      const right = this.single(depth);
      status = status === false || right === false ? false : status === null || right === null ? null : true;
    }
    return status;
  }

  private single(depth: number): Status {
    if (depth > DEPTH_MAX) return null;
    const operator = this.words[this.i + 1] === undefined ? '' : this.plain(1);
    const isBinary = this.words[this.i + 2] !== undefined && (STRINGS.has(operator) || COMPARE.has(operator));
    if (!isBinary && this.words.length > this.i + 1 && this.take('!')) return not(this.single(depth + 1));
    if (!isBinary && this.words.length > this.i + 1 && this.take('(')) {
      const status = this.either(depth + 1);
      return this.take(')') ? status : null;
    }
    if (isBinary) {
      const [left, , right] = this.words.slice(this.i, this.i + 3);
      this.i += 3;
      return this.binary(left!, operator, right!);
    }
    const next = this.words[this.i + 1];
    if (next !== undefined && /^-[a-zA-Z]$/.test(this.plain(0))) {
      const unary = this.plain(0);
      this.i += 2;
      return next.text === null ? null : this.unary(unary, next.text);
    }
    const { text } = this.words[this.i++] ?? { text: '' };
    return text === null ? null : text !== '';
  }

  private unary(operator: string, text: string): Status {
    if (operator === '-z') return text === '';
    if (operator === '-n') return text !== '';
    if (!/^-[xferdsLhw]$/.test(operator)) return null;
    if (text === '') return false;
    return TOOL.test(text) || ALWAYS.test(text) ? true : this.world.exists(text);
  }

  private binary(left: TestWord, operator: string, right: TestWord): Status {
    const [a, b] = [left.text, right.text];
    if (a === null || b === null) return null;
    if (operator === '=~') return this.regular(a, right.text!);
    if (operator === '<') return a < b;
    if (operator === '>') return a > b;
    if (STRINGS.has(operator) && operator.startsWith('-')) return null;
    if (STRINGS.has(operator)) {
      const fits = this.world.isDouble ? shellPattern(right.pattern ?? b, a) : a === b;
      return fits === (operator !== '!=');
    }
    const isNumber = /^[ \t]*[-+]?\d+[ \t]*$/;
    if (isNumber.test(a) && isNumber.test(b)) return COMPARE.get(operator)!(Number(a), Number(b));
    // `[` says that an integer was expected, and fails; `[[` calculates.
    return this.world.isDouble
      ? a === '' && isNumber.test(b)
        ? COMPARE.get(operator)!(0, Number(b))
        : null
      : false;
  }

  private regular(text: string, source: string): Status {
    const regExp = text.length > MATCHED_MAX ? null : posixRegExp(source, true);
    if (regExp === null) return null;
    const m = regExp.exec(text);
    if (m !== null) this.world.matched([...m].map((group) => group ?? ''));
    return m !== null;
  }
}
