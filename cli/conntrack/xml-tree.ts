import { fileError } from './dump-error.ts';

/** An element of an XML text and where it begins. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  /** What stands in it besides elements. */
  text: string;
  readonly line: number;
  readonly col: number;
}

/** How deep elements may stand in one another: conntrack's are five. */
const DEEPEST = 32;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name]!);
}

/**
 * Reads the elements of an XML text as conntrack(8) writes it: tags, attributes and text. The outermost elements may be
 * left open, as -G leaves them.
 * @returns the elements on top
 * @throws UsageError with file, line and column
 */
export function parseXml(file: string, text: string): Element[] {
  const top: Element[] = [];
  const open: Element[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  /** Where the line ends, -1 for the last one. */
  let lineEnd = text.indexOf('\n');
  const refuse = (index: number, message: string): never => {
    throw fileError(file, line, index - lineStart + 1, message);
  };
  const pass = (to: number): void => {
    while (lineEnd >= 0 && lineEnd < to) {
      line++;
      lineStart = lineEnd + 1;
      lineEnd = text.indexOf('\n', lineStart);
    }
    at = to;
  };
  while (at < text.length) {
    const begin = text.indexOf('<', at);
    const plain = text.slice(at, begin < 0 ? text.length : begin);
    if (open.length > 0) open.at(-1)!.text += unescaped(plain);
    else if (plain.trim() !== '') refuse(at, 'text outside of elements');
    pass(begin < 0 ? text.length : begin);
    if (begin < 0) break;
    const end = text.indexOf('>', begin);
    if (end < 0) refuse(begin, 'the tag has no end');
    const tag = text.slice(begin + 1, end);
    if (tag.startsWith('/')) {
      if (open.pop()?.name !== tag.slice(1).trim()) refuse(begin, `</${tag.slice(1)}> closes nothing`);
    } else if (!tag.startsWith('?') && !tag.startsWith('!')) {
      const element = elementOf(tag, line, begin - lineStart + 1) ?? refuse(begin, `<${tag}> is no tag`);
      (open.at(-1)?.children ?? top).push(element);
      if (open.length >= DEEPEST) refuse(begin, 'elements stand too deep in one another');
      if (!tag.endsWith('/')) open.push(element);
    }
    pass(end + 1);
  }
  if (open.length > 1) refuse(text.length, `<${open.at(-1)!.name}> is not closed`);
  return top;
}

function elementOf(tag: string, line: number, col: number): Element | null {
  const found = /^([a-z0-9-]+)((?:\s+[a-z0-9-]+="[^"]*")*)\s*\/?$/i.exec(tag);
  if (found === null) return null;
  const attributes = new Map(
    [...found[2]!.matchAll(/([a-z0-9-]+)="([^"]*)"/gi)].map((m) => [m[1]!, unescaped(m[2]!)] as const),
  );
  return { name: found[1]!, attributes, children: [], text: '', line, col };
}
