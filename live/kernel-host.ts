import { execFileSync } from 'node:child_process';
import { HostModel, parseIpAddr, parseIpRoute } from '@keepstate/engine';
import { DriverError } from './driver.ts';
import { NETLINK_ROUTE } from './netlink.ts';
import { NETLINK_EMPTY, NetlinkSocket } from './netlink-socket.ts';

/** What `ip` may print: a million routes. Node's own limit is a thousandth of that. */
const MOST_BYTES = 1 << 28;
/** How long it may take (ms): no packet passes meanwhile. */
const PATIENCE = 10_000;

/** An object of the JSON that `ip` prints. */
type Fields = Readonly<Record<string, unknown>>;

/** What `ip -j` says of the network namespace that this process is in. */
export interface KernelNetwork {
  readonly links: readonly Fields[];
  /** Of table main, IPv4 and IPv6. */
  readonly routes4: readonly Fields[];
  readonly routes6: readonly Fields[];
}

/** Devices keep the kernel's numbers up to here, so that the model's table of devices stays small. */
const MOST_DEVICES = 4096;
const RTNLGRP_LINK = 1;
const RTNLGRP_IPV4_IFADDR = 5;
const RTNLGRP_IPV4_ROUTE = 7;
const RTNLGRP_IPV6_IFADDR = 9;
const RTNLGRP_IPV6_ROUTE = 11;

function ask(...args: readonly string[]): Fields[] {
  try {
    const text = execFileSync('ip', ['-j', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: MOST_BYTES,
      timeout: PATIENCE,
    });
    return text.trim() === '' ? [] : (JSON.parse(text) as Fields[]);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: unknown };
    if (code === 'ENOENT')
      throw new DriverError("reading the kernel's addresses needs the program ip (iproute2)");
    const words = String(stderr ?? '').trim() || String(error);
    throw new DriverError(`reading the kernel's addresses: 'ip -j ${args.join(' ')}' failed: ${words}`);
  }
}

/**
 * Asks `ip` for devices, addresses, and the routes of table main. (Other tables are for policy routing, of which the
 * model knows nothing.)
 * @throws DriverError if it cannot be run
 */
export function readKernelNetwork(): KernelNetwork {
  return {
    links: ask('addr'),
    routes4: ask('-4', 'route', 'show', 'table', 'main'),
    routes6: ask('-6', 'route', 'show', 'table', 'main'),
  };
}

function addressesOf(link: Fields): Fields[] {
  return Array.isArray(link.addr_info) ? (link.addr_info as Fields[]) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The other end of a point-to-point address, as a prefix of its own; '' if it has none. */
function peerOf(address: Fields): string {
  const peer = textOf(address.address);
  if (peer === '' || peer === address.local) return '';
  return `${peer}/${peer.includes(':') ? 128 : 32}`;
}

function isOfLink(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/** A route to one address by a device, as `ip -j route` would print it. */
function routeTo(address: string, device: string): Fields {
  return { dst: address, dev: device, flags: [], ...(address.includes(':') ? { pref: 'medium' } : {}) };
}

/**
 * The host model of a live firewall, made from the kernel's own devices, addresses and routes. It stays the same object
 * when it is read again, since a firewall keeps it.
 */
export class KernelHost {
  readonly host: HostModel = new HostModel();
  /** Where packets go through one TUN device: its name; '' where the kernel hands them over. */
  private readonly tun: string;
  private readonly numbers: Map<number, number> = new Map();
  private readonly indexes: Map<number, number> = new Map();

  private constructor(tun: string, network: KernelNetwork) {
    this.tun = tun;
    this.fill(network);
  }

  /**
   * The machine itself: packets that its kernel routes are judged (NFQUEUE).
   * @throws DriverError
   */
  static forQueues(network: KernelNetwork = readKernelNetwork()): KernelHost {
    const made = new KernelHost('', network);
    made.host.transparent = true;
    return made;
  }

  /**
   * A router beside the kernel, to which a TUN device leads. Its own addresses are the peers of the device's; the
   * kernel's are other machines', reached by the TUN. Behind which device a network is, is what the kernel says.
   * @param device name of the TUN device; if it comes later, {@link update} finds it
   * @throws DriverError
   */
  static forTun(device: string, network: KernelNetwork = readKernelNetwork()): KernelHost {
    return new KernelHost(device, network);
  }

  /** Number in the model of the device that the kernel numbers so; 0 if there is none. */
  deviceOf(ifindex: number): number {
    return ifindex === 0 ? 0 : (this.numbers.get(ifindex) ?? 0);
  }

  /** The kernel's number of a device of the model; 0 if there is none. */
  ifindexOf(device: number): number {
    return device === 0 ? 0 : (this.indexes.get(device) ?? 0);
  }

  /**
   * Reads everything again. The firewall must load its rules again afterwards, even the same ones.
   * @throws DriverError; the model is then as it was
   */
  update(network: KernelNetwork = readKernelNetwork()): void {
    this.host.clear();
    this.fill(network);
  }

  private fill({ links, routes4, routes6 }: KernelNetwork): void {
    const isTun = this.tun !== '';
    this.number(links);
    const named = new Set(links.map(({ ifname }) => ifname));
    const own = links.map((link) => ({
      ...link,
      ifindex: this.numbers.get(Number(link.ifindex)),
      addr_info: isTun ? this.ownAddresses(link) : link.addr_info,
    }));
    parseIpAddr(this.host, JSON.stringify(own), 'ip -j addr');
    // A TUN device that keepstate is to make is not there yet.
    const more = named.has(this.tun) ? this.kernelAddresses(links) : [];
    for (const routes of [routes4, routes6]) {
      const isIpv6 = routes === routes6;
      const ofFamily = more.filter(({ dst }) => textOf(dst).includes(':') === isIpv6);
      // A device may have come or gone between two questions.
      const known = routes
        .filter((route) => leads(route, named))
        .map((route) => (isTun ? unsourced(route) : route));
      parseIpRoute(this.host, JSON.stringify([...known, ...ofFamily]), 'ip -j route');
    }
  }

  /** Gives devices their numbers in the model: the kernel's, where they are small. */
  private number(links: readonly Fields[]): void {
    this.numbers.clear();
    this.indexes.clear();
    const all = links.map(({ ifindex }) => Number(ifindex));
    const used = new Set(all.filter((index) => index < MOST_DEVICES));
    let next = 2;
    for (const index of all) {
      while (used.has(next)) next++;
      const number = index < MOST_DEVICES ? index : next;
      used.add(number);
      this.numbers.set(index, number);
      this.indexes.set(number, index);
    }
  }

  /** The addresses that are keepstate's on a device: the peers of those of the TUN. */
  private ownAddresses(link: Fields): Fields[] {
    if (link.ifname !== this.tun) return [];
    return addressesOf(link).flatMap((address) => {
      const [local, length] = peerOf(address).split('/');
      return length === undefined ? [] : [{ family: address.family, local, prefixlen: Number(length) }];
    });
  }

  /** Routes to the kernel's own addresses: by the TUN. */
  private kernelAddresses(links: readonly Fields[]): Fields[] {
    const addresses = links.flatMap((link) => (link.ifname === 'lo' ? [] : addressesOf(link)));
    return addresses
      .map(({ local }) => textOf(local))
      .filter((local) => local !== '' && !isOfLink(local))
      .map((local) => routeTo(local, this.tun));
  }
}

/** Whether a route leads nowhere, or by a device that is there. */
function leads(route: Fields, named: ReadonlySet<unknown>): boolean {
  const hop = Array.isArray(route.nexthops) ? (route.nexthops[0] as Fields) : route;
  return hop.dev === undefined || named.has(hop.dev);
}

/** A route without the address to send from, which is the kernel's, not ours. */
function unsourced(route: Fields): Fields {
  const { prefsrc: _, ...rest } = route;
  return rest;
}

/** Tells when devices, addresses or routes of the kernel change; what changed, {@link KernelHost.update} reads. */
export class NetworkWatch {
  private readonly socket: NetlinkSocket;
  /** Readable when something changed. */
  readonly fd: number;

  /** @throws NetlinkError */
  constructor() {
    this.socket = new NetlinkSocket(NETLINK_ROUTE);
    this.fd = this.socket.fd;
    for (const group of [
      RTNLGRP_LINK,
      RTNLGRP_IPV4_IFADDR,
      RTNLGRP_IPV4_ROUTE,
      RTNLGRP_IPV6_IFADDR,
      RTNLGRP_IPV6_ROUTE,
    ])
      this.socket.join(group);
  }

  /** Whether anything changed since this was asked last. */
  changed(): boolean {
    let any = false;
    // What was lost was a change as well.
    while (this.socket.receive(false, 'watching the network') !== NETLINK_EMPTY) any = true;
    return any;
  }

  close(): void {
    this.socket.close();
  }
}
