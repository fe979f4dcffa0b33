import type { Random } from '../base/random.ts';
import type { HookState } from '../rules/hook-state.ts';
import {
  type ElementContext,
  elementText,
  IfaceNames,
  layoutOf,
  type ParsedElement,
  parseElement,
} from './element.ts';
import { Extensions, MAC_UNSET, NOMATCH, type SetClock, WILDCARD } from './extensions.ts';
import { checkExtras, type Extras } from './extras.ts';
import { headerText } from './header.ts';
import { IfaceIds } from './iface-ids.ts';
import { NetSearch, type RowJudge } from './net-search.ts';
import { deviceName, macAt } from './packet-key.ts';
import { PacketReader } from './packet-reader.ts';
import { countersAllow } from './query.ts';
import type { IpSet, SetQuery } from './set-base.ts';
import { SetError } from './set-error.ts';
import type { SetOptions, SetType } from './set-type.ts';
import { NO_ROW, WordTable } from './word-table.ts';

/** A hash or bitmap: elements by key. */
export class KeyedSet implements IpSet, RowJudge {
  readonly type: SetType;
  readonly options: SetOptions;
  private readonly context: ElementContext;
  private readonly table: WordTable;
  private readonly extensions: Extensions;
  private readonly ifaces: IfaceIds;
  private readonly nets: NetSearch;
  /** Hardware addresses of bitmap:ip,mac by row, two words each. */
  private readonly macs: number[] = [];
  private readonly gone: Map<number, readonly [number, number]> = new Map();
  /** The packet that asks and what it asks, null for a command; and when, for {@link accepts}. */
  private state: HookState | null = null;
  private query: SetQuery | null = null;
  private now = 0;
  private readonly reader: PacketReader;
  private readonly clock: SetClock;
  /** What is looked for, addresses of nets still whole. */
  private readonly key: Int32Array;
  /** Scratch for the key of a row. */
  private readonly rowKey: Int32Array;

  constructor(type: SetType, options: SetOptions, random: Random, clock: SetClock) {
    this.clock = clock;
    this.type = type;
    this.options = options;
    const layout = layoutOf(type, options.addressBytes);
    const names = new IfaceNames();
    this.context = { type, options, layout, names };
    this.ifaces = new IfaceIds(names);
    this.table = new WordTable(layout.width, random);
    this.extensions = new Extensions(options, clock);
    this.reader = new PacketReader(this.context, this.ifaces);
    this.key = this.reader.key;
    this.rowKey = new Int32Array(layout.width);
    this.nets = new NetSearch(this.context, this.table, this.ifaces, this, this.key, random);
  }

  get count(): number {
    return this.table.count;
  }

  header(): string {
    return headerText(this.type, this.options);
  }

  add(text: string, extras: Extras, exist: boolean, now: number): boolean {
    checkExtras(extras, this.options);
    const { keys, mac } = this.parse(text);
    let added = false;
    for (const key of keys) {
      const trouble = this.addKey(key, mac, extras, exist, now);
      if (trouble !== null) throw new SetError(trouble);
      added = true;
    }
    return added;
  }

  del(text: string, _extras: Extras, exist: boolean, now: number): boolean {
    // Of bitmap:ip,mac the address alone says what goes (measured).
    const { keys } = this.parse(text);
    let removed = false;
    for (const key of keys) {
      const row = this.existing(key);
      if (row === NO_ROW || this.extensions.isExpired(row, now)) {
        if (!exist) throw new SetError("element cannot be deleted from the set: it's not added");
      } else {
        this.remove(row);
        removed = true;
      }
    }
    return removed;
  }

  test(text: string, extras: Extras, now: number): boolean {
    const { keys, mac } = parseElement(text, this.context);
    for (const key of keys) {
      this.key.set(key);
      // A plain address asks as a packet would; a network asks for itself.
      const whole = 32 * this.context.layout.addressWords;
      const asks = this.nets.hasNets && (key[this.context.layout.prefixes]! & 255) === whole;
      if (asks && this.type.parts[1] === 'iface')
        this.ifaces.idOf(this.context.names.name(key[this.context.layout.at[1]!]! >> 1));
      this.query = null;
      this.now = now;
      const row = asks ? this.nets.find() : this.existing(key);
      if (row === NO_ROW || this.extensions.isExpired(row, now) || !this.hasMac(row, mac)) return false;
      const isException = (this.extensions.flags[row]! & NOMATCH) !== 0;
      if (isException !== (extras.nomatch === true)) return false;
    }
    return true;
  }

  flush(): void {
    for (let row = 0; row < this.table.rows; row++) if (this.table.has(row)) this.remember(row);
    this.table.clear();
    this.nets.clear();
  }

  list(now: number): string[] {
    const rows: number[] = [];
    for (let row = 0; row < this.table.rows; row++)
      if (this.table.has(row) && !this.extensions.isExpired(row, now)) rows.push(row);
    if (this.type.method === 'bitmap')
      rows.sort((a, b) => (this.table.word(a, 0) >>> 0) - (this.table.word(b, 0) >>> 0));
    return rows.map((row) => {
      const text = elementText((i) => this.table.word(row, i), this.macOf(row), this.context);
      return text + this.extensions.text(row, now);
    });
  }

  match(state: HookState, query: SetQuery): boolean {
    this.clock.see(state.now);
    if (!this.reader.read(state, query)) return false;
    this.state = state;
    this.query = query;
    this.now = state.now;
    const row = this.nets.find();
    if (row === NO_ROW) return false;
    const x = this.extensions;
    const { skbinfo } = this.options;
    query.skbmark = skbinfo ? x.skbmark[row]! : 0;
    query.skbmask = skbinfo ? x.skbmask[row]! : 0;
    query.skbprio = skbinfo ? x.skbprio[row]! : 0;
    query.skbqueue = skbinfo ? x.skbqueue[row]! : 0;
    // With --return-nomatch it is the exceptions that match, and they alone.
    return !this.nets.hasNets || ((x.flags[row]! & NOMATCH) !== 0) === query.wantsNomatch;
  }

  accepts(row: number): boolean {
    const x = this.extensions;
    if (x.isExpired(row, this.now)) return false;
    const { query, state } = this;
    if (query === null || state === null) return true;
    if (this.hasMacs && !this.matchMac(row, state, query)) return false;
    if (!this.options.counters) return true;
    if (!query.keepsCounters) x.count(row, state.pkt.end - state.pkt.off + state.pkt.missing);
    // One whose counters do not fit is passed over: a shorter prefix may match.
    return countersAllow(query, x.packets[row]!, x.bytes[row]!);
  }

  isWildcard(row: number): boolean {
    return (this.extensions.flags[row]! & WILDCARD) !== 0;
  }

  addPacket(state: HookState, query: SetQuery, timeout: number, exist: boolean): boolean {
    this.clock.see(state.now);
    if (!this.reader.read(state, query)) return false;
    this.internIface(state, query);
    this.nets.cutToOwn();
    if (!this.isInRange(this.nets.probe)) return false;
    const extras: Extras = timeout >= 0 ? { timeout } : {};
    if (this.options.counters) {
      extras.packets = 1;
      extras.bytes = state.pkt.end - state.pkt.off + state.pkt.missing;
    }
    const at = this.hasMacs ? macAt(state.pkt, (query.directions & 2) !== 0) : -1;
    if (this.hasMacs && at < 0) return false;
    const mac = at < 0 ? null : [state.pkt.view.getInt32(at), state.pkt.view.getUint16(at + 4)];
    return this.addKey(this.nets.probe, mac, extras, exist, state.now) === null;
  }

  delPacket(state: HookState, query: SetQuery): boolean {
    this.clock.see(state.now);
    if (!this.reader.read(state, query)) return false;
    this.internIface(state, query);
    this.nets.cutToOwn();
    const row = this.existing(this.nets.probe);
    if (row === NO_ROW || this.extensions.isExpired(row, state.now)) return false;
    this.remove(row);
    return true;
  }

  private get hasMacs(): boolean {
    return this.type.method === 'bitmap' && this.type.parts.length === 2;
  }

  /** The keys of an element's text. A bitmap looks at the whole range first, a hash as it comes to each (measured). */
  private parse(text: string): ParsedElement {
    if (this.type.method === 'bitmap')
      for (const key of parseElement(text, this.context).keys) this.checkKey(key);
    const { keys, mac } = parseElement(text, this.context);
    return { keys: this.checked(keys), mac };
  }

  private *checked(keys: Iterable<Int32Array>): Generator<Int32Array> {
    for (const key of keys) {
      this.checkKey(key);
      yield key;
    }
  }

  private isInRange(key: Int32Array): boolean {
    if (this.type.method !== 'bitmap') return true;
    const word = this.type.parts[0] === 'ip' ? key[0]! >>> 0 : key[0]! & 0xffff;
    return word >= this.options.from && word <= this.options.to;
  }

  /** The interface of a packet that is to be added may be new to the set. */
  private internIface(state: HookState, query: SetQuery): void {
    if (this.type.parts[1] !== 'iface') return;
    const name = deviceName(state, (query.directions & 2) !== 0);
    this.key[this.context.layout.at[1]!] = this.context.names.intern(name) << 1;
  }

  /** Refuses what this type cannot hold. */
  private checkKey(key: Int32Array): void {
    const { method, parts } = this.type;
    if (!this.isInRange(key)) throw new SetError('element is out of the range of the set');
    if (method === 'bitmap') return;
    const isNull = key.every((w) => w === 0);
    if (parts.length === 1 && parts[0] !== 'net' && isNull)
      throw new SetError('null-valued element cannot be stored in a hash type of set');
    if (!this.nets.hasNets || parts.includes('iface') || this.type.name === 'hash:net,port,net') return;
    const word = key[this.context.layout.prefixes]!;
    if ((word & 255) === 0 || (parts[1] === 'net' && word >> 8 === 0))
      throw new SetError('the value of the CIDR parameter of the IP address is invalid');
  }

  /** @returns why it was not added, null if it was: no error is thrown for a packet */
  private addKey(
    key: Int32Array,
    mac: readonly number[] | null,
    extras: Extras,
    exist: boolean,
    now: number,
  ): string | null {
    const had = this.existing(key);
    const alive = had !== NO_ROW && !this.extensions.isExpired(had, now);
    // A bitmap's element without a hardware address may be given one.
    const fills = alive && mac !== null && (this.extensions.flags[had]! & MAC_UNSET) !== 0;
    if (alive && !exist && !fills) return "element cannot be added to the set: it's already added";
    if (had === NO_ROW && !this.makeRoom(now)) return 'hash is full, cannot add more elements';
    const row = had === NO_ROW ? this.insert(key) : had;
    if ((this.extensions.flags[row] ?? 0) & WILDCARD && had !== NO_ROW) this.nets.wildcards--;
    this.extensions.set(row, extras, now, !alive);
    if (had === NO_ROW) this.recall(key[0]!, row, extras);
    if (extras.wildcard) this.nets.wildcards++;
    if (this.hasMacs) this.setMac(row, mac);
    return null;
  }

  /** A bitmap's counters stand by place: whoever comes back finds those it had (measured). */
  private recall(place: number, row: number, extras: Extras): void {
    const old = this.gone.get(place);
    if (old === undefined) return;
    if (extras.packets === undefined) this.extensions.packets[row] = old[0];
    if (extras.bytes === undefined) this.extensions.bytes[row] = old[1];
  }

  private remember(row: number): void {
    if (this.type.method !== 'bitmap' || !this.options.counters) return;
    this.gone.set(this.table.word(row, 0), [this.extensions.packets[row]!, this.extensions.bytes[row]!]);
  }

  private setMac(row: number, mac: readonly number[] | null): void {
    if (mac === null) {
      this.extensions.flags[row]! |= MAC_UNSET;
      return;
    }
    this.macs[2 * row] = mac[0]!;
    this.macs[2 * row + 1] = mac[1]!;
  }

  private insert(key: Int32Array): number {
    const row = this.table.insert(key);
    this.nets.added(key, row);
    return row;
  }

  private remove(row: number): void {
    this.remember(row);
    for (let i = 0; i < this.rowKey.length; i++) this.rowKey[i] = this.table.word(row, i);
    this.nets.removed(this.rowKey);
    if ((this.extensions.flags[row]! & WILDCARD) !== 0) this.nets.wildcards--;
    this.extensions.flags[row] = 0;
    this.table.remove(row);
  }

  /**
   * Before a new element: those whose time is over go, and if that is not enough, with `forceadd` any other.
   * @returns whether there is room for one
   */
  private makeRoom(now: number): boolean {
    const { maxelem, forceadd } = this.options;
    if (this.type.method === 'bitmap' || this.table.count < maxelem) return true;
    this.collect(now);
    if (this.table.count < maxelem) return true;
    if (!forceadd) return false;
    for (let row = 0; row < this.table.rows; row++)
      if (this.table.has(row)) {
        this.remove(row);
        return true;
      }
    return false;
  }

  /** Takes out the elements whose time is over; packets may ask often, so only when there may be one. */
  private collect(now: number): void {
    if (this.options.timeout < 0 || !this.extensions.mayHaveExpired(now)) return;
    let next = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.table.rows; row++)
      if (this.table.has(row)) {
        const end = this.extensions.endOf(row);
        if (now > end) this.remove(row);
        else next = Math.min(next, end);
      }
    this.extensions.noneEndsBefore(next);
  }

  /** The row of exactly this element. An interface that another one's wildcard covers counts as the same. */
  private existing(key: Int32Array): number {
    const found = this.table.find(key);
    if (found !== NO_ROW || this.nets.wildcards === 0) return found;
    const at = this.context.layout.at[1]!;
    const probe = this.rowKey;
    probe.set(key);
    const own = key[at]!;
    for (const id of this.ifaces.prefixesOf(this.context.names.name(own >> 1))) {
      probe[at] = (id << 1) | (own & 1);
      const row = this.table.find(probe);
      if (row !== NO_ROW && (this.extensions.flags[row]! & WILDCARD) !== 0) return row;
    }
    return NO_ROW;
  }

  private macOf(row: number): readonly number[] | null {
    if (!this.hasMacs || (this.extensions.flags[row]! & MAC_UNSET) !== 0) return null;
    return [this.macs[2 * row]!, this.macs[2 * row + 1]!];
  }

  private hasMac(row: number, mac: readonly number[] | null): boolean {
    const own = mac === null ? null : this.macOf(row);
    return own === null || mac === null || (own[0] === mac[0] && own[1] === mac[1]);
  }

  /** An element without a hardware address takes the packet's. */
  private matchMac(row: number, state: HookState, query: SetQuery): boolean {
    const at = macAt(state.pkt, (query.directions & 2) !== 0);
    if (at < 0) return false;
    const high = state.pkt.view.getInt32(at);
    const low = state.pkt.view.getUint16(at + 4);
    if ((this.extensions.flags[row]! & MAC_UNSET) !== 0) {
      this.extensions.flags[row]! &= ~MAC_UNSET;
      this.macs[2 * row] = high;
      this.macs[2 * row + 1] = low;
      return true;
    }
    return this.macs[2 * row] === high && this.macs[2 * row + 1] === low;
  }
}
