/** docs/live.md and examples/live name only options that there are. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Place } from '../../cli/testing/keepstate.ts';

const ROOT = new URL('../../', import.meta.url);
/** Options of iptables, which docs/live.md has as well. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  ...['--queue-num', '--queue-balance', '--queue-bypass', '--icmpv6-type', '--notrack'],
]);

const place = new Place();
afterAll(() => place.end());

function fileOf(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

function optionsIn(text: string): string[] {
  return [...new Set(text.match(/(?<![\w-])--[a-z][a-z0-9-]*/g) ?? [])];
}

/** The command line of the unit. */
function commandOfUnit(): string {
  return /^ExecStart=((?:.*\\\n)*.*)$/m.exec(fileOf('examples/live/keepstate.service'))![1]!;
}

/** The command lines of the image: what it always starts with, and what it does if nothing else is said. */
function commandOfImage(): string[] {
  const text = fileOf('examples/live/Dockerfile');
  return ['ENTRYPOINT', 'CMD'].flatMap(
    (word) => JSON.parse(new RegExp(`^${word} (\\[.*\\])$`, 'm').exec(text)![1]!) as string[],
  );
}

describe('the documentation of keepstate run', () => {
  test('names options that there are', async () => {
    const { out } = await place.run('run', '--help');
    const known = new Set(optionsIn(out));
    expect(known.size).toBeGreaterThan(10);
    const unit = commandOfUnit();
    expect(unit).toMatch(/^\/\S+\/keepstate run /);
    const image = commandOfImage();
    expect(image.slice(0, 2)).toEqual(['keepstate', 'run']);
    const named = [unit, image.join(' '), fileOf('docs/live.md')].flatMap(optionsIn);
    expect(named.filter((option) => !known.has(option) && !OF_OTHERS.has(option))).toEqual([]);
  });

  test('has a unit that keeps the two capabilities, and an image whose files there are', () => {
    const unit = fileOf('examples/live/keepstate.service');
    expect(unit).toMatch(/^CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW$/m);
    const copied = [...fileOf('examples/live/Dockerfile').matchAll(/--from=build (.*) \S+$/gm)];
    const files = copied
      .flatMap(([, paths]) => paths!.split(' '))
      .map((path) => path.replace('/keepstate/', ''));
    expect(files.length).toBeGreaterThan(5);
    const made = files.filter((path) => !/dist$|node_modules$/.test(path));
    for (const path of made) expect([path, fileOf(path).length > 0]).toEqual([path, true]);
  });
});
