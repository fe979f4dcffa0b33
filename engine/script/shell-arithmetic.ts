/** Gives and takes the values of variables, `NAME` or `NAME[index]`. */
export interface ArithmeticVariables {
  /** Its value; undefined if nobody but a shell could tell. */
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/** Binary operators, from those that bind least. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];
const OPERATE: Readonly<Record<string, (a: bigint, b: bigint) => bigint | boolean>> = {
  '||': (a, b) => a !== 0n || b !== 0n,
  '&&': (a, b) => a !== 0n && b !== 0n,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => a >> (b & 63n),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => (b < 0n || b > 64n ? 0n : a ** b),
};
const TOKEN =
  /\s*(0[xX][0-9a-fA-F]+|\d+#\w+|\d+|\$?[A-Za-z_]\w*(?:\[[^[\]]*\])?|\*\*|<<=|>>=|\+\+|--|[-+*/%&|^]=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>=!~&|^?:(),])/y;
const DEPTH_MAX = 60;

/** What the text of `$((…))` gives, whose `$NAME` are put in. @returns null if it cannot be told */
export function arithmetic(text: string, variables: ArithmeticVariables): bigint | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; /\S/.test(text.slice(at, at + 1)) || at < text.trimEnd().length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const m = TOKEN.exec(text);
    if (m === null) return null;
    tokens.push(m[1]!);
  }
  if (tokens.length === 0) return 0n;
  try {
    return new Arithmetic(tokens, variables).all();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Throws RangeError at what it does not understand. */
class Arithmetic {
  private readonly tokens: readonly string[];
  private readonly variables: ArithmeticVariables;
  private i = 0;
  private depth = 0;

  constructor(tokens: readonly string[], variables: ArithmeticVariables) {
    this.tokens = tokens;
    this.variables = variables;
  }

  all(): bigint {
    let value = this.assigned();
    while (this.take(',')) value = this.assigned();
    if (this.i < this.tokens.length) throw new RangeError(this.tokens[this.i]);
    return value;
  }

  private take(token: string): boolean {
    if (this.tokens[this.i] !== token) return false;
    this.i++;
    return true;
  }

  private assigned(): bigint {
    if (++this.depth > DEPTH_MAX) throw new RangeError('too deep');
    const name = this.tokens[this.i]!;
    const operator = this.tokens[this.i + 1] ?? '';
    let value: bigint;
    if (/^[A-Za-z_]/.test(name) && /^(=|[-+*/%&|^]=|<<=|>>=)$/.test(operator)) {
      this.i += 2;
      const right = this.assigned();
      value = operator === '=' ? right : operate(operator.slice(0, -1), this.number(name), right);
      this.variables.set(name, String(value));
    } else value = this.conditional();
    this.depth--;
    return value;
  }

  private conditional(): bigint {
    const test = this.binary(0);
    if (!this.take('?')) return test;
    const yes = this.assigned();
    if (!this.take(':')) throw new RangeError('?');
    const no = this.assigned();
    return test !== 0n ? yes : no;
  }

  private binary(level: number): bigint {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = this.tokens[this.i];
      if (operator === undefined || !operators.includes(operator)) return left;
      this.i++;
      left = operate(operator, left, this.binary(level + 1));
    }
  }

  private unary(): bigint {
    const token = this.tokens[this.i++];
    if (token === undefined || ++this.depth > DEPTH_MAX) throw new RangeError('end');
    const value = this.unaryOf(token);
    this.depth--;
    return value;
  }

  private unaryOf(token: string): bigint {
    if (token === '-') return -this.unary();
    if (token === '+') return this.unary();
    if (token === '!') return this.unary() === 0n ? 1n : 0n;
    if (token === '~') return ~this.unary();
    if (token === '++' || token === '--') return this.step(this.tokens[this.i++] ?? '', token);
    if (token === '(') {
      const value = this.assigned();
      if (!this.take(')')) throw new RangeError('(');
      return value;
    }
    if (!/^[A-Za-z_]/.test(token)) return literal(token);
    const value = this.number(token);
    if (this.take('++')) this.step(token, '++');
    else if (this.take('--')) this.step(token, '--');
    return value;
  }

  private step(name: string, operator: string): bigint {
    const value = this.number(name) + (operator === '++' ? 1n : -1n);
    this.variables.set(name, String(value));
    return value;
  }

  private number(name: string): bigint {
    if (!/^[A-Za-z_]\w*(\[.*\])?$/s.test(name)) throw new RangeError(name);
    const value = this.variables.get(name);
    if (value === undefined) throw new RangeError(name);
    return value.trim() === '' ? 0n : literal(value.trim());
  }
}

function operate(operator: string, a: bigint, b: bigint): bigint {
  if ((operator === '/' || operator === '%') && b === 0n) throw new RangeError('division by 0');
  return BigInt.asIntN(64, BigInt(OPERATE[operator]!(a, b)));
}

/** A number: decimal, 0x, octal with a 0 in front, or `base#digits`. */
function literal(text: string): bigint {
  const m = /^(-?)(?:(0[xX][0-9a-fA-F]+)|0([0-7]+)|(\d+)#(\w+)|([1-9]\d{0,18}|0))$/.exec(text);
  if (m === null) throw new RangeError(text);
  const base = m[4] === undefined ? 0 : Number.parseInt(m[5]!, Number(m[4]));
  if (Number.isNaN(base)) throw new RangeError(text);
  const value =
    m[2] !== undefined ? BigInt(m[2]) : m[3] !== undefined ? BigInt(`0o${m[3]}`) : BigInt(m[6] ?? base);
  return m[1] === '-' ? -value : value;
}
