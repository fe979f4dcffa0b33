import { LINE_ROOM, LineWriter, type Piece, piece } from './line-writer.ts';
import { reasonOf } from './reason.ts';

/** A reason's text taken apart: `pieces[0]`, operand 0, `pieces[1]`, operand 1 and so on. */
interface Template {
  readonly pieces: readonly Piece[];
  /** How each operand is printed: the code of the character behind its `%`. */
  readonly kinds: readonly number[];
  readonly words: readonly Piece[];
}

const HEX = 0x78;
const ADDRESS = 0x61;
const WORD = 0x73;

/** By number, each taken apart when it is given for the first time. */
const TEMPLATES: (Template | undefined)[] = [];

function makeTemplate(id: number): Template {
  const { text, words = [] } = reasonOf(id);
  const template = {
    pieces: text.split(/%[uxas]/).map(piece),
    kinds: [...text.matchAll(/%([uxas])/g)].map((match) => match[1]!.charCodeAt(0)),
    words: words.map(piece),
  };
  TEMPLATES[id] = template;
  return template;
}

function writeOperand(out: LineWriter, template: Template, kind: number, word: number): void {
  if (kind === ADDRESS) out.ipv4(word);
  else if (kind === HEX) out.hex(word, 4);
  else if (kind === WORD && word >= 0 && word < template.words.length) out.piece(template.words[word]!);
  else out.uint(word);
}

/**
 * Writes the reason as a sentence, its operands filled in; it has room in {@link LINE_ROOM}.
 * @param operands in the order the text names them; `%u` prints 32-bit numbers as unsigned
 * @throws RangeError if there is no such reason, which would be a mistake of ours
 */
export function writeReason(out: LineWriter, id: number, operands: ArrayLike<number>): void {
  const template = TEMPLATES[id] ?? makeTemplate(id);
  const { pieces, kinds } = template;
  out.piece(pieces[0]!);
  for (let i = 0; i < kinds.length; i++) {
    const value = i < operands.length ? operands[i]! : 0;
    const word = value | 0;
    if (value === word || value === word >>> 0) writeOperand(out, template, kinds[i]!, word);
    // Limits of memory may have more than 32 bits.
    else out.text(String(value));
    out.piece(pieces[i + 1]!);
  }
}

const lineScratch = new LineWriter();

/** The reason as a sentence: what {@link writeReason} writes. */
export function reasonText(id: number, operands: ArrayLike<number>): string {
  lineScratch.at = 0;
  lineScratch.room(LINE_ROOM);
  writeReason(lineScratch, id, operands);
  return lineScratch.toString();
}
