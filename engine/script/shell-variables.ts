/** The value of a variable: text, or why nobody but a shell could tell. */
export type ShellValue = string | { readonly opaque: string };

/** Values by index, or by word (`declare -A`). */
export interface ShellArray {
  readonly isMap: boolean;
  readonly items: Map<string, ShellValue>;
}

/** Arguments of the script or of a function that runs, and what its local variables hid. */
export interface ShellFrame {
  readonly args: readonly string[];
  /** Whether all arguments are known: then one that is not there is empty. */
  readonly isKnown: boolean;
  readonly hidden: Map<string, ShellValue | ShellArray | undefined>;
}

/** `$$`: any number is as true as another; scripts name files by it. */
const PROCESS = '1000';
/** What `$NAME` may be in every shell, if the script does not set it. */
const ALWAYS: ReadonlyMap<string, string> = new Map([
  ['IFS', ' \t\n'],
  ['UID', '0'],
  ['EUID', '0'],
  ['OPTIND', '1'],
]);
/** What a shell knows and this does not. */
const UNKNOWN: ReadonlySet<string> = new Set(
  'RANDOM SECONDS LINENO PPID HOSTNAME HOME USER LOGNAME PWD PATH SHELL BASHPID OSTYPE HOSTTYPE BASH_VERSION'.split(
    ' ',
  ),
);
/** So that a value put into itself over and over comes to an end. */
const VALUE_MAX = 1 << 20;

/** Variables and arguments of a running script. */
export class ShellVariables {
  private values: Map<string, ShellValue | ShellArray> = new Map();
  private readonly script: string;
  private readonly frames: ShellFrame[];
  /** `$?`, null if it cannot be told. */
  status: number | null = 0;
  /** Where `getopts` is within a word of several options, 0 at its beginning. */
  optionAt = 0;
  /** Variables that a shell of its own gets. */
  readonly exported: Set<string> = new Set();
  /** Variables that `declare -i` made numbers. */
  readonly numbers: Set<string> = new Set();

  /**
   * @param script its path
   * @param args of the script, null if it is not known with which it is called
   */
  constructor(script: string, args: readonly string[] | null) {
    this.script = script;
    this.values.set('BASH_SOURCE', script);
    this.frames = [{ args: args ?? [], isKnown: args !== null && args.length > 0, hidden: new Map() }];
  }

  /** How the last command ended: whether `$?` is 0, null if it cannot be told. */
  get outcome(): boolean | null {
    return this.status === null ? null : this.status === 0;
  }

  set outcome(outcome: boolean | null) {
    this.status = outcome === null ? null : outcome ? 0 : 1;
  }

  get frame(): ShellFrame {
    return this.frames.at(-1)!;
  }

  /** Whether a function runs. */
  get isInFunction(): boolean {
    return this.frames.length > 1;
  }

  /** A function begins. */
  enter(args: readonly string[]): void {
    this.frames.push({ args, isKnown: true, hidden: new Map() });
  }

  /** It ends, and its local variables with it. */
  leave(): void {
    for (const [name, value] of this.frames.pop()!.hidden)
      if (value === undefined) this.values.delete(name);
      else this.values.set(name, value);
  }

  /** `set --` and `shift`. */
  setArgs(args: readonly string[]): void {
    this.frames[this.frames.length - 1] = { ...this.frame, args, isKnown: true };
  }

  /** Makes a variable local to the function that runs. */
  hide(name: string): void {
    if (!this.isInFunction || this.frame.hidden.has(name)) return;
    this.frame.hidden.set(name, this.values.get(name));
    this.values.delete(name);
  }

  /** The same for one that is given a value, which may ask for the one that is hidden. */
  hideBehind(name: string, assign: () => void): void {
    const old = this.values.get(name);
    assign();
    if (this.isInFunction && !this.frame.hidden.has(name)) this.frame.hidden.set(name, old);
  }

  /** Notes variables that are set for one command. @returns what takes them back */
  keep(names: readonly string[]): () => void {
    const old = names.map((name) => [name, this.values.get(name)] as const);
    return () => {
      for (const [name, value] of old)
        if (value === undefined) this.values.delete(name);
        else this.values.set(name, value);
    };
  }

  /** A subshell begins. @returns what ends it */
  fork(): () => void {
    const { values, frame } = this;
    const depth = this.frames.length;
    this.values = new Map([...values].map(([name, value]) => [name, copied(value)]));
    this.frames[depth - 1] = { ...frame, hidden: new Map() };
    return () => {
      this.values = values;
      this.frames[depth - 1] = frame;
    };
  }

  /** Forgets all that a new shell does not get. */
  forgetOwn(): void {
    for (const name of [...this.values.keys()]) if (!this.exported.has(name)) this.values.delete(name);
  }

  set(name: string, value: ShellValue): void {
    const old = this.values.get(name);
    if (typeof old === 'object' && 'items' in old) old.items.set('0', capped(value));
    else this.values.set(name, capped(value));
  }

  setArray(name: string, array: ShellArray): void {
    this.values.set(name, array);
  }

  setItem(name: string, index: string, value: ShellValue): void {
    const array = this.array(name) ?? { isMap: false, items: new Map() };
    array.items.set(index, capped(value));
    this.values.set(name, array);
  }

  /** A variable as an array of itself, null if it is not set. */
  array(name: string): ShellArray | null {
    const value = this.values.get(name);
    if (value === undefined) return null;
    return typeof value === 'object' && 'items' in value
      ? value
      : { isMap: false, items: new Map([['0', value]]) };
  }

  unset(name: string, index: string | null = null): void {
    if (index === null) this.values.delete(name);
    else this.array(name)?.items.delete(index);
  }

  /** Whether a script set it. */
  has(name: string): boolean {
    return this.values.has(name);
  }

  /** A variable's value, or an argument's; undefined if it is not set. */
  get(name: string): ShellValue | undefined {
    const { args, isKnown } = this.frame;
    if (name === '@' || name === '*') return isKnown ? args.join(' ') : undefined;
    if (name === '#') return isKnown ? String(args.length) : { opaque: '$#' };
    if (name === '?') return this.status === null ? { opaque: '$?' } : String(this.status);
    if (name === '$') return PROCESS;
    if (name === '0') return this.script;
    if (/^[!-]$/.test(name)) return { opaque: `$${name}` };
    if (/^[0-9]+$/.test(name)) return args[Number(name) - 1] ?? (isKnown ? '' : undefined);
    const value = this.values.get(name);
    if (value === undefined)
      return ALWAYS.get(name) ?? (UNKNOWN.has(name) ? { opaque: `$${name}` } : undefined);
    return typeof value === 'object' && 'items' in value ? value.items.get('0') : value;
  }
}

function capped(value: ShellValue): ShellValue {
  return typeof value === 'string' && value.length > VALUE_MAX ? { opaque: 'a value this long' } : value;
}

function copied(value: ShellValue | ShellArray): ShellValue | ShellArray {
  return typeof value === 'object' && 'items' in value ? { ...value, items: new Map(value.items) } : value;
}
