import { readFileSync } from 'node:fs';
import { type ParseWorld, parseArguments } from './command-line.ts';
import type { Request } from './request.ts';
import { usage } from './words.ts';

/**
 * Reads the file of -R: a command line a line. Nothing of it is carried out unless all can be read.
 * @param name path, `-` for standard input
 * @throws ToolError
 */
export function loadRequests(name: string, world: ParseWorld): Request[] {
  let text: string;
  try {
    text = readFileSync(name === '-' ? 0 : name, 'utf8');
  } catch {
    return usage(`Failed to open file ${name} for reading`);
  }
  return text.split('\n').flatMap((line) => {
    const words = line.split(/[ \t\r]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]!.startsWith('#')) return [];
    const request = parseArguments(['conntrack', ...words], world);
    if ('LGECShV'.includes(request.command)) {
      usage(`Cannot use command \`-${request.command}' with --load-file`);
    }
    return [request];
  });
}
