import type { Extension, XtOption } from './extension.ts';
import type { RuleUse } from './rule-builder.ts';

/** An option of iptables itself. */
export interface BaseOption {
  /** The letter, `0` for those that have none. */
  readonly letter: string;
  readonly long: readonly string[];
  /** Whether a word follows; `maybe` if one may. */
  readonly arg: 'none' | 'one' | 'maybe';
  /** What it is for. */
  readonly role: 'command' | 'rule' | 'display' | 'global';
}

/** All options of iptables itself, as its manual page has them. */
const BASE_OPTIONS: readonly BaseOption[] = [
  { letter: 'A', long: ['append'], arg: 'one', role: 'command' },
  { letter: 'C', long: ['check'], arg: 'one', role: 'command' },
  { letter: 'D', long: ['delete'], arg: 'one', role: 'command' },
  { letter: 'I', long: ['insert'], arg: 'one', role: 'command' },
  { letter: 'R', long: ['replace'], arg: 'one', role: 'command' },
  { letter: 'L', long: ['list'], arg: 'maybe', role: 'command' },
  { letter: 'S', long: ['list-rules'], arg: 'maybe', role: 'command' },
  { letter: 'F', long: ['flush'], arg: 'maybe', role: 'command' },
  { letter: 'Z', long: ['zero'], arg: 'maybe', role: 'command' },
  { letter: 'N', long: ['new-chain'], arg: 'one', role: 'command' },
  { letter: 'X', long: ['delete-chain'], arg: 'maybe', role: 'command' },
  { letter: 'E', long: ['rename-chain'], arg: 'one', role: 'command' },
  { letter: 'P', long: ['policy'], arg: 'one', role: 'command' },
  { letter: 'h', long: ['help'], arg: 'maybe', role: 'command' },
  { letter: 'V', long: ['version'], arg: 'none', role: 'command' },
  { letter: 's', long: ['source', 'src'], arg: 'one', role: 'rule' },
  { letter: 'd', long: ['destination', 'dst'], arg: 'one', role: 'rule' },
  { letter: 'p', long: ['protocol'], arg: 'one', role: 'rule' },
  { letter: 'i', long: ['in-interface'], arg: 'one', role: 'rule' },
  { letter: 'o', long: ['out-interface'], arg: 'one', role: 'rule' },
  { letter: 'j', long: ['jump'], arg: 'one', role: 'rule' },
  { letter: 'g', long: ['goto'], arg: 'one', role: 'rule' },
  { letter: 'm', long: ['match'], arg: 'one', role: 'rule' },
  { letter: 'f', long: ['fragments'], arg: 'none', role: 'rule' },
  { letter: 'c', long: ['set-counters'], arg: 'one', role: 'rule' },
  { letter: '4', long: ['ipv4'], arg: 'none', role: 'rule' },
  { letter: '6', long: ['ipv6'], arg: 'none', role: 'rule' },
  { letter: 'n', long: ['numeric'], arg: 'none', role: 'display' },
  { letter: 'x', long: ['exact'], arg: 'none', role: 'display' },
  { letter: '0', long: ['line-numbers'], arg: 'none', role: 'display' },
  { letter: 'v', long: ['verbose'], arg: 'none', role: 'global' },
  { letter: 't', long: ['table'], arg: 'one', role: 'global' },
  { letter: 'M', long: ['modprobe'], arg: 'one', role: 'global' },
  { letter: 'w', long: ['wait'], arg: 'maybe', role: 'global' },
  { letter: 'W', long: ['wait-interval'], arg: 'maybe', role: 'global' },
];

const BY_NAME: ReadonlyMap<string, OptionHit> = new Map(
  BASE_OPTIONS.flatMap((base) => base.long.map((name): [string, OptionHit] => [name, { base }])),
);
const BY_LETTER: ReadonlyMap<string, BaseOption> = new Map(BASE_OPTIONS.map((o) => [o.letter, o]));

/** The option of a single letter. */
export function baseOption(letter: string): BaseOption | undefined {
  return letter === '0' ? undefined : BY_LETTER.get(letter);
}

/** What an option's name stands for: an option of iptables, or of a match or target that was loaded before. */
export type OptionHit =
  | { readonly base: BaseOption }
  | { readonly use: RuleUse; readonly option: XtOption<unknown> };

/** The options of an extension by each of their names, made when it is met first. */
const OPTIONS_OF = new WeakMap<Extension, ReadonlyMap<string, XtOption<unknown>>>();

function optionsOf(ext: Extension): ReadonlyMap<string, XtOption<unknown>> {
  let options = OPTIONS_OF.get(ext);
  if (options === undefined) {
    options = new Map(
      ext.options.flatMap((option) =>
        [option.name, ...(option.aliases ?? [])].map((name) => [name, option] as const),
      ),
    );
    OPTIONS_OF.set(ext, options);
  }
  return options;
}

function namesOf(ext: Extension): readonly string[] {
  return [...optionsOf(ext).keys()].filter((name) => name.length > 1);
}

/**
 * Finds a long option as getopt_long(3) does: exact names first (iptables' own, then those of what was loaded last),
 * then abbreviations, if only one option has them.
 * @param name without dashes
 * @param uses matches and target that were loaded, in order
 */
export function findLongOption(name: string, uses: readonly RuleUse[]): OptionHit | undefined {
  const base = BY_NAME.get(name);
  if (base !== undefined) return base;
  for (let i = uses.length - 1; i >= 0; i--) {
    const use = uses[i]!;
    const option = name.length > 1 ? optionsOf(use.ext).get(name) : undefined;
    if (option !== undefined) return { use, option };
  }
  return abbreviated(name, uses);
}

function abbreviated(name: string, uses: readonly RuleUse[]): OptionHit | undefined {
  const near: OptionHit[] = BASE_OPTIONS.filter((o) => o.long.some((l) => l.startsWith(name))).map(
    (base) => ({ base }),
  );
  for (const use of uses)
    for (const option of use.ext.options)
      if ([option.name, ...(option.aliases ?? [])].some((l) => l.length > 1 && l.startsWith(name)))
        near.push({ use, option });
  return near.length === 1 ? near[0] : undefined;
}

/** A short option of what was loaded, the last one first. */
export function findShortOption(letter: string, uses: readonly RuleUse[]): OptionHit | undefined {
  for (const use of uses.toReversed())
    for (const option of use.ext.options)
      if (option.name === letter || option.aliases?.includes(letter)) return { use, option };
  return undefined;
}

/** All long names that would be understood, for suggestions. */
export function knownOptions(uses: readonly RuleUse[]): readonly string[] {
  return [...BASE_OPTIONS.flatMap((o) => o.long), ...uses.flatMap((use) => namesOf(use.ext))];
}
