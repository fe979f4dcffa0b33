import { SourceError, type Span } from '../base/error.ts';
import { macBytes } from '../packet/build-bytes.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import {
  RTN_ANYCAST,
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_PROHIBIT,
  RTN_UNICAST,
  RTN_UNREACHABLE,
} from './host.ts';
import { ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NONE, type HostModel } from './model.ts';
import { type Prefix, parsePrefix } from './prefix.ts';

/** Types of links as `ip -j addr` names them. */
const LINK_TYPES: ReadonlyMap<string, number> = new Map([
  ['ether', ARPHRD_ETHER],
  ['loopback', ARPHRD_LOOPBACK],
  ['none', ARPHRD_NONE],
  ['ppp', 512],
  ['ipip', 768],
  ['sit', 776],
  ['gre', 778],
]);
const ROUTE_TYPES: ReadonlyMap<string, number> = new Map([
  ['unicast', RTN_UNICAST],
  ['local', RTN_LOCAL],
  ['broadcast', RTN_BROADCAST],
  ['anycast', RTN_ANYCAST],
  ['multicast', RTN_MULTICAST],
  ['blackhole', RTN_BLACKHOLE],
  ['unreachable', RTN_UNREACHABLE],
  ['prohibit', RTN_PROHIBIT],
]);

type Fields = Readonly<Record<string, unknown>>;

/** The line and column of a byte of a text. */
function spanAt(text: string, file: string, position: number): Span {
  const before = text.slice(0, position).split('\n');
  return { file, line: before.length, col: before[before.length - 1]!.length + 1, len: 1 };
}

/** The objects of the array that `ip -j` prints. */
function objectsOf(text: string, file: string, what: string): Fields[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new SourceError('this is no JSON', spanAt(text, file, 0), `expected what '${what}' prints`);
  }
  if (!Array.isArray(parsed) || parsed.some((item) => typeof item !== 'object' || item === null))
    throw new SourceError(`expected the array that '${what}' prints`, spanAt(text, file, 0));
  return parsed as Fields[];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function macOf(value: unknown): Uint8Array | null {
  const text = textOf(value);
  if (text === undefined || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return null;
  return macBytes(text);
}

/** `default`, a number, or a name of /etc/iproute2/group, of which only its number is known here. */
function groupOf(value: unknown): number {
  const text = String(value ?? 'default');
  return /^\d+$/.test(text) ? Number(text) : 0;
}

/**
 * Adds the devices and addresses that `ip -j addr` lists.
 * @param file name of the dump, for errors
 * @throws SourceError if it is no such dump
 */
export function parseIpAddr(host: HostModel, text: string, file: string): void {
  for (const link of objectsOf(text, file, 'ip -j addr')) {
    const name = textOf(link.ifname);
    if (name === undefined)
      throw new SourceError(
        "an entry has no 'ifname'",
        spanAt(text, file, 0),
        "expected what 'ip -j addr' prints",
      );
    const type = LINK_TYPES.get(textOf(link.link_type) ?? 'ether') ?? ARPHRD_ETHER;
    const index = numberOf(link.ifindex);
    const mtu = numberOf(link.mtu);
    host.addDevice(name, {
      type,
      group: groupOf(link.group),
      mac: type === ARPHRD_ETHER ? macOf(link.address) : null,
      ...(index === undefined ? {} : { index }),
      ...(mtu === undefined ? {} : { mtu }),
    });
    for (const address of (Array.isArray(link.addr_info) ? link.addr_info : []) as Fields[]) {
      const local = textOf(address.local) ?? '';
      // Those of its own lo has already.
      if (name === 'lo' && (local === '127.0.0.1' || local === '::1')) continue;
      const prefix = parsePrefix(`${local}/${numberOf(address.prefixlen)}`);
      if (prefix !== undefined) host.addAddress(name, prefix);
    }
  }
}

function destinationOf(route: Fields, isIpv6: boolean): Prefix | undefined {
  const text = textOf(route.dst);
  if (text !== 'default') return text === undefined ? undefined : parsePrefix(text);
  return isIpv6
    ? { family: AF_INET6, words: [0, 0, 0, 0], length: 0 }
    : { family: AF_INET, words: [0], length: 0 };
}

/** Whether a dump is of IPv6, which `default` alone does not tell. */
function isOfIpv6(routes: readonly Fields[]): boolean {
  return routes.some((route) => String(route.dst).includes(':') || 'pref' in route);
}

/**
 * Adds the routes that `ip -j route` or `ip -6 -j route` lists (with `table all` also those of table local). The
 * devices must be there: {@link parseIpAddr} first.
 * @throws SourceError if it is no such dump, or names a device that is not there
 */
export function parseIpRoute(host: HostModel, text: string, file: string): void {
  const routes = objectsOf(text, file, 'ip -j route');
  const isIpv6 = isOfIpv6(routes);
  for (const route of routes) {
    const prefix = destinationOf(route, isIpv6);
    if (prefix === undefined)
      throw new SourceError(`'${String(route.dst)}' is no destination`, spanAt(text, file, 0));
    const type = ROUTE_TYPES.get(textOf(route.type) ?? 'unicast') ?? RTN_UNICAST;
    const isNowhere = type >= RTN_BLACKHOLE;
    const hop = Array.isArray(route.nexthops) ? (route.nexthops[0] as Fields) : route;
    const name = textOf(hop.dev) ?? '';
    const device = isNowhere ? 0 : (host.deviceNamed(name)?.index ?? -1);
    if (device < 0)
      throw new SourceError(
        `a route to ${String(route.dst)} uses the interface '${name}', which is not there`,
        spanAt(text, file, Math.max(0, text.indexOf(`"${name}"`))),
      );
    // Groups are joined, not routed, and table local is made from the addresses.
    if (type === RTN_MULTICAST || type === RTN_LOCAL || type === RTN_BROADCAST || type === RTN_ANYCAST)
      continue;
    const source = textOf(route.prefsrc);
    host.addRoute({
      prefix,
      device,
      type,
      metric: numberOf(route.metric) ?? 0,
      source: source === undefined ? null : (parsePrefix(source)?.words ?? null),
      gateway: parsePrefix(textOf(hop.gateway) ?? '')?.words ?? null,
    });
  }
}
