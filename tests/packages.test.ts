/** What the packages hold that `npm pack` makes: all that they point to, and nothing that nobody uses. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
}

function filesOf(workspace: string): string[] {
  const argv = ['pack', '--dry-run', '--json', '--ignore-scripts', '--workspace', workspace];
  const [pack] = JSON.parse(execFileSync('npm', argv, { cwd: ROOT, encoding: 'utf8' })) as [
    { files: { path: string }[] },
  ];
  return pack.files.map(({ path }) => path);
}

// `npm ci` builds it; a checkout that was never built has nothing to pack.
const isBuilt = existsSync(`${ROOT}/engine/dist/engine.js`) || process.env.CI !== undefined;

describe.skipIf(!isBuilt).each(['engine', 'live', 'cli'])('the package of %s', (workspace) => {
  const files = isBuilt ? filesOf(workspace) : [];
  const manifest = JSON.parse(readFileSync(`${ROOT}/${workspace}/package.json`, 'utf8')) as Manifest;

  test('holds all that its manifest points to', () => {
    const exported = Object.values(manifest.exports ?? {}).flatMap(({ types, default: main }) => [
      types,
      main,
    ]);
    const named = [...exported, ...Object.values(manifest.bin ?? {})].map((path) => path!.replace('./', ''));
    expect(named.length).toBeGreaterThan(0);
    expect(files).toEqual(expect.arrayContaining([...named, 'LICENSE', 'README.md', 'package.json']));
  });

  test('holds no sources, maps, tests or notes of the compiler', () => {
    const useless = /\.map$|\.tsbuildinfo$|\.test\.|(?<!\.d)\.ts$/;
    expect(files.filter((path) => useless.test(path))).toEqual([]);
  });
});
