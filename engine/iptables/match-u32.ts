import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { hex, scanUint } from './values.ts';
import { XtMatch } from './xt-match.ts';

type Op = '&' | '<<' | '>>' | '@';

interface Test {
  /** The first number is an offset, the others are operands. */
  readonly numbers: number[];
  readonly ops: Op[];
  readonly ranges: [number, number][];
}

interface U32Spec {
  tests: readonly Test[];
  inverted: boolean;
}

/** XT_U32_MAXSIZE: most tests, and most parts of one. */
const MAX = 10;

class U32Match extends XtMatch {
  private readonly spec: U32Spec;

  constructor(spec: U32Spec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { tests, inverted } = this.spec;
    for (let i = 0; i < tests.length; i++) if (!holds(state, tests[i]!)) return inverted;
    return !inverted;
  }
}

function holds(state: HookState, test: Test): boolean {
  const { view, off, end } = state.pkt;
  const length = end - off;
  const { numbers, ops, ranges } = test;
  let at = 0;
  if (length < 4 || numbers[0]! > length - 4) return false;
  let value = view.getUint32(off + numbers[0]!);
  for (let i = 0; i < ops.length; i++) {
    const operand = numbers[i + 1]!;
    switch (ops[i]!) {
      case '&':
        value = (value & operand) >>> 0;
        break;
      case '<<':
        value = (value << (operand & 31)) >>> 0;
        break;
      case '>>':
        value >>>= operand & 31;
        break;
      default:
        at += value;
        if (at > 0xffffffff || length < at + 4 || operand > length - at - 4) return false;
        value = view.getUint32(off + at + operand);
    }
  }
  for (let i = 0; i < ranges.length; i++) if (value >= ranges[i]![0] && value <= ranges[i]![1]) return true;
  return false;
}

/** Reads the tests from left to right. */
class U32Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  tests(): Test[] {
    const out: Test[] = [];
    for (;;) {
      out.push(this.test());
      this.blanks();
      if (this.at >= this.text.length) return out;
      if (!this.take('&&')) throw this.error('expected "&&"');
      if (out.length === MAX) throw this.error('too many "&&"s');
    }
  }

  private test(): Test {
    const test: Test = { numbers: [this.number('location spec missing')], ops: [], ranges: [] };
    for (;;) {
      this.blanks();
      if (this.take('=')) break;
      if (this.at >= this.text.length)
        throw new XtError('u32: abrupt end of input after location specifier', undefined, 0);
      const op = (['&', '<<', '>>', '@'] as const).find((o) => this.take(o));
      if (op === undefined) throw this.error('operator expected');
      if (test.numbers.length === MAX) throw this.error('too many operators');
      test.ops.push(op);
      test.numbers.push(this.number('number expected'));
    }
    do {
      if (test.ranges.length === MAX) throw this.error('too many ","s');
      this.blanks();
      if (this.at >= this.text.length)
        throw new XtError('u32: test ended with no value specified', undefined, 0);
      const low = this.number('value expected');
      this.blanks();
      test.ranges.push([low, this.take(':') ? this.number('value expected') : low]);
      this.blanks();
    } while (this.take(','));
    return test;
  }

  private number(missing: string): number {
    this.blanks();
    const got = scanUint(this.text, this.at);
    if (this.at >= this.text.length && missing === 'location spec missing' && this.at > 0)
      throw new XtError('u32: abrupt end of input after location specifier', undefined, 0);
    if (got === null || got.value > 0xffffffff) throw this.error(missing);
    this.at = got.end;
    return got.value;
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }

  private take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    // A single & is an operator, two are the next test.
    this.at += word.length;
    return true;
  }

  private error(what: string): XtError {
    return new XtError(`u32: at char ${this.at}: ${what}`, undefined, 0);
  }
}

function testText(test: Test): string {
  const where = test.numbers.map((n, i) => (i === 0 ? hex(n) : `${test.ops[i - 1]}${hex(n)}`)).join('');
  const values = test.ranges.map(([a, b]) => (a === b ? hex(a) : `${hex(a)}:${hex(b)}`)).join(',');
  return `${where}=${values}`;
}

/** `-m u32`: any four bytes of the packet. */
export const MATCH_U32: Extension<U32Spec> = {
  kind: 'match',
  name: 'u32',
  families: XT_BOTH,
  options: [
    {
      name: 'u32',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.tests = new U32Parser(arg.text).tests();
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ tests: [], inverted: false }),
  check: ({ tests }) => {
    for (const { numbers, ops } of tests)
      if (ops.some((op, i) => (op === '<<' || op === '>>') && numbers[i + 1]! > 31))
        throw new XtError('u32: a shift has no more than 31 bits');
  },
  save: (spec) => `${spec.inverted ? '! ' : ''}--u32 "${spec.tests.map(testText).join('&&')}"`,
  lower: (spec) => [new U32Match(spec)],
};
