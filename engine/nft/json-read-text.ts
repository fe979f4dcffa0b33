import { SourceError } from '../base/error.ts';
import type { At, U64 } from './ast-expr.ts';
import { atOf, type Sources } from './lex-source.ts';

/** A JSON value with its position. */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode>; readonly at: At }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly at: At }
  | { readonly kind: 'string'; readonly value: string; readonly at: At }
  /** A whole number, exact. */
  | { readonly kind: 'number'; readonly value: U64; readonly at: At }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: At }
  | { readonly kind: 'null'; readonly at: At };

const MAX_DEPTH = 200;
const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;

/** Reads JSON as the standard says, keeping where everything stands and whole numbers exact. */
class JsonText {
  readonly #text: string;
  readonly #base: number;
  readonly #sources: Sources;
  #pos = 0;
  #depth = 0;

  constructor(text: string, base: number, sources: Sources) {
    this.#text = text;
    this.#base = base;
    this.#sources = sources;
  }

  /** The whole text as one value. */
  document(): JsonNode {
    const value = this.#value();
    this.#blank();
    if (this.#pos < this.#text.length) {
      this.#fail('expected the end of the text');
    }
    return value;
  }

  #blank(): void {
    BLANK.lastIndex = this.#pos;
    BLANK.test(this.#text);
    this.#pos = BLANK.lastIndex;
  }

  #match(re: RegExp): string | null {
    re.lastIndex = this.#pos;
    const found = re.exec(this.#text)?.[0] ?? null;
    this.#pos += found?.length ?? 0;
    return found;
  }

  #fail(message: string): never {
    const at = atOf(this.#base + Math.min(this.#pos, Math.max(0, this.#text.length - 1)), 1);
    const found = this.#pos >= this.#text.length ? 'the end of the text' : `'${this.#text[this.#pos]}'`;
    throw new SourceError(`${message}, found ${found}`, this.#sources.span(at)!);
  }

  #since(start: number): At {
    return atOf(this.#base + start, this.#pos - start);
  }

  #value(): JsonNode {
    this.#blank();
    const start = this.#pos;
    switch (this.#text[start]) {
      case '{':
        return this.#nested(() => this.#object(start));
      case '[':
        return this.#nested(() => this.#array(start));
      case '"':
        return { kind: 'string', value: this.#string(), at: this.#since(start) };
      default:
        return this.#plain(start);
    }
  }

  #nested(read: () => JsonNode): JsonNode {
    if (this.#depth >= MAX_DEPTH) {
      this.#fail(`nested more than ${MAX_DEPTH} deep`);
    }
    this.#depth++;
    const value = read();
    this.#depth--;
    return value;
  }

  #string(): string {
    const found = this.#match(STRING);
    if (found === null) {
      this.#fail('expected a string with its closing quote');
    }
    return found.includes('\\') ? (JSON.parse(found) as string) : found.slice(1, -1);
  }

  #plain(start: number): JsonNode {
    const word = this.#match(WORD);
    if (word === 'null') {
      return { kind: 'null', at: this.#since(start) };
    }
    if (word === 'true' || word === 'false') {
      return { kind: 'boolean', value: word === 'true', at: this.#since(start) };
    }
    this.#pos = start;
    const number = this.#match(NUMBER);
    if (number === null) {
      this.#fail('expected a value');
    }
    return { kind: 'number', value: this.#whole(number), at: this.#since(start) };
  }

  #whole(text: string): U64 {
    const value = Number(text);
    if (Number.isSafeInteger(value)) {
      return value;
    }
    if (!/^-?\d{1,20}$/.test(text)) {
      this.#fail('expected a whole number');
    }
    return BigInt(text);
  }

  /** A comma or the closing sign; true if another item follows. */
  #more(close: string): boolean {
    this.#blank();
    const sign = this.#text[this.#pos];
    if (sign !== ',' && sign !== close) {
      this.#fail(`expected ',' or '${close}'`);
    }
    this.#pos++;
    return sign === ',';
  }

  #empty(close: string): boolean {
    this.#pos++;
    this.#blank();
    if (this.#text[this.#pos] !== close) {
      return false;
    }
    this.#pos++;
    return true;
  }

  #object(start: number): JsonNode {
    const members = new Map<string, JsonNode>();
    if (!this.#empty('}')) {
      do {
        this.#blank();
        const key = this.#string();
        this.#blank();
        if (this.#text[this.#pos] !== ':') {
          this.#fail("expected ':'");
        }
        this.#pos++;
        members.set(key, this.#value());
      } while (this.#more('}'));
    }
    return { kind: 'object', members, at: this.#since(start) };
  }

  #array(start: number): JsonNode {
    const items: JsonNode[] = [];
    if (!this.#empty(']')) {
      do {
        items.push(this.#value());
      } while (this.#more(']'));
    }
    return { kind: 'array', items, at: this.#since(start) };
  }
}

/**
 * Reads JSON.
 * @param base where the text's offset 0 lies among all sources
 * @throws SourceError at the first character that does not belong
 */
export function parseJson(text: string, base: number, sources: Sources): JsonNode {
  return new JsonText(text, base, sources).document();
}
