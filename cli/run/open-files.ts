import { statSync } from 'node:fs';
import { dirname } from 'node:path';

const S_IWOTH = 0o002;
const S_ISVTX = 0o1000;

/** What others may do to a file; null if nothing. Of a folder with the sticky bit only owners take files out. */
function others(name: string): string | null {
  try {
    if ((statSync(name).mode & S_IWOTH) !== 0) return 'anybody may write to it';
    const { mode } = statSync(dirname(name));
    return (mode & S_IWOTH) !== 0 && (mode & S_ISVTX) === 0 ? 'anybody may put another in its place' : null;
  } catch {
    // Gone, or no file: who reads it says so.
    return null;
  }
}

/** Which of the files that rules were read from anybody on the machine may change, and how. */
export function filesOpenToOthers(
  names: Iterable<string>,
): readonly (readonly [name: string, how: string])[] {
  return [...names].flatMap((name) => {
    const how = others(name);
    return how === null ? [] : [[name, how] as const];
  });
}
