/** Joins what comes out of a socket into lines, none of them longer than a bound. */
export class LineReader {
  private readonly most: number;
  private readonly onLine: (line: string) => boolean;
  /** The beginning of a line whose end has not come. */
  private parts: Buffer[] = [];
  private length = 0;

  /**
   * @param most bytes of a line
   * @param onLine told of each line, without its end; false stops the reading
   */
  constructor(most: number, onLine: (line: string) => boolean) {
    this.most = most;
    this.onLine = onLine;
  }

  /** Takes bytes. @returns false if a line is too long */
  push(chunk: Buffer): boolean {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(10, from);
      const part = chunk.subarray(from, end < 0 ? chunk.length : end);
      if (this.length + part.length > this.most) return false;
      if (end < 0) {
        if (part.length > 0) this.parts.push(part);
        this.length += part.length;
        return true;
      }
      from = end + 1;
      if (!this.onLine(this.join(part))) return true;
    }
  }

  private join(last: Buffer): string {
    if (this.parts.length === 0) return last.toString('utf8');
    const line = Buffer.concat([...this.parts, last]).toString('utf8');
    this.parts = [];
    this.length = 0;
    return line;
  }
}
