import { after, before } from '../base/seq.ts';
import { isNumbers } from './saved-data.ts';

/** How many places are remembered for each direction. */
const MOST = 2;

/**
 * Where lines of a control connection begin: the sequence numbers behind segments that ended in a newline. Only there a
 * command is looked for, so that bytes of the middle of a line are never taken for one.
 */
export class FtpLines {
  private readonly places: readonly [number[], number[]] = [[], []];

  /** The places of both directions, as {@link FtpLines.of} takes them. */
  save(): readonly [readonly number[], readonly number[]] {
    return this.places;
  }

  /** Lines with the places that {@link save} gave. @returns undefined if it gave no such thing */
  static of(saved: unknown): FtpLines | undefined {
    if (!Array.isArray(saved) || saved.length !== 2) return undefined;
    if (!saved.every((places) => isNumbers(places, -1) && places.length <= MOST)) return undefined;
    const lines = new FtpLines();
    for (const dir of [0, 1]) for (const seq of saved[dir] as number[]) lines.places[dir]!.push(seq | 0);
    return lines;
  }

  /** Whether a line begins at a sequence number. */
  begins(dir: number, seq: number): boolean {
    return this.places[dir]!.includes(seq);
  }

  /** A line begins there: the place takes that of the older one. */
  note(dir: number, seq: number): void {
    const places = this.places[dir]!;
    if (places.includes(seq)) return;
    if (places.length < MOST) {
      places.push(seq);
      return;
    }
    const oldest = before(places[0]!, places[1]!) ? 0 : 1;
    if (after(seq, places[oldest]!)) places[oldest] = seq;
  }
}
