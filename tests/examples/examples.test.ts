/** Every example under examples/: each of its rulesets decides its packets as expected.txt says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Place } from '../../cli/testing/keepstate.ts';
import { expectedLines } from '../real/nat/expected.ts';
import { Scene } from './scene.ts';
import { SCENES } from './scenes.ts';

const place = new Place();
afterAll(() => place.end());

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

function folders(): string[] {
  return readdirSync(EXAMPLES).filter((name) => existsSync(`${EXAMPLES}${name}/expected.txt`));
}

function rulesOf(name: string): string[] {
  return readdirSync(`${EXAMPLES}${name}`).filter((file) => file.startsWith('rules.'));
}

/** `accept`, `drop`, … of each packet. */
function expected(name: string): string[] {
  const lines = readFileSync(`${EXAMPLES}${name}/expected.txt`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => line.split(/ +/)[1]!);
}

const SYNTHETIC = folders().filter((name) => name in SCENES);
const RECORDED = folders().filter((name) => !(name in SCENES));

describe.each(folders())('examples/%s', (name) => {
  test('is written in both languages', () => {
    const files = rulesOf(name);
    expect(files).toContain('rules.nft');
    expect(files.length).toBe(2);
  });

  test.each(rulesOf(name))('%s decides each packet as expected', async (file) => {
    const folder = `${EXAMPLES}${name}`;
    const given = ['--rules', `${folder}/${file}`, '--host', `${folder}/host.yaml`];
    const { lines, status } = await place.run('trace', '--json', ...given, `${folder}/capture.pcap`);
    expect(status).toBe(0);
    const verdicts = lines.map((line) => (JSON.parse(line) as { verdict: string }).verdict);
    expect(verdicts).toEqual(expected(name));
  });
});

test.each(SYNTHETIC)('examples/%s expects what its scene says', (name) => {
  const scene = new Scene();
  SCENES[name]!(scene);
  expect(expected(name)).toEqual(scene.steps.map((step) => step.expected));
});

describe.each(RECORDED)('examples/%s', (name) => {
  test.each(rulesOf(name))(
    '%s: each packet leaves as it left the kernel when it was recorded',
    async (file) => {
      const folder = `${EXAMPLES}${name}`;
      const told = readFileSync(`${folder}/expected.txt`, 'utf8').trimEnd().split('\n');
      expect(await expectedLines(folder, file)).toEqual(told);
    },
  );
});
