import { visible } from '../source-text.ts';
import { LONGEST_TEXT, readBytes } from '../whole-file.ts';
import { type ParseWorld, parseArguments } from './command-line.ts';
import type { Request } from './request.ts';
import { ToolError, usage } from './words.ts';

/** A command of the file of -R. */
export interface FileLine {
  readonly request: Request;
  /** Where it stands, for messages: `FILE:LINE: TEXT`. */
  readonly place: string;
}

/** What is shown of a line of the file. */
const SHOWN = 200;

function placeOf(name: string, number: number, line: string): string {
  const text = line.trim();
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return `${name === '-' ? 'standard input' : name}:${number}: ${visible(shown)}`;
}

function requestOf(words: readonly string[], world: ParseWorld): Request {
  const request = parseArguments(['conntrack', ...words], world);
  if ('LGECShV'.includes(request.command)) {
    const name = request.isNamed ? `-${request.command}` : 'unknown';
    usage(`Cannot use command \`${name}' with --load-file`);
  }
  return request;
}

/**
 * Does something for a line of the file. conntrack(8) does not say which line is wrong.
 * @param after what has become of the other lines
 * @throws ToolError with the line's place
 */
export async function atLine<T>(place: string, after: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ToolError) error.own = `${place} (${after})`;
    throw error;
  }
}

/**
 * Reads the file of -R: a command line a line. Nothing of it is carried out unless all can be read.
 * @param name path, `-` for standard input
 * @throws ToolError
 */
export async function loadRequests(name: string, world: ParseWorld): Promise<FileLine[]> {
  let text: string;
  try {
    text = readBytes(name, LONGEST_TEXT).toString('utf8');
  } catch {
    return usage(`Failed to open file ${name} for reading`);
  }
  const found: FileLine[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t\r]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]!.startsWith('#')) continue;
    const place = placeOf(name, i + 1, line);
    const request = await atLine(place, 'no line was carried out', () => requestOf(words, world));
    found.push({ request, place });
  }
  return found;
}
