import type { CommandLetter, OptionName } from './option-table.ts';
import { OPTIONS } from './option-table.ts';
import { usage } from './words.ts';

/** The tables that a command may be about. */
export type TableName = 'conntrack' | 'expect' | 'dying' | 'unconfirmed';

/** A command with its table as {@link LEGAL} has them: dying and unconfirmed count as conntrack. */
type Key = `${CommandLetter}` | `${CommandLetter} expect`;

/** What a command needs and what it may have besides; all else is refused. Measured, option by option. */
interface Legal {
  readonly needs?: string;
  readonly takes?: string;
}

const FILTER = 'src dst reply-src reply-dst protonum mask-src mask-dst mark src-nat dst-nat output label';

const LEGAL: Partial<Readonly<Record<Key, Legal>>> = {
  L: { takes: `${FILTER} status zero family secmark any-nat zone orig-zone reply-zone` },
  G: { needs: 'protonum', takes: 'src dst reply-src reply-dst id output label' },
  D: { takes: `${FILTER} timeout status id family zone orig-zone reply-zone` },
  I: {
    needs: 'protonum timeout',
    takes: 'src dst reply-src reply-dst status mark src-nat dst-nat zone label-add orig-zone reply-zone',
  },
  A: {
    needs: 'protonum timeout',
    takes: 'src dst reply-src reply-dst status mark src-nat dst-nat zone label-add orig-zone reply-zone',
  },
  U: { takes: `${FILTER} timeout status id family label-add label-del` },
  E: { takes: `${FILTER} event-mask family secmark buffer-size any-nat zone orig-zone reply-zone` },
  F: { takes: 'family' },
  h: { takes: 'protonum' },
  'L expect': { takes: 'family output' },
  'G expect': { needs: 'src dst protonum', takes: 'reply-src reply-dst' },
  'D expect': { needs: 'src dst protonum', takes: 'reply-src reply-dst' },
  'I expect': {
    needs: 'src dst protonum timeout tuple-src tuple-dst mask-src mask-dst',
    takes: 'reply-src reply-dst status',
  },
  'E expect': { takes: 'output' },
};

const keyOf = (command: CommandLetter, table: TableName): Key =>
  table === 'expect' ? `${command} expect` : command;

const words = (text: string | undefined): readonly string[] => (text ?? '').split(' ');

/**
 * Refuses options that a command does not take, and a command that lacks one it needs; the first of the table of
 * options counts.
 * @param command null where none was given, which takes no option at all
 * @throws ToolError
 */
export function checkLegal(
  command: CommandLetter | null,
  table: TableName,
  given: (name: OptionName) => boolean,
): void {
  const legal = (command === null ? undefined : LEGAL[keyOf(command, table)]) ?? {};
  const needs = words(legal.needs);
  const takes = words(legal.takes);
  for (const { name } of OPTIONS) {
    if (needs.includes(name)) {
      if (!given(name)) usage(`You need to supply the \`--${name}' option for this command`);
    } else if (given(name) && !takes.includes(name)) {
      usage(`Illegal option \`--${name}' with this command`);
    }
  }
}
