import { SourceError, type Span } from '../base/error.ts';
import { Random } from '../base/random.ts';
import { didYouMean } from '../base/suggest.ts';
import { commandOf, parseExtras, withoutOptions } from './command.ts';
import { parseCreate } from './create.ts';
import { SetClock } from './extensions.ts';
import { KeyedSet } from './keyed-set.ts';
import { ListSet, SetSlot } from './list-set.ts';
import type { IpSet } from './set-base.ts';
import { SetError } from './set-error.ts';
import { SET_TYPES, type SetType, setType } from './set-type.ts';
import { type Token, tokensOf } from './tokens.ts';

/** The longest name of a set (IPSET_MAXNAMELEN - 1). */
const MAX_NAME = 31;

/** A text with the name that errors give it. */
export interface SetSource {
  readonly name: string;
  readonly text: string;
}

/** What a command printed: `save` and `list`, the answer of `test`. */
export interface SetAnswer {
  readonly text: string;
  /** For `test`: whether the element is in the set. */
  readonly found: boolean;
}

const NOTHING: SetAnswer = { text: '', found: false };

/**
 * The IP sets of a network namespace, as ipset(8) keeps them: made, filled and listed by its commands, asked by
 * `-m set` and changed by `-j SET`.
 */
export class IpSets {
  /** By index, as the kernel lists them; null is free for the next one. */
  private readonly slots: (SetSlot | null)[] = [];
  private readonly byName: Map<string, SetSlot> = new Map();
  private readonly random: Random;
  private readonly clock: SetClock = new SetClock();

  /** @param seed keys the hash tables */
  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** The first packet comes: timeouts of what was read before begin. Later calls do nothing. */
  begin(now: number): void {
    this.clock.see(now);
  }

  /** The set of a name, undefined if there is none. */
  find(name: string): SetSlot | undefined {
    return this.byName.get(name);
  }

  /** Names of all sets, in their order. */
  names(): string[] {
    return this.inOrder().map((s) => s.name);
  }

  /**
   * Reads what `ipset save` writes, or any list of ipset commands, one a line.
   * @param now when its timeouts begin (ms); 0 is with the first packet
   * @param exist as if every command had `-exist`
   * @returns all that is wrong with it; lines that are right take effect all the same
   */
  restore(source: SetSource, now = 0, exist = false): SourceError[] {
    const errors: SourceError[] = [];
    const lines = source.text.split('\n');
    for (const [i, line] of lines.entries()) {
      const at: Span = { file: source.name, line: i + 1, col: 1, len: line.trimEnd().length };
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#') || trimmed === 'COMMIT') continue;
      const error = this.line(line, at, now, exist);
      if (error !== null) errors.push(error);
    }
    return errors;
  }

  /**
   * One command, without the word `ipset` in front.
   * @param now when its timeouts begin (ms); 0 is with the first packet
   * @throws SetError
   */
  command(words: readonly string[], now = 0, exist = false): SetAnswer {
    const plain = withoutOptions(words);
    const [first, ...rest] = plain.words;
    if (first === undefined) throw new SetError('no command specified');
    const command = commandOf(first);
    if (rest.length < command.needs)
      throw new SetError(
        `missing ${rest.length === 0 ? '' : 'second '}mandatory argument to command ${command.name}`,
      );
    const stray = rest[command.takes ?? rest.length];
    if (stray !== undefined) throw new SetError(`unknown argument ${stray}`, stray);
    return this.run(command.name, rest, { now, exist: exist || plain.exist, sorted: plain.sorted });
  }

  /** As `ipset save` prints: sets in their order, lists of sets last. Hashes list their elements as added. */
  save(now = 0, name?: string, sorted = false): string {
    const slots = name === undefined ? this.inOrder() : [this.slot(name)];
    return slots.map((slot) => saveText(slot, now, sorted)).join('');
  }

  private line(line: string, at: Span, now: number, exist: boolean): SourceError | null {
    let tokens: readonly Token[] = [];
    try {
      tokens = tokensOf(line);
      const words = tokens.map((t) => t.text);
      this.command(words, now, exist);
      return null;
    } catch (e) {
      if (!(e instanceof SetError)) throw e;
      const token =
        tokens.find((t) => e.word !== undefined && t.text === e.word) ??
        tokens.find((t) => e.word !== undefined && e.word !== '' && t.text.includes(e.word));
      if (token === undefined) return new SourceError(e.message, at, e.hint);
      const inside = Math.max(0, token.text.indexOf(e.word!));
      const len = token.text === e.word ? token.len : e.word!.length;
      return new SourceError(e.message, { ...at, col: token.col + inside, len }, e.hint);
    }
  }

  private run(
    name: string,
    words: readonly string[],
    how: { readonly now: number; readonly exist: boolean; readonly sorted: boolean },
  ): SetAnswer {
    const [first, second, ...rest] = words;
    switch (name) {
      case 'create':
        return this.create(first!, second!, rest, how.exist);
      case 'add':
      case 'del':
      case 'test':
        return this.element(name, words, how.now, how.exist);
      case 'destroy':
        return this.destroy(first);
      case 'flush':
        for (const slot of first === undefined ? this.inOrder() : [this.slot(first)]) slot.set.flush();
        return NOTHING;
      case 'rename':
        return this.rename(first!, second!);
      case 'swap':
        return this.swap(first!, second!);
      case 'save':
        return { text: this.save(how.now, first, how.sorted), found: true };
      default:
        // list, help, version, quit and restore change nothing.
        return NOTHING;
    }
  }

  private create(name: string, typeName: string, words: readonly string[], exist: boolean): SetAnswer {
    checkName(name);
    const type = setType(typeName);
    if (type === undefined) {
      const names = SET_TYPES.map((t) => t.name);
      throw new SetError(`typename '${typeName}' is unknown`, typeName, didYouMean(typeName, names));
    }
    const options = parseCreate(type, words, this.random.word());
    const had = this.byName.get(name);
    const set: IpSet =
      type.method === 'list'
        ? new ListSet(type, options, (n) => this.byName.get(n), this.clock)
        : new KeyedSet(type, options, this.random, this.clock);
    if (had !== undefined) {
      if (exist && isSame(had.set, set)) return NOTHING;
      throw new SetError('set cannot be created: set with the same name already exists', name);
    }
    const slot = new SetSlot(name, set);
    const free = this.slots.indexOf(null);
    if (free < 0) this.slots.push(slot);
    else this.slots[free] = slot;
    this.byName.set(name, slot);
    return NOTHING;
  }

  private element(
    command: 'add' | 'del' | 'test',
    words: readonly string[],
    now: number,
    exist: boolean,
  ): SetAnswer {
    const { set } = this.slot(words[0]!);
    const text = words[1]!;
    const extras = parseExtras(set.type, command, words.slice(2));
    if (command === 'add') set.add(text, extras, exist, now);
    else if (command === 'del') set.del(text, extras, exist, now);
    else {
      const found = set.test(text, extras, now);
      return { text: `${text} is ${found ? '' : 'NOT '}in set ${words[0]}.`, found };
    }
    return NOTHING;
  }

  private destroy(name: string | undefined): SetAnswer {
    const slots = name === undefined ? this.inOrder() : [this.slot(name)];
    for (const slot of slots)
      if (slot.references > 0)
        throw new SetError('set cannot be destroyed: it is in use by a list or rule', slot.name);
    for (const slot of slots) {
      slot.set.flush();
      this.byName.delete(slot.name);
      this.slots[this.slots.indexOf(slot)] = null;
    }
    return NOTHING;
  }

  private rename(from: string, to: string): SetAnswer {
    const slot = this.slot(from);
    checkName(to);
    if (slot.references > 0)
      throw new SetError('set cannot be renamed: it is in use by a list or rule', from);
    if (this.byName.has(to))
      throw new SetError('set cannot be renamed: a set with the new name already exists', to);
    this.byName.delete(from);
    this.byName.set(to, slot);
    slot.name = to;
    return NOTHING;
  }

  private swap(from: string, to: string): SetAnswer {
    const a = this.slot(from);
    const b = this.byName.get(to);
    if (b === undefined) throw new SetError('sets cannot be swapped: the second set does not exist', to);
    if (a.set.type !== b.set.type || a.set.options.addressBytes !== b.set.options.addressBytes)
      throw new SetError('the sets cannot be swapped: their type does not match', to);
    const set = a.set;
    a.set = b.set;
    b.set = set;
    return NOTHING;
  }

  private slot(name: string): SetSlot {
    const slot = this.byName.get(name);
    if (slot !== undefined) return slot;
    const hint = didYouMean(name, [...this.byName.keys()]);
    throw new SetError('the set with the given name does not exist', name, hint);
  }

  private inOrder(): SetSlot[] {
    const all = this.slots.filter((s) => s !== null);
    const isList = (s: SetSlot): boolean => s.set.type.method === 'list';
    return [...all.filter((s) => !isList(s)), ...all.filter(isList)];
  }
}

function checkName(name: string): void {
  if (name.length > MAX_NAME)
    throw new SetError(`setname '${name}' is longer than ${MAX_NAME} characters`, name);
  if (name === '') throw new SetError('the name of a set cannot be empty');
}

/** Whether `create -exist` says what there already is: all but what is drawn or only a hint. */
function isSame(had: IpSet, made: IpSet): boolean {
  const type: SetType = had.type;
  return type === made.type && stable(had) === stable(made);
}

function stable(set: IpSet): string {
  // Measured: neither the size of the hash nor that of its buckets counts, nor what happens when it is full.
  return set.header().replace(/ initval \S+| hashsize \d+| bucketsize \d+| forceadd/g, '');
}

function saveText(slot: SetSlot, now: number, sorted: boolean): string {
  const { set, name } = slot;
  const elements = set.list(now);
  if (sorted) elements.sort();
  const lines = [
    `create ${name} ${set.type.name} ${set.header()}`,
    ...elements.map((e) => `add ${name} ${e}`),
  ];
  return lines.map((l) => `${l}\n`).join('');
}
