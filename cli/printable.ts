/** What a terminal would not print but do. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text without what a terminal would obey, on one line. */
export function printable(text: string): string {
  return text.replace(CONTROLS, '?');
}
