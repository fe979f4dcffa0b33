import { SourceError, type Span } from '../base/error.ts';

/** A word or quoted text. */
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly text: string;
  readonly at: Span;
}

/** A list, written with dashes or in brackets. */
export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly at: Span;
}

/** Names with values, in the order in which they stand. */
export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly { readonly key: YamlScalar; readonly value: YamlNode }[];
  readonly at: Span;
}

/** What stands at one place of a YAML file. */
export type YamlNode = YamlScalar | YamlList | YamlMap;

/** A line without its comment. */
interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const QUOTED = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/;

/** Where a comment begins that is not inside quotes; the length of the line if there is none. */
function commentAt(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const quoted = QUOTED.exec(text.slice(i));
    if (quoted !== null && (i === 0 || /[\s[,:-]/.test(text[i - 1]!))) i += quoted[0].length - 1;
    else if (text[i] === '#' && (i === 0 || /\s/.test(text[i - 1]!))) return i;
  }
  return text.length;
}

/**
 * Reads the part of YAML that configuration needs: maps and lists by indentation, lists in brackets, plain and quoted
 * words, comments. Whatever else YAML has (anchors, tags, several documents, block texts) is an error, not a surprise.
 */
class YamlReader {
  private readonly file: string;
  private readonly lines: Line[] = [];
  private next = 0;

  constructor(text: string, file: string) {
    this.file = file;
    for (const [i, raw] of text.split(/\r?\n/).entries()) {
      const body = raw.slice(0, commentAt(raw)).trimEnd();
      if (body.trim() === '' || (body === '---' && this.lines.length === 0)) continue;
      const indent = body.length - body.trimStart().length;
      const line = { number: i + 1, indent, text: body };
      if (body.slice(0, indent).includes('\t'))
        throw this.error('a tab cannot indent YAML', line, 0, indent, 'use spaces');
      this.lines.push(line);
    }
  }

  read(): YamlNode {
    const first = this.lines[0];
    if (first === undefined)
      return { kind: 'map', entries: [], at: { file: this.file, line: 1, col: 1, len: 1 } };
    const node = this.block(first.indent);
    const left = this.lines[this.next];
    if (left !== undefined) throw this.error('this line is indented less than the first', left, left.indent);
    return node;
  }

  private error(message: string, line: Line, col: number, len = 0, hint?: string): SourceError {
    return new SourceError(message, this.span(line, col, len || line.text.length - col), hint);
  }

  private span(line: Line, col: number, len: number): Span {
    return { file: this.file, line: line.number, col: col + 1, len: Math.max(1, len) };
  }

  /** A map or a list whose lines have this indentation. */
  private block(indent: number): YamlNode {
    const line = this.lines[this.next]!;
    return /^-(\s|$)/.test(line.text.slice(indent)) ? this.list(indent) : this.map(indent);
  }

  /** The next line, if it belongs to a block of this indentation. */
  private follows(indent: number): Line | null {
    const line = this.lines[this.next];
    if (line === undefined || line.indent < indent) return null;
    if (line.indent > indent) throw this.error('unexpected indentation', line, 0, line.indent);
    return line;
  }

  private list(indent: number): YamlList {
    const at = this.span(this.lines[this.next]!, indent, 1);
    const items: YamlNode[] = [];
    for (let line = this.follows(indent); line !== null; line = this.follows(indent)) {
      const dash = /^-(\s+|$)/.exec(line.text.slice(indent));
      if (dash === null) break;
      const col = indent + dash[0].length;
      if (col >= line.text.length) {
        this.next++;
        items.push(this.nested(line, indent));
      } else if (this.keyAt(line, col) !== null) {
        // A map that begins on the dash's own line goes on at the column of its first key.
        this.lines[this.next] = { ...line, indent: col };
        items.push(this.map(col));
      } else {
        this.next++;
        items.push(this.inline(line, col));
      }
    }
    return { kind: 'list', items, at };
  }

  private map(indent: number): YamlMap {
    const at = this.span(this.lines[this.next]!, indent, 1);
    const entries: { key: YamlScalar; value: YamlNode }[] = [];
    for (let line = this.follows(indent); line !== null; line = this.follows(indent)) {
      const found = this.keyAt(line, indent);
      if (found === null) {
        if (/^-(\s|$)/.test(line.text.slice(indent))) break;
        throw this.error("expected 'name: value'", line, indent);
      }
      const { key, behind } = found;
      if (entries.some((entry) => entry.key.text === key.text))
        throw new SourceError(`'${key.text}' stands here twice`, key.at);
      this.next++;
      const value = behind >= line.text.length ? this.nested(line, indent) : this.inline(line, behind);
      entries.push({ key, value });
    }
    return { kind: 'map', entries, at };
  }

  /** What is indented below a line that ends in a colon or is a dash; an empty word if nothing is. */
  private nested(line: Line, indent: number): YamlNode {
    const below = this.lines[this.next];
    const isList =
      below !== undefined && below.indent === indent && /^-(\s|$)/.test(below.text.slice(indent));
    const isInMap = !/^-(\s|$)/.test(line.text.slice(indent));
    if (below !== undefined && (below.indent > indent || (isList && isInMap)))
      return this.block(below.indent);
    return { kind: 'scalar', text: '', at: this.span(line, line.text.length - 1, 1) };
  }

  /** A key and the column of its value, null if there is no `name:` at this column. */
  private keyAt(line: Line, col: number): { key: YamlScalar; behind: number } | null {
    const text = line.text.slice(col);
    const match =
      /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s[\]{},&*!|>'"%@`#:-][^\s[\]{},#]*?)\s*:(\s+|$)/.exec(text);
    if (match === null) return null;
    const word = match[1]!;
    return {
      key: { kind: 'scalar', text: unquote(word), at: this.span(line, col, word.length) },
      behind: col + match[0].length,
    };
  }

  /** A value on the line of its key: a list in brackets or a word. */
  private inline(line: Line, col: number): YamlNode {
    if (line.text[col] === '[') return this.flow(line, col);
    const word = line.text.slice(col);
    const quoted = QUOTED.exec(word);
    if (quoted !== null && quoted[0].length < word.length)
      throw this.error('text behind the closing quote', line, col + quoted[0].length);
    if (quoted === null && /^["'{&*!|>%@`]/.test(word))
      throw this.error(`'${word[0]}' begins something that a host file cannot have`, line, col, 1);
    return { kind: 'scalar', text: unquote(word), at: this.span(line, col, word.length) };
  }

  private flow(line: Line, col: number): YamlList {
    const items: YamlNode[] = [];
    let at = col + 1;
    for (;;) {
      at += /^\s*/.exec(line.text.slice(at))![0].length;
      if (line.text[at] === ']') break;
      const rest = line.text.slice(at);
      const word = QUOTED.exec(rest)?.[0] ?? /^[^,\]]*/.exec(rest)![0].trimEnd();
      if (word === '') throw this.error("expected a value or ']'", line, at, 1);
      items.push({ kind: 'scalar', text: unquote(word), at: this.span(line, at, word.length) });
      at += word.length;
      at += /^\s*/.exec(line.text.slice(at))![0].length;
      if (line.text[at] === ',') at++;
      else if (line.text[at] !== ']')
        throw this.error("expected ',' or ']'", line, Math.min(at, line.text.length - 1), 1);
    }
    if (line.text.slice(at + 1).trim() !== '') throw this.error("text behind ']'", line, at + 1);
    return { kind: 'list', items, at: this.span(line, col, at + 1 - col) };
  }
}

function unquote(word: string): string {
  if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'");
  return word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
}

/**
 * Reads a file of the small part of YAML described at the class.
 * @param file its name, for errors
 * @throws SourceError with the place of what cannot be read
 */
export function readYaml(text: string, file: string): YamlNode {
  return new YamlReader(text, file).read();
}
