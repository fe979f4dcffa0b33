import { existsSync, readdirSync, statSync } from 'node:fs';

const WILD = /[*?[]/;

/** What a pattern names that has a range the wrong way round, as [z-a]: nothing. */
const NOTHING = /(?!)/;

/** What stands in brackets, as a regular expression has it; `!` and `^` (as the GNU C library has it) negate. */
function setPattern(inside: string): string {
  const isNot = /^[!^]/.test(inside);
  const members = (isNot ? inside.slice(1) : inside).replace(/[\\^[\]]/g, '\\$&');
  return `[${isNot ? '^' : ''}${members}]`;
}

/** A pattern of one path component as a regular expression: `*`, `?`, `[a-z]`, `[!a-z]`, `[]a]`. */
function componentPattern(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    // A bracket right at the beginning is one of the characters.
    const first = i + (/[!^]/.test(pattern[i + 1] ?? '') ? 2 : 1);
    const close = c === '[' ? pattern.indexOf(']', first + 1) : -1;
    if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (close > 0) {
      source += setPattern(pattern.slice(i + 1, close));
      i = close;
    } else source += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return NOTHING;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder).sort();
  } catch {
    return [];
  }
}

/** Whether something is there to be read that is no folder; a link to nowhere is not. */
function isReadable(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** A path as glob(3) gives it: with the dot at its beginning that the pattern has. */
function beside(folder: string, name: string): string {
  return folder === '' || folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/**
 * The files that a pattern of glob(3) names, sorted; hidden ones only where the pattern begins with a dot.
 * @returns [] if there is none, or if a path without wildcards does not exist
 */
export function glob(pattern: string): string[] {
  if (!WILD.test(pattern)) return isReadable(pattern) ? [pattern] : [];
  let found = [/^(\.?\/)?/.exec(pattern)![0]];
  for (const component of pattern
    .slice(found[0]!.length)
    .split('/')
    .filter((c) => c !== '')) {
    if (!WILD.test(component)) {
      found = found.map((f) => beside(f, component)).filter((f) => existsSync(f));
      continue;
    }
    const wanted = componentPattern(component);
    const hidden = component.startsWith('.');
    found = found.flatMap((folder) =>
      entries(folder)
        .filter((name) => wanted.test(name) && (hidden || !name.startsWith('.')))
        .map((name) => beside(folder, name)),
    );
  }
  return found.filter(isReadable);
}
