import { UsageError } from '../trouble.ts';

/** Where a command line of keepstate says to look. */
export interface Source {
  readonly kind: 'from' | 'table' | 'control' | 'kernel';
  /** File or socket, empty for the kernel. */
  readonly name: string;
}

const KINDS: ReadonlyMap<string, Source['kind']> = new Map([
  ['--from', 'from'],
  ['--table', 'table'],
  ['--control', 'control'],
  ['--kernel', 'kernel'],
]);

/** What is left for conntrack's own parser, and where to look. */
export interface SourceAndRest {
  readonly source: Source | null;
  readonly rest: readonly string[];
}

/**
 * Takes --from, --table, --control and --kernel out of a command line. They are keepstate's own: conntrack(8) has none
 * of these names, nor a name that begins with one.
 * @throws UsageError for two of them, or one without its value
 */
export function takeSource(args: readonly string[]): SourceAndRest {
  let source: Source | null = null;
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const equals = arg.indexOf('=');
    const option = equals < 0 ? arg : arg.slice(0, equals);
    const kind = KINDS.get(option);
    if (kind === undefined) {
      rest.push(arg);
      continue;
    }
    const takesName = kind !== 'kernel';
    const name = !takesName ? '' : equals < 0 ? args[++i] : arg.slice(equals + 1);
    if (name === undefined || (takesName && name === '')) {
      const value = kind === 'control' ? 'SOCKET' : 'FILE';
      throw new UsageError(`option '${option}' needs a value: ${value}`);
    }
    if (!takesName && equals >= 0) throw new UsageError(`option '${option}' takes no value`);
    if (source !== null) {
      throw new UsageError(
        `--${source.kind} and ${option} contradict each other: a command looks at one table`,
      );
    }
    source = { kind, name };
  }
  return { source, rest };
}
