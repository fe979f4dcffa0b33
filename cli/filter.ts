import { AF_INET, AF_INET6, protocolNumber, SourceError, suggest } from '@keepstate/engine';
import { inNetwork, type Network, parseNetwork, type Subject } from './filter-subject.ts';
import {
  ADDRESS_FIELDS,
  FAMILY_WORDS,
  NUMBER_FIELDS,
  type NumberField,
  OTHERS_WORDS,
  PROTOCOL_WORDS,
  WORD_FIELDS,
  type WordField,
} from './filter-words.ts';

/** A compiled filter. */
export type Filter = (s: Subject) => boolean;

/** What is filtered: flows have no ct state, for example, and only those that `top` shows have rates. */
export type FilterKind = 'packet' | 'flow' | 'top';

interface Token {
  readonly text: string;
  /** First column, from 0. */
  readonly at: number;
}

const JOINERS = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
]);
/** Where the errors of a filter are, in place of a file. */
export const FILTER = '--filter';

const RESERVED = ['and', 'or', 'not'];

/** Parentheses and `not` within one another: more than anybody writes, fewer than the stack holds. */
const MAX_DEPTH = 500;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/\(|\)|&&|\|\||!|[^\s()!&|]+|[&|]/g)) {
    tokens.push({ text: JOINERS.get(match[0]) ?? match[0], at: match.index });
  }
  return tokens;
}

/** A parser that goes down the grammar: or-list, and-list, not, primitive. */
class Parser {
  private readonly text: string;
  private readonly kind: FilterKind;
  private readonly tokens: readonly Token[];
  private next = 0;
  private depth = 0;

  constructor(text: string, kind: FilterKind) {
    this.text = text;
    this.kind = kind;
    this.tokens = tokensOf(text);
  }

  whole(): Filter {
    if (this.tokens.length === 0) this.fail('the expression is empty', undefined);
    const filter = this.anyOf();
    const rest = this.tokens[this.next];
    if (rest !== undefined) {
      this.fail(rest.text === ')' ? "')' without '('" : `expected 'and' or 'or' before '${rest.text}'`, rest);
    }
    return filter;
  }

  private anyOf(): Filter {
    const filters = [this.allOf()];
    while (this.take('or')) filters.push(this.allOf());
    if (filters.length === 1) return filters[0]!;
    return (s) => {
      for (const filter of filters) if (filter(s)) return true;
      return false;
    };
  }

  private allOf(): Filter {
    const filters = [this.negated()];
    while (this.take('and')) filters.push(this.negated());
    if (filters.length === 1) return filters[0]!;
    return (s) => {
      for (const filter of filters) if (!filter(s)) return false;
      return true;
    };
  }

  private negated(): Filter {
    const open = this.tokens[this.next];
    if (this.take('not')) {
      const inner = this.deeper(open, () => this.negated());
      return (s) => !inner(s);
    }
    if (!this.take('(')) return this.primitive();
    const inner = this.deeper(open, () => this.anyOf());
    if (!this.take(')')) this.fail("'(' is never closed", open);
    return inner;
  }

  /** Goes on one level down, where there is one. */
  private deeper(open: Token | undefined, parse: () => Filter): Filter {
    if (++this.depth > MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} levels of '(' and 'not'`, open);
    const filter = parse();
    this.depth--;
    return filter;
  }

  private primitive(): Filter {
    const token = this.tokens[this.next++];
    if (token === undefined) this.fail('the expression ends too early', undefined);
    const word = token.text.toLowerCase();
    const address = ADDRESS_FIELDS.find((f) => f.word === word);
    if (address !== undefined) return addressFilter(address.word, this.network(this.value(word)));
    const numbers = NUMBER_FIELDS.find((f) => f.word === word);
    if (numbers !== undefined) return this.numbers(this.allowed(numbers, token));
    const words = WORD_FIELDS.find((f) => f.word === word);
    if (words !== undefined) return this.words(this.allowed(words, token));
    const protonum = PROTOCOL_WORDS.includes(word) ? protocolNumber(word) : undefined;
    if (protonum !== undefined) return (s) => s.protonum === protonum;
    if (FAMILY_WORDS.includes(word)) {
      const family = word === 'ipv4' ? AF_INET : AF_INET6;
      return (s) => s.family === family;
    }
    const network = parseNetwork(token.text);
    if (network !== undefined) return addressFilter('host', network);
    return this.unknown(token);
  }

  private allowed<F extends NumberField | WordField>(field: F, token: Token): F {
    if (field.packets === true && this.kind !== 'packet') {
      this.fail(`'${field.word}' is of packets: only trace can filter by it`, token);
    }
    if ('top' in field && field.top === true && this.kind !== 'top') {
      this.fail(`'${field.word}' is a rate: only top can filter by it`, token);
    }
    return field;
  }

  /** The token behind a word that needs one. */
  private value(word: string): Token {
    const token = this.tokens[this.next++];
    if (token === undefined) this.fail(`'${word}' needs a value`, undefined);
    if (token.text === '(' || token.text === ')' || RESERVED.includes(token.text)) {
      this.fail(`'${word}' needs a value, not '${token.text}'`, token);
    }
    return token;
  }

  private network(token: Token): Network {
    const network = parseNetwork(token.text);
    if (network === undefined) {
      this.fail(`'${token.text}' is no address or network such as 10.0.0.0/8 or fd00::/8`, token);
    }
    return network;
  }

  private numbers(field: NumberField): Filter {
    const token = this.value(field.word);
    const ranges = parts(token).map((part) => this.range(field, part));
    if (ranges.length === 1) {
      const [low, high] = ranges[0]!;
      return (s) => field.within(s, low, high);
    }
    return (s) => ranges.some(([low, high]) => field.within(s, low, high));
  }

  private range(field: NumberField, part: Token): [number, number] {
    const named = field.word === 'proto' ? protocolNumber(part.text.toLowerCase()) : undefined;
    if (named !== undefined) return [named, named];
    const match = /^(\d{1,16}|0x[0-9a-f]{1,8})(?:-(\d{1,16}|0x[0-9a-f]{1,8}))?$/i.exec(part.text);
    const low = match === null ? -1 : Number(match[1]);
    const high = match === null ? -1 : Number(match[2] ?? match[1]);
    if (match === null || high > field.most) {
      this.fail(
        `'${part.text}' is no ${field.word}: expected 0 to ${field.most}, or a range such as 1-9`,
        part,
      );
    }
    if (low > high) this.fail(`range '${part.text}' is the wrong way round`, part);
    return [low, high];
  }

  private words(field: WordField): Filter {
    const wanted = parts(this.value(field.word)).map((part) => this.word(field, part));
    if (wanted.length === 1) {
      const [only] = wanted as [string];
      return (s) => field.is(s, only);
    }
    return (s) => wanted.some((value) => field.is(s, value));
  }

  private word(field: WordField, part: Token): string {
    const wanted = part.text.toLowerCase();
    const value = field.values.find((v) => v.toLowerCase() === wanted);
    if (value !== undefined) return value;
    const elsewhere = WORD_FIELDS.find(
      (f) => f !== field && f.values.some((v) => v.toLowerCase() === wanted),
    );
    if (elsewhere !== undefined) {
      this.fail(`'${part.text}' is no ${field.word}`, part, `did you mean '${elsewhere.word} ${part.text}'?`);
    }
    const near = suggest(part.text.toUpperCase(), field.values) ?? suggest(wanted, field.values);
    const known = field.values.length <= 12 ? `expected ${field.values.join(', ')}` : undefined;
    this.fail(
      `'${part.text}' is no ${field.word}`,
      part,
      near === undefined ? known : `did you mean '${near}'?`,
    );
  }

  private unknown(token: Token): never {
    const known = [
      ...[...ADDRESS_FIELDS, ...NUMBER_FIELDS, ...WORD_FIELDS].map((f) => f.word),
      ...PROTOCOL_WORDS,
      ...FAMILY_WORDS,
      ...RESERVED,
    ];
    if (token.text === ')' || RESERVED.includes(token.text)) this.fail(`unexpected '${token.text}'`, token);
    const field = WORD_FIELDS.find((f) => f.values.includes(token.text.toUpperCase()));
    const written = token.text.toLowerCase();
    const others = Object.hasOwn(OTHERS_WORDS, written) ? OTHERS_WORDS[written] : undefined;
    const near = field === undefined ? (others ?? suggest(written, known)) : `${field.word} ${token.text}`;
    this.fail(
      `unknown word '${token.text}'`,
      token,
      near === undefined ? undefined : `did you mean '${near}'?`,
    );
  }

  private take(text: string): boolean {
    const token = this.tokens[this.next];
    if (token === undefined || (token.text !== text && token.text.toLowerCase() !== text)) return false;
    this.next++;
    return true;
  }

  private fail(message: string, token: Token | undefined, hint?: string): never {
    const col = (token?.at ?? this.text.length) + 1;
    throw new SourceError(message, { file: FILTER, line: 1, col, len: token?.text.length ?? 1 }, hint);
  }
}

/** The parts of a list such as `80,443`, each with its own column. */
function parts(token: Token): Token[] {
  let at = token.at;
  return token.text.split(',').map((text) => {
    const part = { text, at };
    at += text.length + 1;
    return part;
  });
}

function addressFilter(side: 'src' | 'dst' | 'host', network: Network): Filter {
  const { family } = network;
  if (side === 'src') return (s) => s.family === family && inNetwork(s.src, network);
  if (side === 'dst') return (s) => s.family === family && inNetwork(s.dst, network);
  return (s) => s.family === family && (inNetwork(s.src, network) || inNetwork(s.dst, network));
}

/**
 * Compiles a filter expression, as in `src 10.0.0.0/8 and not (tcp or dport 53)`. `not` binds closest, then `and`,
 * then `or`; words are read without regard to case.
 * @throws SourceError with the column of what is wrong
 */
export function compileFilter(text: string, kind: FilterKind): Filter {
  return new Parser(text, kind).whole();
}

/** An error in a filter, with the expression and a mark under the place: three lines without a last newline. */
export function filterErrorText(text: string, error: SourceError): string {
  const mark = ' '.repeat(error.at.col - 1) + '^'.repeat(Math.max(1, error.at.len));
  return `${error.message}\n  ${text.replace(/\s/g, ' ')}\n  ${mark}`;
}
