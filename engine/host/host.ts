/** RTN_UNSPEC: no route. */
export const RTN_UNSPEC = 0;
/** RTN_UNICAST: an address of another machine. */
export const RTN_UNICAST = 1;
/** RTN_LOCAL: an address of this machine. */
export const RTN_LOCAL = 2;
/** RTN_BROADCAST. */
export const RTN_BROADCAST = 3;
/** RTN_ANYCAST. */
export const RTN_ANYCAST = 4;
/** RTN_MULTICAST. */
export const RTN_MULTICAST = 5;
/** RTN_BLACKHOLE: dropped without a word. */
export const RTN_BLACKHOLE = 6;
/** RTN_UNREACHABLE. */
export const RTN_UNREACHABLE = 7;
/** RTN_PROHIBIT. */
export const RTN_PROHIBIT = 8;

/** A network interface of the host. */
export interface Device {
  /** Its number; 0 is none, lo is 1. */
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*: 1 Ethernet, 772 loopback, 65534 none (TUN). */
  readonly type: number;
  /** As `ip link set group` gives it; 0 is the default group. */
  readonly group: number;
  /** Hardware address, six bytes, null if it has none. */
  readonly mac: Uint8Array | null;
  /** Most bytes of an IP packet that leaves by it. */
  readonly mtu: number;
}

/**
 * The machine that the firewall runs on, as far as rules and routing see it. Addresses are given by a view and an
 * offset, four bytes for AF_INET and sixteen for AF_INET6, so that nothing is made for a packet.
 */
export interface Host {
  /** The device of a number, null if there is none. */
  device(index: number): Device | null;
  /** The device of a name, null if there is none. */
  deviceNamed(name: string): Device | null;
  /**
   * RTN_* of an address, as `fib daddr type` and `-m addrtype` see it.
   * @param device only what this device's addresses and routes say; 0 for all
   */
  addressType(family: number, view: DataView, at: number, device: number): number;
  /**
   * The number of the device that packets to an address leave by, 0 if there is no route.
   * @param mark the packet's mark, for rules of policy routing
   * @param device only routes over this device, 0 for all
   */
  routeDevice(family: number, view: DataView, at: number, mark: number, device: number): number;
  /**
   * The address that this machine sends from, as routing picks it for an answer of its own.
   * @param view with the destination at `at`
   * @param device the device it leaves by, 0 for the one that the routes say
   * @param out takes it: 4 or 16 bytes
   * @returns false if there is none
   */
  sourceAddress(family: number, view: DataView, at: number, device: number, out: Uint8Array): boolean;
  /**
   * The next machine on the way to an address.
   * @param device the device that packets leave by, 0 for the one that the routes say
   * @returns its address, one word or four; null if it is the address itself; undefined if nobody said
   */
  nextHop(family: number, view: DataView, at: number, device: number): readonly number[] | null | undefined;
  /** Whether nothing is known of the machine: neither its addresses nor its routes. */
  readonly isDefault: boolean;
  /**
   * Whether it is a bridge: whoever hands over a packet says by which device it leaves, nothing is routed, and hop limit
   * and MTU are not its business.
   */
  readonly transparent: boolean;
  /**
   * The address that flows are masqueraded with: one of the device that they leave by, as routing picks it.
   * @param view with the destination at `at`
   * @param device the device it leaves by
   * @returns one word or four, null if there is none
   */
  masqueradeAddress(family: number, view: DataView, at: number, device: number): readonly number[] | null;
  /**
   * The address of its own that this machine redirects to.
   * @param view with the destination at `at`
   * @param device the device it came in by
   * @returns one word or four, null if there is none
   */
  redirectAddress(family: number, view: DataView, at: number, device: number): readonly number[] | null;
}
