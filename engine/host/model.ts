import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import {
  type Device,
  type Host,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTN_UNSPEC,
} from './host.ts';
import { maskWord, type Prefix, parsePrefix } from './prefix.ts';
import { type Route, RouteTable } from './routes.ts';
import { type LocalAddress, pickSource, putWords, wordsAt } from './source-address.ts';
import { masqueradeAddress4, redirectAddress4, redirectAddress6 } from './translation.ts';

/** ARPHRD_ETHER. */
export const ARPHRD_ETHER = 1;
/** ARPHRD_LOOPBACK. */
export const ARPHRD_LOOPBACK = 772;
/** ARPHRD_NONE: a device without link layer, such as TUN. */
export const ARPHRD_NONE = 65534;
/** Number of the loopback device. */
export const LOOPBACK = 1;

/** What a device has that may be left out. */
export interface DeviceFields {
  readonly index?: number;
  /** ARPHRD_*; Ethernet if left out. */
  readonly type?: number;
  readonly group?: number;
  readonly mac?: Uint8Array | null;
  /** 1500 if left out; 65536 for lo. */
  readonly mtu?: number;
}

/** Reverse path filter, as net.ipv4.conf.all.rp_filter numbers it: 0 off, 1 strict, 2 loose. */
export type RpFilter = 0 | 1 | 2;

/** Of {@link HostModel.facts4}: four bits of RTN_*, and where each part begins. */
const FACT_TYPE = 15;
const FACT_ROUTE = 4;
const FACT_DEVICE = 8;
const FACT_KNOWN = 1 << 30;
/** Of {@link HostModel.facts4}: a source that any packet from outside may have. */
export const FACT_SOURCE: number = 1 << 24;
/** A destination that packets are forwarded to. */
export const FACT_FORWARD: number = 1 << 25;
const CACHE_BITS = 12;
const CACHE_SIZE = 1 << CACHE_BITS;
/** 0.0.0.0 */
const ANY_ADDRESS = new DataView(new ArrayBuffer(4));

function prefixOf(text: string): Prefix {
  return parsePrefix(text)!;
}

/**
 * The machine that the firewall runs on: devices with addresses, and routes. `lo` with 127.0.0.1/8 and ::1 is always
 * there. Changed only between packets.
 */
export class HostModel implements Host {
  /** By number; holes are null. */
  readonly devices: (Device | null)[] = [];
  /** Every address, in the order in which they were added. */
  readonly addresses: LocalAddress[] = [];
  /** Whether packets for others are passed on (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding). */
  forwarding = true;
  /** Whether packets of 127/8 may come and go by other devices than lo (route_localnet). */
  routeLocalnet = false;
  /** Whether packets with a source address of this machine's own may come in from outside (accept_local). */
  acceptLocal = false;
  rpFilter: RpFilter = 0;
  /** Set by {@link defaultHost}: nothing is known of the host, every packet is forwarded from device 2 to device 3. */
  isDefault = false;
  /**
   * Set by {@link bridgeHost}, and where a kernel routes: packets are passed on as they are, by the device that their
   * `ifout` says. LOOPBACK says that they are for this machine (INPUT), 0 that its routes say where to; `ifin` 0 and
   * `pkttype` PACKET_OUTGOING that they are its own (OUTPUT).
   */
  transparent = false;

  private readonly names: Map<string, Device> = new Map();
  /** What Linux holds in its table `local`, and in `main`. */
  private readonly local4: RouteTable = new RouteTable(AF_INET);
  private readonly main4: RouteTable = new RouteTable(AF_INET);
  private readonly local6: RouteTable = new RouteTable(AF_INET6);
  private readonly main6: RouteTable = new RouteTable(AF_INET6);
  private readonly groups4: RouteTable = new RouteTable(AF_INET);
  private readonly groups6: RouteTable = new RouteTable(AF_INET6);
  private first = 0;
  /** What is known of IPv4 addresses that were asked for: see {@link facts4}. By hash, facts and address beside each other; forgotten with every change. */
  private readonly cached: Int32Array = new Int32Array(CACHE_SIZE * 2);
  /** What {@link ordinary4} found, 0 since the last change. */
  private ordinary = 0;
  /** Routes of table `local` that every host has. */
  private readonly loopbackRoutes: number;

  constructor() {
    this.addLoopback();
    this.loopbackRoutes = this.local4.size;
  }

  /** Forgets all devices, addresses and routes but lo's, to be filled again. */
  clear(): void {
    const { local4, main4, local6, main6, groups4, groups6 } = this;
    for (const table of [local4, main4, local6, main6, groups4, groups6]) table.clear();
    this.devices.length = 0;
    this.addresses.length = 0;
    this.names.clear();
    this.first = 0;
    this.addLoopback();
  }

  private addLoopback(): void {
    for (const group of ['224.0.0.1', 'ff02::1', 'ff02::2']) this.join(prefixOf(group));
    this.addDevice('lo', { index: LOOPBACK, type: ARPHRD_LOOPBACK, mtu: 65536 });
    this.addAddress('lo', prefixOf('127.0.0.1/8'));
    this.addAddress('lo', prefixOf('::1/128'));
  }

  /** Adds a device, or changes what is given of one that is there. Its number is the next free one if left out. */
  addDevice(name: string, fields: DeviceFields = {}): Device {
    const there = this.names.get(name);
    const index = fields.index ?? there?.index ?? Math.max(1, this.devices.length);
    const device: Device = {
      index,
      name,
      type: fields.type ?? there?.type ?? ARPHRD_ETHER,
      group: fields.group ?? there?.group ?? 0,
      mac: fields.mac === undefined ? (there?.mac ?? null) : fields.mac,
      mtu: fields.mtu ?? there?.mtu ?? 1500,
    };
    while (this.devices.length <= index) this.devices.push(null);
    if (there !== undefined && there.index !== index) this.devices[there.index] = null;
    this.devices[index] = device;
    this.names.set(name, device);
    this.forget();
    if (index > LOOPBACK && (this.first === 0 || index < this.first)) this.first = index;
    return device;
  }

  /**
   * Gives a device an address, and the routes that Linux makes with it: the address itself and its broadcast
   * addresses in table `local`, the network in table `main`.
   */
  addAddress(device: string, prefix: Prefix): void {
    const { index } = this.names.get(device) ?? this.addDevice(device);
    this.forget();
    const { family, words, length } = prefix;
    const bits = words.length * 32;
    const isLoopback = index === LOOPBACK;
    const source = this.primary(index, prefix);
    this.addresses.push({ device: index, prefix });
    const local = family === AF_INET ? this.local4 : this.local6;
    const whole = { family, words, length: bits };
    local.add(routeTo(whole, index, RTN_LOCAL, source));
    // Measured: 127.0.0.1/8 makes all of 127/8 local.
    if (isLoopback && family === AF_INET && length < 32) local.add(routeTo(prefix, index, RTN_LOCAL, source));
    if (family === AF_INET && length < 31) {
      const last = [words[0]! | ~maskWord(length, 0)];
      local.add(routeTo({ family, words: last, length: 32 }, index, RTN_BROADCAST, source));
    }
    // The solicited-node group (RFC 4291, section 2.7.1).
    if (family === AF_INET6) {
      const solicited = [0xff020000 | 0, 0, 1, 0xff000000 | (words[3]! & 0xffffff)];
      this.join({ family, words: solicited, length: 128 });
    }
    if (isLoopback || length === bits) return;
    const main = family === AF_INET ? this.main4 : this.main6;
    main.add(routeTo(prefix, index, RTN_UNICAST, family === AF_INET ? source : null));
  }

  /** The address that packets to a new one's network are sent from: of several of one IPv4 network the first. */
  private primary(device: number, { family, words, length }: Prefix): readonly number[] {
    if (family !== AF_INET) return words;
    const same = (other: LocalAddress): boolean =>
      other.device === device &&
      other.prefix.family === AF_INET &&
      other.prefix.length === length &&
      ((other.prefix.words[0]! ^ words[0]!) & maskWord(length, 0)) === 0;
    return this.addresses.find(same)?.prefix.words ?? words;
  }

  /** Adds a route to table `main`, or to `local` if its type is RTN_LOCAL, RTN_BROADCAST or RTN_ANYCAST. */
  addRoute(route: Route): void {
    this.forget();
    const isIpv4 = route.prefix.family === AF_INET;
    const isMain = route.type === RTN_UNICAST || route.type > RTN_MULTICAST;
    if (isMain) (isIpv4 ? this.main4 : this.main6).add(route);
    else (isIpv4 ? this.local4 : this.local6).add(route);
  }

  device(index: number): Device | null {
    return this.devices[index] ?? null;
  }

  deviceNamed(name: string): Device | null {
    return this.names.get(name) ?? null;
  }

  /** RTN_* as Linux has it: for IPv4 table `local` alone decides, for IPv6 no route makes an address unreachable. */
  addressType(family: number, view: DataView, at: number, device: number): number {
    if (family === AF_INET) {
      const word = view.getInt32(at);
      // Measured: of network 0 only its first address.
      if (word === 0 || word === -1) return RTN_BROADCAST;
      if (word >>> 28 === 14) return RTN_MULTICAST;
      return this.local4.find(view, at, device)?.type ?? RTN_UNICAST;
    }
    if (view.getUint8(at) === 0xff) return RTN_MULTICAST;
    const local = this.local6.find(view, at, device);
    if (local !== null) return local.type;
    const route = this.main6.find(view, at, device);
    return route === null || (route.type !== RTN_UNICAST && !this.isDefault) ? this.without6() : RTN_UNICAST;
  }

  private without6(): number {
    return this.isDefault ? RTN_UNICAST : RTN_UNREACHABLE;
  }

  /** Number of the first device that is not lo, 0 if there is none. */
  get firstDevice(): number {
    return this.first;
  }

  /** Whether a multicast address is one that this machine listens to, over all devices. */
  isMember(family: number, view: DataView, at: number): boolean {
    return (family === AF_INET ? this.groups4 : this.groups6).find(view, at, 0) !== null;
  }

  /** Makes this machine a member of a multicast group. */
  join(group: Prefix): void {
    const table = group.family === AF_INET ? this.groups4 : this.groups6;
    table.add(routeTo(group, 0, RTN_MULTICAST, null));
  }

  /** RTN_* of the route to an address over all tables, RTN_UNSPEC if there is none. */
  routeType(family: number, view: DataView, at: number): number {
    if (family === AF_INET) return (this.facts4(view, at) >> FACT_ROUTE) & FACT_TYPE;
    return this.route(family, view, at, 0)?.type ?? RTN_UNSPEC;
  }

  /** Whether an address is one of this machine's. */
  isLocal(family: number, view: DataView, at: number): boolean {
    if (family === AF_INET) return (this.facts4(view, at) & FACT_TYPE) === RTN_LOCAL;
    return this.local6.find(view, at, 0)?.type === RTN_LOCAL;
  }

  /** @param _mark is not looked at: there are no rules of policy routing */
  routeDevice(family: number, view: DataView, at: number, _mark: number, device: number): number {
    if (family === AF_INET && device === 0) return (this.facts4(view, at) >> FACT_DEVICE) & 0xffff;
    return this.route(family, view, at, device)?.device ?? 0;
  }

  sourceAddress(family: number, view: DataView, at: number, device: number, out: Uint8Array): boolean {
    const route = this.route(family, view, at, device);
    const to = wordsAt(family, view, at);
    const source = route?.source ?? pickSource(this.addresses, family, to, route?.device ?? device);
    if (source === null) return false;
    putWords(source, out);
    return true;
  }

  nextHop(family: number, view: DataView, at: number, device: number): readonly number[] | null | undefined {
    return this.route(family, view, at, device)?.gateway;
  }

  masqueradeAddress(family: number, view: DataView, at: number, device: number): readonly number[] | null {
    if (family !== AF_INET) return pickSource(this.addresses, family, wordsAt(family, view, at), device);
    const gateway = this.nextHop(family, view, at, device);
    return masqueradeAddress4(this, device, gateway?.[0] ?? view.getInt32(at));
  }

  redirectAddress(family: number, view: DataView, at: number, device: number): readonly number[] | null {
    return family === AF_INET ? redirectAddress4(this, device) : redirectAddress6(this, device, view, at);
  }

  /**
   * What routing needs of an IPv4 address, in one word: its type in table `local`, type and device of its route. Looked
   * up once, since nearly all packets are to and from addresses that others were to and from just before.
   */
  facts4(view: DataView, at: number): number {
    const word = view.getInt32(at);
    if (this.ordinary !== 0 && isOrdinary(word >>> 24)) return this.ordinary;
    const slot = (Math.imul(word, 0x9e3779b1) >>> (32 - CACHE_BITS)) << 1;
    const { cached } = this;
    const known = cached[slot]!;
    if (known !== 0 && cached[slot + 1] === word) return known;
    const facts = this.find4(view, at);
    cached[slot] = facts;
    cached[slot + 1] = word;
    return facts;
  }

  /**
   * What {@link facts4} says of every address that {@link isOrdinary}, where it says the same of all: there is a default
   * route, and neither another one nor an address besides lo's.
   * @returns 0 where it does not
   */
  ordinary4(): number {
    const route = this.main4.find(ANY_ADDRESS, 0, 0);
    const isSame = this.main4.size === 1 && this.local4.size === this.loopbackRoutes;
    this.ordinary = isSame && route?.prefix.length === 0 ? factsOf(1 << 24, null, route) : 0;
    return this.ordinary;
  }

  private forget(): void {
    this.cached.fill(0);
    this.ordinary = 0;
  }

  private find4(view: DataView, at: number): number {
    const local = this.local4.find(view, at, 0);
    return factsOf(view.getInt32(at), local, local ?? this.main4.find(view, at, 0));
  }

  /** Table `local` first, as Linux' rules have it. */
  private route(family: number, view: DataView, at: number, device: number): Route | null {
    if (family === AF_INET) return this.local4.find(view, at, device) ?? this.main4.find(view, at, device);
    return this.local6.find(view, at, device) ?? this.main6.find(view, at, device);
  }
}

/** @param local the route in table `local`, if there is one */
function factsOf(word: number, local: Route | null, route: Route | null): number {
  const type = local === null ? 0 : local.type;
  const way = route === null ? 0 : (route.type << FACT_ROUTE) | (route.device << FACT_DEVICE);
  return FACT_KNOWN | way | type | usesOf(word, type, route);
}

/** Whether an IPv4 address is of none of the special kinds, by its first byte. */
export function isOrdinary(first: number): boolean {
  return first !== 0 && first !== 127 && first < 224;
}

/** Which of FACT_SOURCE and FACT_FORWARD an address has: it is neither this machine's nor one of a special kind. */
function usesOf(word: number, type: number, route: Route | null): number {
  if (type !== 0 || !isOrdinary(word >>> 24)) return 0;
  return FACT_SOURCE | (route !== null && route.type === RTN_UNICAST ? FACT_FORWARD : 0);
}

/** The device of an address's route, by {@link HostModel.facts4}. */
export function deviceOf(facts: number): number {
  return (facts >> FACT_DEVICE) & 0xffff;
}

function routeTo(prefix: Prefix, device: number, type: number, source: readonly number[] | null): Route {
  return { prefix, device, type, metric: 0, source, gateway: null };
}

/** Name of the device that packets come in by if nothing is known of the host. */
export const DEFAULT_IN = 'eth0';
/** Name of the device that packets leave by if nothing is known of the host. */
export const DEFAULT_OUT = 'eth1';

/**
 * The host when none is described: a router that has no address of its own, to which every packet comes by eth0 and
 * which forwards every packet by eth1.
 */
export function defaultHost(): HostModel {
  const host = new HostModel();
  host.addDevice(DEFAULT_IN, { index: 2 });
  host.addDevice(DEFAULT_OUT, { index: 3 });
  for (const text of ['0.0.0.0/0', '::/0']) {
    host.addRoute({ prefix: prefixOf(text), device: 3, type: RTN_UNICAST, metric: 0, source: null });
  }
  host.isDefault = true;
  return host;
}

/**
 * A bridge between devices: a firewall that nobody sees. Its packets come with both devices set.
 * @param names of the devices; they get the numbers 2, 3 and so on
 */
export function bridgeHost(names: readonly string[]): HostModel {
  const host = new HostModel();
  names.forEach((name, i) => {
    host.addDevice(name, { index: LOOPBACK + 1 + i });
  });
  for (const text of ['0.0.0.0/0', '::/0']) {
    host.addRoute({
      prefix: prefixOf(text),
      device: host.firstDevice,
      type: RTN_UNICAST,
      metric: 0,
      source: null,
    });
  }
  host.transparent = true;
  return host;
}
