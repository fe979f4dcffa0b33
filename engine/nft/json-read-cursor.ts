import { SourceError } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';
import type { At, U64 } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { JsonNode } from './json-read-text.ts';
import type { Sources } from './lex-source.ts';

/** The members of an object, read by name. As for the real tool, those that nobody asks for mean nothing. */
export class JsonObject {
  readonly at: At;
  readonly #reader: JsonReader;
  readonly #what: string;
  readonly #members: ReadonlyMap<string, JsonNode>;

  constructor(reader: JsonReader, what: string, members: ReadonlyMap<string, JsonNode>, at: At) {
    this.#reader = reader;
    this.#what = what;
    this.#members = members;
    this.at = at;
  }

  /** A member, if it is there. */
  get(key: string): JsonNode | undefined {
    return this.#members.get(key);
  }

  /** A member that must be there. */
  need(key: string): JsonNode {
    const node = this.get(key);
    if (node !== undefined) {
      return node;
    }
    const near = [...this.#members.keys()].find((name) => suggest(name, [key]) !== undefined);
    const hint = near === undefined ? undefined : `instead of "${near}"?`;
    return this.#reader.fail(`${this.#what} needs "${key}"`, this.at, hint);
  }

  /** A text. */
  text(key: string): string | undefined {
    const node = this.get(key);
    return node === undefined ? undefined : this.#reader.text(node, key);
  }

  /** A whole number that a JavaScript number holds, below 0 or not. */
  integer(key: string): number | undefined {
    const node = this.get(key);
    if (node === undefined) {
      return;
    }
    const value = node.kind === 'number' ? node.value : this.#reader.fail(`"${key}" is a number`, node.at);
    return typeof value === 'bigint' ? this.#reader.fail(`"${key}" is too large`, node.at) : value;
  }

  /** The same, not below 0. */
  number(key: string): number | undefined {
    const value = this.u64(key);
    return typeof value === 'bigint' ? this.#reader.fail(`"${key}" is too large`, this.get(key)!.at) : value;
  }

  /** A whole number of up to 64 bits. */
  u64(key: string): U64 | undefined {
    const node = this.get(key);
    if (node === undefined) {
      return;
    }
    const value = node.kind === 'number' ? node.value : this.#reader.fail(`"${key}" is a number`, node.at);
    return value < 0 ? this.#reader.fail(`"${key}" is below 0`, node.at) : value;
  }

  /** A time: seconds in JSON, ms here. */
  seconds(key: string): U64 | undefined {
    const value = this.u64(key);
    if (value === undefined) {
      return;
    }
    const ms = BigInt(value) * 1000n;
    return ms <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ms) : ms;
  }

  /** true or false; false if it is not there. */
  boolean(key: string): boolean {
    const node = this.get(key);
    if (node === undefined) {
      return false;
    }
    if (node.kind === 'boolean') {
      return node.value;
    }
    return node.kind === 'number'
      ? node.value !== 0
      : this.#reader.fail(`"${key}" is true or false`, node.at);
  }

  /** One text or an array of texts. */
  texts(key: string): string[] | undefined {
    const node = this.get(key);
    if (node === undefined) {
      return;
    }
    return this.#reader.items(node).map((one) => this.#reader.text(one, key));
  }

  /** One of some words. */
  oneOf<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.text(key);
    if (value !== undefined && !(words as readonly string[]).includes(value)) {
      this.#reader.unknown(`"${key}" of ${this.#what}`, value, words, this.get(key)!.at);
    }
    return value as T | undefined;
  }

  /** Some of some words. */
  someOf<T extends string>(key: string, words: readonly T[]): T[] | undefined {
    const values = this.texts(key);
    for (const value of values ?? []) {
      if (!(words as readonly string[]).includes(value)) {
        this.#reader.unknown(`"${key}" of ${this.#what}`, value, words, this.get(key)!.at);
      }
    }
    return values as T[] | undefined;
  }

  /** All members, for objects whose keys are data. */
  entries(): [string, JsonNode][] {
    return [...this.#members];
  }
}

/** Reads a statement by its name. */
export type ReadNamedStmt = (r: JsonReader, key: string, node: JsonNode) => StmtNode;

/** What all JSON reading shares: positions and complaints. */
export class JsonReader {
  /** Reads the statements of elements; given from above so that no file imports in a circle. */
  readonly statement: ReadNamedStmt;
  readonly #sources: Sources;

  constructor(sources: Sources, statement: ReadNamedStmt) {
    this.#sources = sources;
    this.statement = statement;
  }

  /** An error at a place. */
  fail(message: string, at: At, hint?: string): never {
    throw new SourceError(message, this.#sources.span(at)!, hint);
  }

  /** A word that is none of those known. */
  unknown(what: string, word: string, known: readonly string[], at: At): never {
    const near = suggest(word, known);
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
    this.fail(`unknown ${what} "${word}"`, at, hint);
  }

  /** The members of an object. */
  object(node: JsonNode, what: string): JsonObject {
    if (node.kind !== 'object') {
      this.fail(`${what} is an object`, node.at);
    }
    return new JsonObject(this, what, node.members, node.at);
  }

  /** The one member of an object that names what it is. */
  only(node: JsonNode, what: string): [string, JsonNode] {
    if (node.kind !== 'object' || node.members.size !== 1) {
      this.fail(`${what} is an object with one member that names it`, node.at);
    }
    return [...node.members][0]!;
  }

  /** An array's items; anything else counts as the one item. */
  items(node: JsonNode): readonly JsonNode[] {
    return node.kind === 'array' ? node.items : [node];
  }

  /** A text. */
  text(node: JsonNode, key: string): string {
    return node.kind === 'string' ? node.value : this.fail(`"${key}" is a string`, node.at);
  }
}
