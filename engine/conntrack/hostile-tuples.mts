// Tuples that somebody would send who knows the hash but not its key (a .mts file is in neither the engine's build
// nor vitest's list). For flood.test.ts beside it and bench/flood.ts.
import { hashKey } from '../base/hash.ts';
import { Random } from '../base/random.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../packet/protocols.ts';
import { FlowTable } from './flow-table.ts';

/** One way to choose tuples. */
export interface Attack {
  readonly name: string;
  /** IP protocol number of all its tuples. */
  readonly proto: number;
  /** Writes source, destination and ports (T_PORTS) of `count` different flows of IPv4, three words each. */
  readonly tuples: (count: number) => Int32Array;
}

type Choose = (i: number, out: Int32Array, at: number) => void;

function attack(name: string, choose: Choose, proto: number = IPPROTO_TCP): Attack {
  let made = new Int32Array(0);
  return {
    name,
    proto,
    tuples: (count) => {
      if (made.length === count * 3) return made;
      made = new Int32Array(count * 3);
      for (let i = 0; i < count; i++) choose(i, made, i * 3);
      return made;
    },
  };
}

function put(out: Int32Array, at: number, src: number, dst: number, ports: number): void {
  out[at] = src;
  out[at + 1] = dst;
  out[at + 2] = ports;
}

const CLIENT = 0x0a000000;
const SERVER = 0x5db8d822;
const HTTP = 80;

/** Any words: what ordinary traffic looks like to a hash. */
export const ORDINARY: Attack = {
  name: 'random',
  proto: IPPROTO_TCP,
  tuples: (count) => {
    const random = new Random(4711);
    return Int32Array.from({ length: count * 3 }, () => random.word());
  },
};

/**
 * Tuples whose hashes under a known key have the same low bits, found by trying.
 * @param bits how many
 */
export function collidingUnder(seed: number, bits = 8): Attack {
  const table = new FlowTable(hashKey(seed));
  const kind = IPPROTO_TCP | (AF_INET << 8);
  let ports = 0;
  return attack(`all alike under seed ${seed}`, (i, out, at) => {
    const src = CLIENT + (i >>> 8);
    do ports = (ports + 1) | 0;
    while ((table.hash(src, SERVER, ports, kind, 0) & ((1 << bits) - 1)) !== 0);
    put(out, at, src, SERVER, ports);
  });
}

/** The bits of a word the other way round: counting then changes the high ones first. */
function reversed(i: number): number {
  let out = 0;
  for (let bit = 0; bit < 32; bit++) out |= ((i >>> bit) & 1) << (31 - bit);
  return out;
}

/** Everything that was thought of. No tuple of an attack is another's inverse. */
export const ATTACKS: readonly Attack[] = [
  attack('source ports in a row', (i, out, at) =>
    put(out, at, CLIENT + (i >>> 16), SERVER, (i << 16) | HTTP),
  ),
  attack('destination ports in a row', (i, out, at) =>
    put(out, at, CLIENT + (i >>> 16), SERVER, (40000 << 16) | (i & 0xffff)),
  ),
  attack('source addresses in a row', (i, out, at) => put(out, at, CLIENT + i, SERVER, (40000 << 16) | HTTP)),
  attack('addresses and ports in step', (i, out, at) =>
    put(out, at, CLIENT + i, SERVER + i, ((1024 + i) << 16) | (i & 0xffff)),
  ),
  attack('sources that differ in high bits', (i, out, at) =>
    put(out, at, reversed(i), SERVER, (40000 << 16) | HTTP),
  ),
  attack('ports that differ in high bits', (i, out, at) => put(out, at, CLIENT, SERVER, reversed(i) | 1)),
  attack('both addresses differ in high bits', (i, out, at) =>
    put(out, at, i << 24, (i >>> 8) << 22, (40000 << 16) | HTTP),
  ),
  attack('multiples of 4096', (i, out, at) => put(out, at, i << 12, SERVER, ((i >>> 20) << 16) | HTTP)),
  attack('multiples of 65536 in two words', (i, out, at) =>
    put(out, at, CLIENT | ((i & 255) << 16), SERVER, ((i >>> 8) << 16) | HTTP),
  ),
  attack('multiples of a large prime', (i, out, at) =>
    put(out, at, Math.imul(i, 0x9e3779b1), SERVER, (40000 << 16) | HTTP),
  ),
  attack('addresses swapped, ports not', (i, out, at) =>
    put(
      out,
      at,
      (i & 1) === 0 ? CLIENT + (i >> 1) : SERVER,
      (i & 1) === 0 ? SERVER : CLIENT + (i >> 1),
      (4000 << 16) | HTTP,
    ),
  ),
  attack('ports swapped, addresses not', (i, out, at) => {
    const port = 1024 + ((i >> 1) % 60_000);
    const pair = (i & 1) === 0 ? (port << 16) | HTTP : (HTTP << 16) | port;
    put(out, at, CLIENT + Math.floor(i / 120_000), SERVER, pair);
  }),
  // A flipped top bit stays one behind a multiplication by an odd number: the next word might cancel what follows.
  attack('top bit of the source against high bits of the destination', (i, out, at) =>
    put(
      out,
      at,
      0x01020304 | ((i & 1) << 31),
      0x02000000 ^ ((i >> 1) << 16),
      (40000 << 16) | (HTTP + (i >>> 17)),
    ),
  ),
  attack('top bit of the destination against source ports', (i, out, at) =>
    put(out, at, CLIENT, SERVER ^ ((i & 1) << 31), ((i >> 1) << 16) | (HTTP + (i >>> 17))),
  ),
  attack('top four bits of three words against one another', (i, out, at) =>
    put(out, at, ((i & 15) << 28) | (i >>> 12), (((i >> 4) & 15) << 28) | 7, (((i >> 8) & 15) << 28) | HTTP),
  ),
  attack('sources and destinations that have the same xor', (i, out, at) =>
    put(out, at, i, i ^ 0x55555555, (40000 << 16) | HTTP),
  ),
  attack('sources and destinations that have the same sum', (i, out, at) =>
    put(out, at, CLIENT + i, SERVER - i, (40000 << 16) | HTTP),
  ),
  attack('sources and ports that have the same xor', (i, out, at) =>
    put(out, at, i, SERVER, i ^ ((40000 << 16) | HTTP)),
  ),
  collidingUnder(1),
  collidingUnder(0),
  collidingUnder(2026),
  attack(
    'ping ids in a row',
    (i, out, at) => put(out, at, CLIENT + (i >>> 16), SERVER, (i << 16) | (8 << 8)),
    IPPROTO_ICMP,
  ),
];

/** Two flows of one hash each: of ICMP it does not count who asks whom. */
export const PINGS: Attack = attack(
  'pings of all four kinds, both ways',
  (i, out, at) => {
    const group = i >> 3;
    const type = [8, 13, 15, 17][i & 3]!;
    const back = (i & 4) !== 0;
    const host = CLIENT + (group >>> 16);
    put(out, at, back ? SERVER : host, back ? host : SERVER, (group << 16) | (type << 8));
  },
  IPPROTO_ICMP,
);
