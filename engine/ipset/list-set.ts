import type { HookState } from '../rules/hook-state.ts';
import { Extensions, type SetClock } from './extensions.ts';
import { checkExtras, type Extras } from './extras.ts';
import { headerText } from './header.ts';
import { countersAllow } from './query.ts';
import type { IpSet, SetQuery } from './set-base.ts';
import { SetError } from './set-error.ts';
import type { SetOptions, SetType } from './set-type.ts';

/** A name and the set that has it now: swapping changes the set behind a name, and whoever refers to the name sees it. */
export class SetSlot {
  name: string;
  set: IpSet;
  /** How many lists and rules refer to it. */
  references = 0;

  constructor(name: string, set: IpSet) {
    this.name = name;
    this.set = set;
  }
}

/** A set of sets: what is in any of them is in it. */
export class ListSet implements IpSet {
  readonly type: SetType;
  readonly options: SetOptions;
  private readonly find: (name: string) => SetSlot | undefined;
  /** Members in order, each with the row of its extensions. */
  private readonly members: { readonly slot: SetSlot; readonly row: number }[] = [];
  private readonly extensions: Extensions;
  private readonly clock: SetClock;
  private rows = 0;

  /** @param find the set of a name */
  constructor(
    type: SetType,
    options: SetOptions,
    find: (name: string) => SetSlot | undefined,
    clock: SetClock,
  ) {
    this.clock = clock;
    this.type = type;
    this.options = options;
    this.find = find;
    this.extensions = new Extensions(options, clock);
  }

  get count(): number {
    return this.members.length;
  }

  header(): string {
    return headerText(this.type, this.options);
  }

  add(text: string, extras: Extras, exist: boolean, now: number): boolean {
    checkExtras(extras, this.options);
    this.expire(now);
    const slot = this.slotOf(text);
    const at = this.members.findIndex((m) => m.slot === slot);
    if (at >= 0) {
      if (!exist) throw new SetError("element cannot be added to the set: it's already added");
      this.extensions.set(this.members[at]!.row, extras, now, false);
      return true;
    }
    const place = this.placeOf(extras);
    const row = this.rows++;
    this.extensions.set(row, extras, now, true);
    this.members.splice(place, 0, { slot, row });
    slot.references++;
    return true;
  }

  del(text: string, extras: Extras, exist: boolean, now: number): boolean {
    this.expire(now);
    const slot = this.slotOf(text);
    const at = this.members.findIndex((m) => m.slot === slot);
    if (at < 0 || !this.standsAt(at, extras)) {
      if (exist) return false;
      throw new SetError("element cannot be deleted from the set: it's not added");
    }
    this.members.splice(at, 1);
    slot.references--;
    return true;
  }

  test(text: string, extras: Extras, now: number): boolean {
    this.expire(now);
    const slot = this.slotOf(text);
    const at = this.members.findIndex((m) => m.slot === slot);
    return at >= 0 && this.standsAt(at, extras);
  }

  flush(): void {
    for (const m of this.members) m.slot.references--;
    this.members.length = 0;
  }

  list(now: number): string[] {
    this.expire(now);
    return this.members.map((m) => m.slot.name + this.extensions.text(m.row, now));
  }

  match(state: HookState, query: SetQuery): boolean {
    const x = this.extensions;
    this.clock.see(state.now);
    for (let i = 0; i < this.members.length; i++) {
      const { slot, row } = this.members[i]!;
      if (x.isExpired(row, state.now) || !slot.set.match(state, query)) continue;
      if (this.options.counters) {
        if (!query.keepsSubcounters) x.count(row, state.pkt.end - state.pkt.off + state.pkt.missing);
        if (!countersAllow(query, x.packets[row]!, x.bytes[row]!)) continue;
      }
      return true;
    }
    return false;
  }

  addPacket(state: HookState, query: SetQuery, timeout: number, exist: boolean): boolean {
    return this.members.some(
      (m) =>
        !this.extensions.isExpired(m.row, state.now) && m.slot.set.addPacket(state, query, timeout, exist),
    );
  }

  delPacket(state: HookState, query: SetQuery): boolean {
    return this.members.some(
      (m) => !this.extensions.isExpired(m.row, state.now) && m.slot.set.delPacket(state, query),
    );
  }

  private slotOf(name: string): SetSlot {
    const slot = this.find(name);
    if (slot === undefined)
      throw new SetError('set to be added, deleted or tested as element does not exist', name);
    if (slot.set.type === this.type)
      throw new SetError('sets with list:set type cannot be added to the set', name);
    return slot;
  }

  private placeOf(extras: Extras): number {
    const name = extras.before ?? extras.after;
    if (name === undefined) return this.members.length;
    if (extras.before !== undefined && extras.after !== undefined)
      throw new SetError("'before' and 'after' exclude each other", name);
    const at = this.members.findIndex((m) => m.slot.name === name);
    if (at < 0)
      throw new SetError("the set to which you referred with 'before' or 'after' does not exist", name);
    return extras.before === undefined ? at + 1 : at;
  }

  private standsAt(at: number, extras: Extras): boolean {
    if (extras.before !== undefined) return this.members[at + 1]?.slot.name === extras.before;
    return extras.after === undefined || this.members[at - 1]?.slot.name === extras.after;
  }

  /** Takes out members whose time is over. */
  private expire(now: number): void {
    for (let i = this.members.length - 1; i >= 0; i--) {
      const m = this.members[i]!;
      if (!this.extensions.isExpired(m.row, now)) continue;
      this.members.splice(i, 1);
      m.slot.references--;
    }
  }
}
