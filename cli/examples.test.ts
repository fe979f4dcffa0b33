import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from './run.ts';
import { Place } from './testing/keepstate.ts';

/** What examples name: a listing, the same to be loaded, a table in a file, and a capture to be written. */
async function listingsIn(place: Place, capture: string): Promise<ReadonlyMap<string, string>> {
  const dump = place.file('dump.txt', (await place.run('flows', capture)).out);
  const save = (await place.run('conntrack', '--from', capture, '-L', '-o', 'save')).out;
  const saved = place.file('saved.txt', save);
  const table = `${place.folder}/t`;
  await place.run('conntrack', '--table', table, '-R', saved);
  return new Map([
    ['dump.txt', dump],
    ['saved.txt', saved],
    ['t', table],
    ['left.pcapng', `${place.folder}/left.pcapng`],
  ]);
}

/** What needs a running keepstate, or is one; each has tests of its own. */
const LIVE = /^keepstate (?:run|top|sysctl|proc|conntrack) (?!.*--(?:from|table) )|^keepstate top$/;

describe('an example', () => {
  const capture = fileURLToPath(new URL('../examples/http.pcap', import.meta.url));
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const manual = readFileSync(new URL('../docs/keepstate.1.md', import.meta.url), 'utf8');
  const shown = [
    ...COMMANDS.flatMap((c) => c.examples.map((e) => e.command)),
    ...[...manual.matchAll(/^keepstate (?:trace|check|flows|events|help) .*?(?=$| {3}#)/gm)].map(
      ([line]) => line,
    ),
    ...[...readme.matchAll(/`npx (keepstate \w+ [^`]*)`/g)].map(([, command]) => command!),
  ].filter(
    (command) =>
      // What reads standard input has a test of its own.
      command.startsWith('keepstate') &&
      !command.includes('COMMAND') &&
      !command.includes('--batch') &&
      !LIVE.test(command),
  );
  const rules = {
    'rules.nft': 'gateway/rules.nft',
    'rules.v4': 'gateway/rules.v4',
    'rules.v6': 'gateway/rules.v4',
  };

  test.each([...new Set(shown)])('runs as it is printed: %s', async (command) => {
    const place = new Place();
    const words = [...command.replace(/ >.*$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, a, b]) => a ?? b!);
    const listings = await listingsIn(place, capture);
    const args = words.slice(1).map((word) => {
      if (listings.has(word)) return listings.get(word)!;
      const file = rules[word as keyof typeof rules];
      if (file !== undefined) return fileURLToPath(new URL(`../examples/${file}`, import.meta.url));
      return word.endsWith('.pcap') ? capture : word;
    });
    const { status, out, err } = await place.run(...args);
    place.end();
    expect(status, err).toBe(args.includes('--check') || args.includes('--lint') ? 1 : 0);
    // Of a command that fills a table nothing is to be seen.
    if (args.includes('-R')) return;
    // A ruleset without errors has nothing to say on standard output.
    if (args[0] === 'check' && args.length === 2) return;
    // The example capture has no host of 10.0.0.0/8, no unanswered TCP, and nothing that a helper reads.
    if (!/10\.0\.0\.0|tcp and status UNREPLIED|--expect/.test(command)) expect(out).not.toBe('');
  });

  test('is shown in the README with the lines that it prints', async () => {
    const place = new Place();
    const blocks = [...readme.matchAll(/^\$ npx keepstate (\w+) examples\/http\.pcap\n([^$`]+)/gm)];
    expect(blocks.map(([, name]) => name)).toEqual(['trace', 'flows']);
    for (const [, name, text] of blocks) {
      const { lines } = await place.run(name!, capture);
      for (const line of text!.trimEnd().split('\n')) {
        const parts = line.split('…').map((part) => part.trim());
        const found = lines.some((real) => parts.every((part) => real.includes(part)));
        expect(found, line).toBe(true);
      }
    }
    place.end();
  });
});
