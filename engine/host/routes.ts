import { AF_INET } from '../packet/packet.ts';
import { networkWords, type Prefix } from './prefix.ts';

/** A route: where packets to a network go. */
export interface Route {
  readonly prefix: Prefix;
  /** Number of the device, 0 for a route that leads nowhere. */
  readonly device: number;
  /** RTN_*. */
  readonly type: number;
  /** Of several routes to the same network the one with the lowest goes first. */
  readonly metric: number;
  /** The address to send from (`src` of `ip route`), null to choose one. */
  readonly source: readonly number[] | null;
  /** The next machine on the way (`via` of `ip route`), null if the network is the device's own; left out if nobody said. */
  readonly gateway?: readonly number[] | null;
}

/** A 32-bit key of a network; equal networks have equal keys. */
function keyOf(a: number, b: number, c: number, d: number): number {
  let key = Math.imul(a, 0x9e3779b1) ^ b;
  key = Math.imul(key, 0x85ebca6b) ^ c;
  return Math.imul(key ^ (key >>> 15), 0xc2b2ae35) ^ d;
}

/** The routes of one prefix length, by network. */
interface Level {
  readonly length: number;
  /** The bits that count in each word. */
  readonly masks: Int32Array;
  readonly routes: Map<number, Route[]>;
}

/**
 * A routing table of one family: the route with the longest prefix wins. A look-up takes as many steps as there are
 * different prefix lengths, however many routes there are, and makes nothing.
 */
export class RouteTable {
  private readonly isIpv4: boolean;
  /** Longest prefixes first. */
  private readonly levels: Level[] = [];
  /** Number of routes. */
  size = 0;

  /** @param family AF_INET or AF_INET6 */
  constructor(family: number) {
    this.isIpv4 = family === AF_INET;
  }

  /** Forgets all routes. */
  clear(): void {
    this.levels.length = 0;
    this.size = 0;
  }

  /** Adds a route; one to the same network with the same metric that is there already goes first. */
  add(route: Route): void {
    const { length, words } = route.prefix;
    const level = this.level(length);
    const [a = 0, b = 0, c = 0, d = 0] = networkWords(words, length);
    const key = keyOf(a, b, c, d);
    const there = level.routes.get(key) ?? [];
    const place = there.findIndex((other) => other.metric > route.metric);
    there.splice(place < 0 ? there.length : place, 0, route);
    level.routes.set(key, there);
    this.size++;
  }

  /**
   * The route to an address, null if there is none.
   * @param view with the address at `at`, big-endian
   * @param device only routes over this device; 0 for all
   */
  find(view: DataView, at: number, device: number): Route | null {
    const a = view.getInt32(at);
    const b = this.isIpv4 ? 0 : view.getInt32(at + 4);
    const c = this.isIpv4 ? 0 : view.getInt32(at + 8);
    const d = this.isIpv4 ? 0 : view.getInt32(at + 12);
    for (let i = 0; i < this.levels.length; i++) {
      const { masks, routes } = this.levels[i]!;
      const found = routes.get(keyOf(a & masks[0]!, b & masks[1]!, c & masks[2]!, d & masks[3]!));
      if (found === undefined) continue;
      for (let k = 0; k < found.length; k++) {
        const route = found[k]!;
        if (device !== 0 && route.device !== device) continue;
        if (covers(route.prefix.words, masks, a, b, c, d)) return route;
      }
    }
    return null;
  }

  private level(length: number): Level {
    const there = this.levels.find((level) => level.length === length);
    if (there !== undefined) return there;
    const masks = new Int32Array(networkWords([-1, -1, -1, -1], length));
    const made = { length, masks, routes: new Map<number, Route[]>() };
    this.levels.push(made);
    this.levels.sort((x, y) => y.length - x.length);
    return made;
  }
}

/** Whether an address lies in a network. */
function covers(
  words: readonly number[],
  masks: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
): boolean {
  if (((words[0]! ^ a) & masks[0]!) !== 0) return false;
  if (words.length === 1) return true;
  return (
    ((words[1]! ^ b) & masks[1]!) === 0 &&
    ((words[2]! ^ c) & masks[2]!) === 0 &&
    ((words[3]! ^ d) & masks[3]!) === 0
  );
}
