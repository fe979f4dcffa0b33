/**
 * How many there are of something, in words: `1 rule`, `2 rules`.
 * @param one the word for one
 * @param many the word for any other number, by default with an s
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
