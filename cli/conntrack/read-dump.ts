import type { ExpectRecord } from '@keepstate/engine';
import type { ParseWorld } from './command-line.ts';
import { refuseAt } from './dump-error.ts';
import type { Contents } from './memory-table.ts';
import { isExpectLine, parseExpectLine } from './parse-expect.ts';
import { isExpectation, readEntry, readExpectation } from './parse-json.ts';
import { isProc, parseFlowLine } from './parse-line.ts';
import { parseSaveLine } from './parse-save.ts';
import { parseXmlDump } from './parse-xml.ts';
import type { Entry } from './table.ts';

/** What conntrack says on standard error. */
const SUMMARY = /^conntrack v[\d.]+ \(conntrack-tools\): /;

type LineParser = (
  line: string,
  number: number,
  into: { entries: Entry[]; expectations: ExpectRecord[] },
) => void;

/** The parser of a text whose flows are a line each, by its first line. */
function parserOf(file: string, lines: readonly string[], now: number, world: ParseWorld): LineParser {
  const first = lines.find((line) => line.trim() !== '') ?? '';
  if (first.startsWith('{')) {
    return (line, number, { entries, expectations }) => {
      if (isExpectation(line)) expectations.push(readExpectation(line, { file, line: number }));
      else entries.push(readEntry(line, { file, line: number }));
    };
  }
  if (/^-[A-Z] /.test(first)) {
    return (line, number, { entries }) => {
      entries.push(parseSaveLine(line, { file, line: number }, world));
    };
  }
  if (isExpectLine(first)) {
    return (line, number, { expectations }) => {
      expectations.push(parseExpectLine(line, { file, line: number }));
    };
  }
  const own = isProc(lines.filter((line) => line.trim() !== '')) ? 1 : 0;
  return (line, number, { entries }) => {
    entries.push(parseFlowLine(line, { file, line: number }, now, own));
  };
}

/** The moment at which a dump was made, if it says of some flow when it began and how long ago that was (ms). */
function momentOf(text: string): number | null {
  const line = /delta-time=(\d+) \[start=([^\]]+)\]/.exec(text);
  if (line !== null) return Date.parse(line[2]!) + Number(line[1]) * 1000;
  const xml = /<start>(\d+)\d{9}<\/start><\/timestamp><deltatime>(\d+)</.exec(text);
  return xml === null ? null : (Number(xml[1]) + Number(xml[2])) * 1000;
}

/**
 * Reads a dump in any text format: conntrack -L (also extended), /proc/net/nf_conntrack and ip_conntrack, -o save, xml,
 * json; and expectations. The format is told by the content.
 * @param file as messages call it
 * @param written when it was written (ms): the moment of the dump, unless it says another
 * @throws UsageError with file, line and column of the first thing that is wrong; nothing is half loaded
 */
export function readDump(file: string, text: string, written: number, world: ParseWorld): Contents {
  const said = momentOf(text);
  const now = said === null || Number.isNaN(said) ? written : said;
  if (text.trimStart().startsWith('<')) return { now, ...parseXmlDump(file, text, now) };
  if (text.includes('\0')) refuseAt({ file, line: 1 }, 1, 'this is no text, and no capture');
  // The line that sums up stands in dumps that were made with 2>&1.
  const lines = text.split('\n').map((line) => (SUMMARY.test(line) ? '' : line));
  const found: { entries: Entry[]; expectations: ExpectRecord[] } = { entries: [], expectations: [] };
  const parse = parserOf(file, lines, now, world);
  for (const [i, line] of lines.entries()) if (line.trim() !== '') parse(line.trimEnd(), i + 1, found);
  return { now, ...found };
}
