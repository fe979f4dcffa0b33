import { SourceError, type Span } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { RTN_BLACKHOLE, RTN_LOCAL, RTN_PROHIBIT, RTN_UNICAST, RTN_UNREACHABLE } from './host.ts';
import { type HostModel, LOOPBACK } from './model.ts';
import { type Prefix, parsePrefix } from './prefix.ts';

/** Route types that lead nowhere, as `ip route` names them. */
const NOWHERE: ReadonlyMap<string, number> = new Map([
  ['unreachable', RTN_UNREACHABLE],
  ['prohibit', RTN_PROHIBIT],
  ['blackhole', RTN_BLACKHOLE],
]);
/** Longest name of a device (IFNAMSIZ less the zero). */
const NAME_MOST = 15;

/** A part of a text that stands at `at`. */
function part(at: Span, from: number, len: number): Span {
  return { ...at, col: at.col + from, len: Math.max(1, len) };
}

function prefixAt(text: string, at: Span): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  const hint = /^[\d.]+$|:/.test(text.split('/')[0]!) ? undefined : 'expected one as 203.0.113.1/24';
  throw new SourceError(`'${text}' is no address`, at, hint);
}

/** A device that may be named: what Linux accepts as one. */
function checkName(name: string, at: Span): void {
  if (name === '' || name.length > NAME_MOST || /[\s/:]/.test(name) || name === '.' || name === '..')
    throw new SourceError(`'${name}' is no name of an interface`, at);
}

/**
 * `--iface eth0=203.0.113.1/24,2001:db8::1/64`, or `--iface eth0` for one without address. The same name again adds
 * addresses.
 * @param at where the text stands
 * @throws SourceError
 */
export function ifaceFlag(host: HostModel, text: string, at: Span): void {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  checkName(name, part(at, 0, name.length));
  const prefixes: Prefix[] = [];
  let col = equals + 1;
  for (const word of equals < 0 ? [] : text.slice(equals + 1).split(',')) {
    prefixes.push(prefixAt(word, part(at, col, word.length)));
    col += word.length + 1;
  }
  if (host.deviceNamed(name) === null) host.addDevice(name);
  for (const prefix of prefixes) host.addAddress(name, prefix);
}

/** The device of a name that a route uses. */
function deviceOf(host: HostModel, name: string, at: Span): number {
  const device = host.deviceNamed(name);
  if (device !== null) return device.index;
  const names = host.devices.flatMap((known) => (known === null ? [] : [known.name]));
  const near = suggest(name, names);
  throw new SourceError(
    `no interface is named '${name}'`,
    at,
    near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?`,
  );
}

/** The networks that a route's destination names: both families for `default`. */
function destinations(text: string, at: Span): Prefix[] {
  if (text === 'default')
    return [
      { family: AF_INET, words: [0], length: 0 },
      { family: AF_INET6, words: [0, 0, 0, 0], length: 0 },
    ];
  return [prefixAt(text, at)];
}

/**
 * `--route default:eth0`, `--route 10.0.0.0/8:eth1`, `--route 2001:db8::/32:eth1`, `--route 10.9.0.0/16:unreachable`
 * (or `prohibit`, `blackhole`): what stands behind the last colon says where it goes.
 * @throws SourceError
 */
export function routeFlag(host: HostModel, text: string, at: Span): void {
  const colon = text.lastIndexOf(':');
  if (colon < 0) throw new SourceError(`'${text}' does not say where to`, at, 'expected one as default:eth0');
  const to = text.slice(0, colon);
  const way = text.slice(colon + 1);
  addRoutes(host, to, part(at, 0, to.length), way, part(at, colon + 1, way.length));
}

/**
 * Adds the routes of one destination.
 * @param to `default` or a network
 * @param way an interface, or `unreachable`, `prohibit`, `blackhole`
 * @throws SourceError
 */
export function addRoutes(host: HostModel, to: string, toAt: Span, way: string, wayAt: Span): void {
  const type = host.deviceNamed(way) === null ? NOWHERE.get(way) : undefined;
  const device = type === undefined ? deviceOf(host, way, wayAt) : 0;
  for (const prefix of destinations(to, toAt))
    host.addRoute({ prefix, device, type: type ?? RTN_UNICAST, metric: 0, source: null });
}

/**
 * `--local 192.0.2.7`: one more address that is this machine's, on lo.
 * @throws SourceError
 */
export function localFlag(host: HostModel, text: string, at: Span): void {
  const prefix = prefixAt(text, at);
  host.addRoute({ prefix, device: LOOPBACK, type: RTN_LOCAL, metric: 0, source: null });
}
