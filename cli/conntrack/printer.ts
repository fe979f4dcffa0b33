import type { ExpectRecord } from '@keepstate/engine';
import { conntrackLine } from '../format/conntrack-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonExpect } from '../format/json-expect.ts';
import { XML_EXPECT_HEAD, XML_EXPECT_TAIL, xmlExpect } from '../format/xml-expect.ts';
import { jsonEntry } from './entry-json.ts';
import type { Labels } from './labels.ts';
import type { Request } from './request.ts';
import { saveLine } from './save-line.ts';
import type { Entry } from './table.ts';
import { XML_HEAD, XML_TAIL, xmlFlow } from './xml-flow.ts';

/** Prints flows and expectations in the format of a request, and counts them. */
export class Printer {
  /** How many were printed. */
  shown = 0;
  private readonly request: Request;
  private readonly write: (text: string) => void;
  private readonly now: number;
  private readonly labels: Labels;

  /** @param now the moment of the records (ms) */
  constructor(request: Request, now: number, labels: Labels, write: (text: string) => void) {
    this.request = request;
    this.now = now;
    this.labels = labels;
    this.write = write;
  }

  /** Prints a flow. -G and -U look at it while they print it: one use more (measured). */
  flow(entry: Entry): void {
    const { command } = this.request;
    const seen = command === 'G' || command === 'U' ? { ...entry, uses: entry.uses + 1 } : entry;
    const xml = this.request.output.has('xml');
    if (xml && this.shown === 0 && (command === 'L' || command === 'G')) this.write(XML_HEAD);
    this.shown++;
    this.write(`${this.text(seen)}\n`);
  }

  /** What a listing of flows ends with. */
  endFlows(): void {
    if (this.request.output.has('xml') && this.shown > 0) this.write(XML_TAIL);
  }

  /** Prints an expectation. */
  expectation(one: ExpectRecord): void {
    const { output } = this.request;
    if (output.has('xml') && this.shown === 0) this.write(XML_EXPECT_HEAD);
    this.shown++;
    const text = output.has('xml') ? xmlExpect(one) : output.has('json') ? jsonExpect(one) : expectLine(one);
    this.write(`${text}\n`);
  }

  /** What a listing of expectations ends with. */
  endExpectations(): void {
    if (this.request.output.has('xml') && this.shown > 0) this.write(XML_EXPECT_TAIL);
  }

  private text(entry: Entry): string {
    const { output, command } = this.request;
    if (output.has('save')) return saveLine(entry, command === 'D' ? 'D' : 'A');
    if (output.has('json')) return jsonEntry(entry);
    if (output.has('labels')) this.labels.load();
    // Measured: -l and its like show labels, too; a deleted flow has lost them.
    const names = command === 'D' ? [] : (this.labels.loaded?.namesOf(entry.labels) ?? []);
    const ktimestamp = output.has('ktimestamp');
    if (output.has('xml')) return xmlFlow(entry, this.now, { ktimestamp, labels: names });
    const options = { extended: output.has('extended'), id: output.has('id'), ktimestamp };
    const tail = names.length === 0 ? '' : ` labels=${names.join(',')}`;
    return conntrackLine(entry, this.now, options) + tail;
  }
}
