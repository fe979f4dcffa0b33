import type { Expr } from '../rules/expr.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import type { XtWorld } from './world.ts';

/** Of {@link Extension.families}: IPv4 and IPv6. */
export const XT_BOTH: readonly number[] = [NFPROTO_IPV4, NFPROTO_IPV6];
/** Of {@link Extension.families}: IPv4 only. */
export const XT_IPV4: readonly number[] = [NFPROTO_IPV4];
/** Of {@link Extension.families}: IPv6 only. */
export const XT_IPV6: readonly number[] = [NFPROTO_IPV6];

/**
 * What is wrong with a word of a rule. Extensions throw it; whoever parses the line knows where the word stands and
 * makes a SourceError of it.
 */
export class XtError extends Error {
  readonly hint: string | undefined;
  /** Which of the option's words is meant, 0 the first one; undefined: the option itself, or the whole extension. */
  readonly word: number | undefined;

  /** @param message as the real tool words it, on one line, without its name in front and without a full stop */
  constructor(message: string, hint?: string, word?: number) {
    super(message);
    this.name = 'XtError';
    this.hint = hint;
    this.word = word;
  }
}

/** What surrounds a match or target while its options are read and checked. */
export interface XtContext {
  /** NFPROTO_IPV4 or NFPROTO_IPV6. */
  readonly family: number;
  /** filter, nat, mangle, raw, security. */
  readonly table: string;
  /** What all tables and both families of a network namespace share: recent lists, hashlimit tables, IP sets. */
  readonly world: XtWorld;
  /** Which iptables it is: iptables-nft or iptables-legacy. They differ where iptables-nft makes rules of its own. */
  readonly backend: 'nft' | 'legacy';
  /** The number after `-p` (as far as it was read yet), 0 if any or none. */
  readonly proto: number;
  /** Whether `-p` was negated. */
  readonly protoInverted: boolean;
}

/** An option as it was met, with its words. */
export interface XtArg {
  /** As in {@link XtOption.name}, whichever alias or abbreviation was written. */
  readonly name: string;
  /** The first word behind the option, '' if it takes none. */
  readonly text: string;
  /** All words behind the option, as many as {@link XtOption.args}. */
  readonly words: readonly string[];
  /** Whether a `!` stood before the option. */
  readonly inverted: boolean;
  readonly ctx: XtContext;
  /** The extension's name, as error messages begin with it. */
  readonly owner: string;
}

/** One option of a match or target. */
export interface XtOption<S> {
  /** Without dashes, as the listing prints it. */
  readonly name: string;
  /** Other spellings, without dashes. A single letter is a short option. */
  readonly aliases?: readonly string[];
  /** How many words follow; default 1. */
  readonly args?: 0 | 1 | 2;
  /** Whether `!` may stand before it; default no ('cannot be inverted'). */
  readonly invert?: boolean;
  /** Whether it may be met several times; default no ('can only be used once'). */
  readonly many?: boolean;
  /** What the real tool says if it is met twice, where that is not its usual sentence. */
  readonly doubled?: string;
  /** Whether the extension cannot do without it ('option "--x" must be specified'). */
  readonly required?: boolean;
  /** Options that it excludes ('cannot be used together with'). */
  readonly excludes?: readonly string[];
  /** Options that it needs ('also requires'). */
  readonly also?: readonly string[];
  /** Takes the words over. @throws XtError */
  parse(spec: S, arg: XtArg): void;
}

/** What else the rule says, as the kernel's own checks of a match or target see it (checkentry). */
export interface XtRuleFacts extends XtContext {
  /** Whether `-p` was given (ip6tables' IP6T_F_PROTO), for extensions that insist. */
  readonly hasProto: boolean;
  /** Names of all matches of the rule, in order. */
  readonly matches: readonly string[];
  /** The matches themselves. */
  readonly uses: readonly XtUse[];
  /**
   * Bit 1 << NF_INET_*: the hooks that the rule's chain can be reached from. For `check` of iptables-nft only the hook
   * of a base chain itself: nf_tables does not ask an extension again when a jump leads to it (measured).
   */
  readonly hooks: number;
}

/** What a match or target may need to become an expression. */
export interface XtLowering extends XtContext {
  /** The chain that the rule stands in. */
  readonly chain: string;
}

/**
 * A match or target. Write it as a plain object, `export const MATCH_TTL: Extension<TtlSpec> = {…}`, one a file
 * `match-NAME.ts` or `target-NAME.ts`, and add it to the lists of extensions-*.ts.
 *
 * The order of things: `init`, then `parse` of each option as met (the framework refuses unknown, doubled, negated
 * and exclusive ones as {@link XtOption} says), `finish` at the end of the rule, `check` before the table is
 * committed, `save` to list, `lower` to run (once for each rule, so state kept in the Expr lives as long as it).
 */
export interface Extension<S = unknown> {
  readonly kind: 'match' | 'target';
  /** As the listing prints it behind -m or -j. */
  readonly name: string;
  /** Other names that -m or -j knows it by. */
  readonly aliases?: readonly string[];
  readonly families: readonly number[];
  readonly options: readonly XtOption<S>[];
  /** The only tables it is allowed in (the kernel's xt_match.table); default all. */
  readonly tables?: readonly string[];
  /** The only hooks its chain may be reached from, bits 1 << NF_INET_*; default all. */
  readonly hooks?: number;
  /** The kernel wants `-p` with one of these, not negated; default any. */
  readonly protocols?: readonly number[];

  /** What it says before any option was read. @param called the name it was loaded by, may be an alias */
  init(ctx: XtContext, called: string): S;
  /** Checks when all options were read. @param seen names of the options that were given @throws XtError */
  finish?(spec: S, seen: ReadonlySet<string>, ctx: XtContext): void;
  /** What the kernel refuses in spite of the tool. @throws XtError */
  check?(spec: S, facts: XtRuleFacts): void;
  /** Its options as the real tool saves them, '' if there is nothing to say; words with a single space between. */
  save(spec: S, ctx: XtContext): string;
  /** Whether iptables-nft puts nothing into the kernel for what it says, so that it is not listed either. */
  vanishes?(spec: S): boolean;
  /** Takes over what a second one of the same kind in the rule says, as iptables-nft does. @returns whether it could */
  merge?(spec: S, second: S): boolean;
  /** The name to list, if not `name`. */
  saveName?(spec: S): string;
  /**
   * The expressions that do it. A match gives NFT_CONTINUE or NFT_BREAK (or NF_DROP, the kernel's hotdrop); a target
   * gives a verdict, or NFT_CONTINUE for the next rule.
   */
  lower(spec: S, ctx: XtLowering): readonly Expr[];
}

/** A match or target in a rule, with what it says. */
export interface XtUse {
  readonly ext: Extension;
  readonly spec: unknown;
}
