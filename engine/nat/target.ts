import type { AddressPool } from '../conntrack/address-pool.ts';
import { AF_INET } from '../packet/packet.ts';
import { NF_NAT_MANIP_SRC } from './range.ts';

/** What one end of a packet becomes. One is used again and again. */
export class ManipTarget {
  /** AF_*. */
  family: number = AF_INET;
  /** NF_NAT_MANIP_*: which end. */
  manip: number = NF_NAT_MANIP_SRC;
  /** The address: one word, or four. */
  readonly words: Int32Array = new Int32Array(4);
  /** The port of that end, or its GRE key. */
  port = 0;
  /** ICMP's id, which belongs to no end. */
  id = 0;

  /**
   * @param address as T_SRC: an IPv4 address or a handle of the pool
   * @param ports as T_PORTS: `port` becomes its upper half
   */
  set(pool: AddressPool, family: number, manip: number, address: number, port: number, id: number): void {
    this.family = family;
    this.manip = manip;
    this.port = port;
    this.id = id;
    if (family === AF_INET) this.words[0] = address;
    else for (let i = 0; i < 4; i++) this.words[i] = pool.word(address, i);
  }
}

/** Where the address of an end stands in an IP header. */
export function addressAt(family: number, manip: number): number {
  if (family === AF_INET) return manip === NF_NAT_MANIP_SRC ? 12 : 16;
  return manip === NF_NAT_MANIP_SRC ? 8 : 24;
}
