import type { Argument, LongOption } from './getopt.ts';

/** What the command does, by its short option. */
export type CommandLetter = 'L' | 'G' | 'D' | 'I' | 'A' | 'U' | 'E' | 'F' | 'C' | 'S' | 'h' | 'V';

/** Commands with their long names. A letter that takes a value (which nothing is made of) has `optional`. */
export const COMMAND_OPTIONS: readonly (readonly [CommandLetter, string, Argument])[] = [
  ['L', 'dump', 'optional'],
  ['G', 'get', 'optional'],
  ['D', 'delete', 'optional'],
  ['I', 'create', 'optional'],
  ['A', 'add', 'optional'],
  ['U', 'update', 'optional'],
  ['E', 'event', 'optional'],
  ['F', 'flush', 'optional'],
  ['C', 'count', 'optional'],
  ['S', 'stats', 'none'],
  ['h', 'help', 'none'],
  ['V', 'version', 'none'],
];

/** The options besides commands, by the name that error messages have. */
export type OptionName =
  | 'src'
  | 'dst'
  | 'reply-src'
  | 'reply-dst'
  | 'protonum'
  | 'timeout'
  | 'status'
  | 'zero'
  | 'event-mask'
  | 'tuple-src'
  | 'tuple-dst'
  | 'mask-src'
  | 'mask-dst'
  | 'mark'
  | 'id'
  | 'family'
  | 'src-nat'
  | 'dst-nat'
  | 'output'
  | 'secmark'
  | 'buffer-size'
  | 'any-nat'
  | 'zone'
  | 'label'
  | 'label-add'
  | 'label-del'
  | 'orig-zone'
  | 'reply-zone';

/** An option; the order of the table is that in which they are checked (measured: which of two errors comes first). */
export interface OptionSpec {
  readonly name: OptionName;
  readonly short?: string;
  readonly argument: Argument;
  /** Other long names. */
  readonly also?: readonly string[];
}

/** Options of every protocol. */
export const OPTIONS: readonly OptionSpec[] = [
  { name: 'src', short: 's', argument: 'required', also: ['orig-src'] },
  { name: 'dst', short: 'd', argument: 'required', also: ['orig-dst'] },
  { name: 'reply-src', short: 'r', argument: 'required' },
  { name: 'reply-dst', short: 'q', argument: 'required' },
  { name: 'protonum', short: 'p', argument: 'required' },
  { name: 'timeout', short: 't', argument: 'required' },
  { name: 'status', short: 'u', argument: 'required' },
  { name: 'zero', short: 'z', argument: 'none' },
  { name: 'event-mask', short: 'e', argument: 'required' },
  { name: 'tuple-src', argument: 'required' },
  { name: 'tuple-dst', argument: 'required' },
  { name: 'mask-src', argument: 'required' },
  { name: 'mask-dst', argument: 'required' },
  { name: 'mark', short: 'm', argument: 'required' },
  { name: 'id', short: 'i', argument: 'required' },
  { name: 'family', short: 'f', argument: 'required' },
  { name: 'src-nat', short: 'n', argument: 'optional' },
  { name: 'dst-nat', short: 'g', argument: 'optional' },
  { name: 'output', short: 'o', argument: 'required' },
  { name: 'secmark', short: 'c', argument: 'required' },
  { name: 'buffer-size', short: 'b', argument: 'required' },
  { name: 'any-nat', short: 'j', argument: 'optional' },
  { name: 'zone', short: 'w', argument: 'required' },
  { name: 'label', short: 'l', argument: 'required' },
  { name: 'label-add', argument: 'required' },
  { name: 'label-del', argument: 'optional' },
  { name: 'orig-zone', argument: 'required' },
  { name: 'reply-zone', argument: 'required' },
];

/** A short option that did something once: it is warned of and does nothing. */
const DEPRECATED = 'a';

/** Short options for {@link Getopt}. */
export const SHORT: ReadonlyMap<string, Argument> = new Map([
  ...COMMAND_OPTIONS.map(([letter, , argument]) => [letter, argument] as const),
  ...OPTIONS.flatMap(({ short, argument }) => (short === undefined ? [] : [[short, argument] as const])),
  [DEPRECATED, 'required'] as const,
]);

/** Long options for {@link Getopt}: commands have their letter for an id, options their name. */
export const LONG: readonly LongOption[] = [
  ...COMMAND_OPTIONS.map(([letter, name, argument]) => ({ name, argument, id: letter })),
  ...OPTIONS.flatMap(({ name, argument, also = [] }) =>
    [name, ...also].map((n) => ({ name: n, argument, id: name })),
  ),
];

/** The option that a token means. */
export function optionNamed(id: string): OptionName | null {
  return OPTIONS.find((o) => o.name === id || o.short === id)?.name ?? null;
}
