import { SourceError } from '../base/error.ts';
import { didYouMean } from '../base/suggest.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { addressMask, type XtAddress } from './address.ts';
import type { Extension, XtContext, XtOption, XtUse } from './extension.ts';
import { XtError } from './extension.ts';
import { findMatch, findTarget, matchNames, protocolMatch, targetNames } from './extensions.ts';
import { readProtocol } from './protocols.ts';
import { type Negatable, ruleContext, type XtRuleSpec, type XtTarget } from './rule.ts';
import { BUILTIN } from './table.ts';
import { locate, type Word } from './words.ts';
import type { XtWorld } from './world.ts';

/** A match or target while its options are being read. */
export interface RuleUse {
  readonly ext: Extension;
  readonly spec: unknown;
  readonly seen: Set<string>;
  /** The name it was loaded by. */
  readonly word: Word;
}

/** What a rule stands in. */
export interface RuleScope {
  readonly family: number;
  readonly table: string;
  readonly world: XtWorld;
  readonly backend: 'nft' | 'legacy';
  /** Names of the table's chains, as far as they exist by now. */
  readonly chains: ReadonlySet<string> | ReadonlyMap<string, unknown>;
}

/** What iptables says to a target or policy DROP in table nat. */
export const NO_DROP_IN_NAT =
  'The "nat" table is not intended for filtering, the use of DROP is therefore inhibited';
const VERDICTS: readonly string[] = ['ACCEPT', 'DROP', 'RETURN', 'QUEUE'];
/** Longest name of a device: IFNAMSIZ less its end. */
const DEVICE_NAME_MAX = 15;

/** Collects what the words of a rule say. Each method takes a word over or throws a SourceError. */
export class RuleBuilder {
  /** Matches and target, as loaded. */
  readonly uses: RuleUse[] = [];
  private readonly scope: RuleScope;
  private src: Negatable<XtAddress[]> | null = null;
  private dst: Negatable<XtAddress[]> | null = null;
  private inDevice: Negatable<string> | null = null;
  private outDevice: Negatable<string> | null = null;
  private proto: Negatable<number> | null = null;
  private fragment: Negatable<true> | null = null;
  private target: XtTarget | null = null;
  private targetUse: RuleUse | null = null;
  private context: XtContext;

  constructor(scope: RuleScope) {
    this.scope = scope;
    this.context = ruleContext(scope, null);
  }

  /** -s or -d. */
  address(side: 'src' | 'dst', word: Word, inverted: boolean): void {
    const letter = side === 'src' ? 's' : 'd';
    if (this[side] !== null) throw new SourceError(`multiple -${letter} flags not allowed`, word.at);
    const list: XtAddress[] = [];
    let col = word.at.col + (word.at.len > word.text.length ? 1 : 0);
    for (const part of word.text.split(',')) {
      const at = { ...word.at, col, len: Math.max(1, part.length) };
      list.push(locate(at, () => addressMask(part, this.scope.family)));
      col += part.length + 1;
    }
    if (inverted && this.scope.backend === 'nft' && list.some(({ mask }) => mask.every((bits) => bits === 0)))
      throw new SourceError(`no packet matches ! -${letter} ${word.text}`, word.at);
    if (inverted && list.length > 1)
      throw new SourceError('! not allowed with multiple source or destination IP addresses', word.at);
    this[side] = { value: list, inverted };
  }

  /** -i or -o. */
  device(side: 'inDevice' | 'outDevice', word: Word, inverted: boolean): void {
    const letter = side === 'inDevice' ? 'i' : 'o';
    if (this[side] !== null) throw new SourceError(`multiple -${letter} flags not allowed`, word.at);
    if (word.text === '') throw new SourceError('Empty interface is likely to be undesired', word.at);
    if (word.text.length > DEVICE_NAME_MAX)
      throw new SourceError(
        `interface name \`${word.text}' must be shorter than IFNAMSIZ (${DEVICE_NAME_MAX})`,
        word.at,
      );
    this[side] = { value: word.text, inverted };
  }

  /** -p */
  protocol(word: Word, inverted: boolean): void {
    if (this.proto !== null) throw new SourceError('multiple -p flags not allowed', word.at);
    const value = locate(word.at, () => readProtocol(word.text));
    if (value === 0 && inverted) throw new SourceError('rule would never match protocol', word.at);
    this.proto = { value, inverted };
    this.context = ruleContext(this.scope, this.proto);
  }

  /** -f */
  fragments(word: Word, inverted: boolean): void {
    if (this.scope.family !== NFPROTO_IPV4)
      throw new SourceError("`-f' is not supported in IPv6, use -m frag instead", word.at);
    if (this.fragment !== null) throw new SourceError('multiple -f flags not allowed', word.at);
    this.fragment = { value: true, inverted };
  }

  /** -m */
  match(word: Word): void {
    const ext = findMatch(word.text, this.scope.family);
    if (ext !== undefined) this.load(ext, word);
    else {
      const near = didYouMean(word.text, matchNames());
      throw new SourceError(`Couldn't load match \`${word.text}':No such file or directory`, word.at, near);
    }
  }

  /** Loads the match of -p's protocol for its options. @returns whether there is one that was not loaded yet */
  loadProtocolMatch(word: Word): boolean {
    if (this.proto === null) return false;
    const ext = protocolMatch(this.proto.value, this.scope.family);
    if (ext === undefined || this.uses.some((use) => use.ext === ext)) return false;
    this.load(ext, word);
    return true;
  }

  private load(ext: Extension, word: Word): RuleUse {
    const use: RuleUse = { ext, spec: ext.init(this.context, word.text), seen: new Set(), word };
    this.uses.push(use);
    return use;
  }

  /** -j or -g */
  jump(word: Word, goto: boolean): void {
    if (this.target !== null) throw new SourceError('multiple -j flags not allowed', word.at);
    const name = word.text;
    if (name === '') throw new SourceError('Invalid target name (too short)', word.at);
    if (!goto && VERDICTS.includes(name)) {
      if (name === 'DROP' && this.scope.table === 'nat') throw new SourceError(NO_DROP_IN_NAT, word.at);
      // Measured: iptables-nft asks the kernel for a target of that name, which is not there.
      if (name === 'QUEUE' && this.scope.backend === 'nft')
        throw new SourceError('No such file or directory: there is no target QUEUE', word.at, 'NFQUEUE');
      this.target = { kind: 'verdict', name: name as 'ACCEPT' };
      return;
    }
    const ext = goto ? undefined : findTarget(name, this.scope.family);
    if (ext !== undefined) {
      this.targetUse = this.load(ext, word);
      this.target = { kind: 'extension', use: this.targetUse };
    } else if (BUILTIN.get(this.scope.table)?.some((chain) => chain.name === name) === true)
      throw new SourceError(`chain ${name} is built in and cannot be jumped to`, word.at);
    else if (this.scope.chains.has(name)) this.target = { kind: 'chain', name, goto };
    else {
      const near = didYouMean(name, [...this.scope.chains.keys(), ...VERDICTS, ...targetNames()]);
      throw new SourceError(`Chain '${name}' does not exist`, word.at, near);
    }
  }

  /** An option of a match or target. @param words the option's own word, then those behind it */
  option(use: RuleUse, option: XtOption<unknown>, words: readonly Word[], inverted: boolean): void {
    const { ext, seen } = use;
    const at = words[0]!.at;
    if (inverted && option.invert !== true)
      throw new SourceError(`${ext.name}: option "--${option.name}" cannot be inverted`, at);
    if (seen.has(option.name) && option.many !== true)
      throw new SourceError(
        option.doubled ?? `${ext.name}: option "--${option.name}" can only be used once`,
        at,
      );
    seen.add(option.name);
    const texts = words.slice(1).map((word) => word.text);
    const arg = {
      name: option.name,
      text: texts[0] ?? '',
      words: texts,
      inverted,
      ctx: this.context,
      owner: ext.name,
    };
    try {
      option.parse(use.spec, arg);
    } catch (error) {
      if (!(error instanceof XtError)) throw error;
      const word = words[(error.word ?? 0) + 1] ?? words[0]!;
      throw new SourceError(error.message, word.at, error.hint);
    }
  }

  /**
   * Ends the rule: checks each match, then the target.
   * @param at where the rule begins, for what is missing
   * @returns one rule for each combination of addresses, sources outermost
   */
  finish(): XtRuleSpec[] {
    const sources = this.src?.value.length ?? 1;
    const targets = this.dst?.value.length ?? 1;
    if (sources * targets > 1 && ((this.src?.inverted ?? false) || (this.dst?.inverted ?? false)))
      throw new SourceError(
        '! not allowed with multiple source or destination IP addresses',
        this.firstWord().at,
      );
    const matches = this.uses.filter((use) => use !== this.targetUse);
    for (const use of matches) this.check(use);
    const merged = this.scope.backend === 'nft' ? mergeUses(matches) : matches;
    if (this.targetUse !== null) this.check(this.targetUse);
    const out: XtRuleSpec[] = [];
    for (const src of split(this.src))
      for (const dst of split(this.dst)) out.push(this.build(src, dst, merged));
    return out;
  }

  private firstWord(): { at: Word['at'] } {
    return this.uses[0]?.word ?? { at: { file: '', line: 0, col: 0, len: 0 } };
  }

  private build(
    src: Negatable<XtAddress> | null,
    dst: Negatable<XtAddress> | null,
    matches: readonly XtUse[],
  ): XtRuleSpec {
    return {
      src,
      dst,
      inDevice: this.inDevice,
      outDevice: this.outDevice,
      proto: this.proto === null || this.proto.value === 0 ? null : this.proto,
      fragment: this.fragment,
      matches: matches.map(({ ext, spec }) => ({ ext, spec })),
      target: this.target ?? { kind: 'none' },
    };
  }

  private check(use: RuleUse): void {
    const { ext, seen, word } = use;
    for (const option of ext.options) {
      if (option.required === true && !seen.has(option.name))
        throw new SourceError(`${ext.name}: option "--${option.name}" must be specified`, word.at);
      if (!seen.has(option.name)) continue;
      for (const other of option.excludes ?? [])
        if (seen.has(other))
          throw new SourceError(
            `${ext.name}: option "--${option.name}" cannot be used together with "--${other}"`,
            word.at,
          );
      for (const other of option.also ?? [])
        if (!seen.has(other))
          throw new SourceError(`${ext.name}: option "--${option.name}" also requires "--${other}"`, word.at);
    }
    locate(word.at, () => ext.finish?.(use.spec, seen, this.context));
  }
}

/** Each address of a list by itself; a list that stands for any address is [null]. */
function split(list: Negatable<XtAddress[]> | null): (Negatable<XtAddress> | null)[] {
  if (list === null) return [null];
  return list.value.map((value) =>
    value.mask.every((m) => m === 0) && !list.inverted ? null : { value, inverted: list.inverted },
  );
}

/** Matches that iptables-nft makes one of, such as `-m tcp --sport 1 -m tcp --dport 2`, are one. */
function mergeUses(uses: readonly RuleUse[]): readonly RuleUse[] {
  const out: RuleUse[] = [];
  for (const use of uses) {
    const { merge } = use.ext;
    const first = merge === undefined ? undefined : out.find((other) => other.ext === use.ext);
    if (first === undefined || merge?.(first.spec, use.spec) !== true) out.push(use);
  }
  return out;
}
