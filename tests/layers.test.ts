/** The order of the engine's folders, and what no engine file may do. Type-only imports count like all others. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** In the order a packet meets them: each imports only from itself and those before it. `index` is index.ts. */
const ORDER = [
  ...['base', 'packet', 'capture', 'frag', 'conntrack', 'proto', 'nat', 'helper', 'host', 'rules'],
  ...['nft', 'ipset', 'iptables', 'script', 'lint', 'hook', 'trace', 'index'],
];

const ENGINE = fileURLToPath(new URL('../engine/', import.meta.url));

/** A source without comments; strings and templates stay. */
function withoutComments(source: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
  return source.replace(token, (text) => (text.startsWith('/') ? ' ' : text));
}

/** What a source imports or re-exports: `from '…'`, `import '…'`, `import('…')`, `require('…')`. */
function importsOf(source: string): string[] {
  const specifier = /(?<!['"`])\b(?:from|import|require)\s*\(?\s*(['"`])([^'"`\n]*)\1/g;
  return [...withoutComments(source).matchAll(specifier)].map((match) => match[2]!);
}

/** Where a file of the engine stands in the order, -1 if nowhere. */
function rank(file: string): number {
  const parts = file.split('/');
  const layer = parts.length === 1 ? parts[0]!.replace(/\.ts$/, '') : parts[0]!;
  return ORDER.indexOf(layer);
}

function importTrouble(file: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return `${file} imports '${specifier}', which is not the engine's`;
  const target = normalize(join(dirname(file), specifier)).replaceAll('\\', '/');
  if (target.startsWith('..')) return `${file} imports '${specifier}', which is outside the engine`;
  if (!target.endsWith('.ts')) return `${file} imports '${specifier}' without its extension .ts`;
  if (rank(target) < 0) return `${file} imports '${specifier}', which has no place in the order of folders`;
  if (rank(target) > rank(file)) return `${file} imports '${specifier}', which comes after it`;
  return null;
}

/**
 * What is wrong with one file.
 * @param file its path from the engine's folder on
 */
function troubles(file: string, source: string): string[] {
  const found: (string | null)[] = importsOf(source).map((specifier) => importTrouble(file, specifier));
  const code = withoutComments(source);
  if (rank(file) < 0) found.push(`${file} has no place in the order of folders`);
  if (/\bexport\s+default\b|\bas\s+default\s*[,}]/.test(code)) found.push(`${file} has a default export`);
  if (/\bexport\s+(?:type\s+)?\*\s*from\b/.test(code)) found.push(`${file} exports everything of a file`);
  return found.filter((trouble) => trouble !== null);
}

/** The engine's sources; tests and their helpers are none. */
const FILES = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !/(^|\/)(dist|node_modules)\/|\.test\.ts$/.test(file))
  .sort();

describe('the engine', () => {
  test('has files in every folder of the order but perhaps trace', () => {
    const seen = new Set(FILES.map((file) => ORDER[rank(file)]));
    expect(ORDER.filter((layer) => layer !== 'trace' && !seen.has(layer))).toEqual([]);
    expect(FILES.length).toBeGreaterThan(80);
  });

  test.each(FILES)('%s imports only from its own folder and those before it, and exports by name', (file) => {
    expect(troubles(file, readFileSync(join(ENGINE, file), 'utf8'))).toEqual([]);
  });
});

describe('the check of the folder order', () => {
  test.each([
    ['a later folder', "import { Flow } from '../conntrack/flow.ts';", 'comes after it'],
    ['a type of a later folder', "import type { Flow } from '../conntrack/flow.ts';", 'comes after it'],
    ['a later folder, over lines', "import {\n  a,\n  b,\n} from\n  '../hook/a.ts';", 'comes after it'],
    ['a later folder, to export it', "export { Flow } from '../proto/tcp.ts';", 'comes after it'],
    ['a later folder, for its effects', "import '../hook/firewall.ts';", 'comes after it'],
    ['a later folder, at run time', "const a = await import('../hook/firewall.ts');", 'comes after it'],
    ['a type of a later folder, in place', "let a: import('../proto/tcp.ts').Tcp;", 'comes after it'],
    ['the index', "import { Firewall } from '../index.ts';", 'comes after it'],
    ['a later folder behind a comment', "/* ' */ import { a } from '../proto/a.ts'; // '", 'comes after it'],
    ['a module of Node', "import { readFileSync } from 'node:fs';", "is not the engine's"],
    ['a package', 'import ts from "typescript";', "is not the engine's"],
    ['the engine by its own name', "import { Firewall } from '@keepstate/engine';", "is not the engine's"],
    ['a CommonJS module', "const fs = require('fs');", "is not the engine's"],
    ['a file outside', "import { run } from '../../cli/run.ts';", 'is outside the engine'],
    ['a folder that has no place', "import { a } from '../misc/a.ts';", 'has no place'],
    ['a file without extension', "import { a } from './tcp';", 'without its extension'],
    ['a default export', 'export default class Flow {}', 'default export'],
    ['a default export by name', 'class Flow {}\nexport { Flow as default };', 'default export'],
    ['everything of a file', "export * from './tcp.ts';", 'exports everything'],
    ['every type of a file', "export type * from './tcp.ts';", 'exports everything'],
  ])('refuses %s', (_name, source, trouble) => {
    expect(troubles('packet/fabricated.ts', source).join()).toContain(trouble);
  });

  test.each([
    ['an earlier folder', "import { R_CLASH } from '../base/reason.ts';"],
    ['its own folder', "import type { Packet } from './packet.ts';"],
    ['comments and strings', "// import '../hook/a.ts'\n/** from '../hook/b.ts' */ const s = 'x: \\'a';"],
    ['a file under one name', "export * as ipct from './events.ts';"],
  ])('lets %s pass', (_name, source) => {
    expect(troubles('packet/fabricated.ts', source)).toEqual([]);
  });

  test('refuses a file in a folder that has no place', () => {
    expect(troubles('misc/a.ts', '').join()).toContain('no place');
    expect(troubles('other.ts', '').join()).toContain('no place');
  });
});
