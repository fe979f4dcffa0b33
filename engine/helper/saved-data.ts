/** Checks of what snapshots keep of helpers' data ({@link Helper.restore}). */

/** Whether it is a list of whole numbers, of which none is too large to be exact. @param length how many, -1 for any */
export function isNumbers(saved: unknown, length: number): saved is number[] {
  return Array.isArray(saved) && (length < 0 || saved.length === length) && saved.every(Number.isSafeInteger);
}

/** A {@link Helper.restore} for data that is nothing but whole numbers, under the names of a fresh one's. */
export function restoreNumbers<T extends object>(start: () => T): (saved: unknown) => T | undefined {
  return (saved) => {
    const names = Object.keys(start());
    const from = saved as Readonly<Record<string, unknown>> | null;
    if (typeof from !== 'object' || from === null) return undefined;
    if (!names.every((name) => Number.isSafeInteger(from[name]))) return undefined;
    return Object.fromEntries(names.map((name) => [name, from[name]])) as T;
  };
}
