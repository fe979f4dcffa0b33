import { SourceError, type Span } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';
import { macBytes } from '../packet/build-bytes.ts';
import { ARPHRD_ETHER, ARPHRD_NONE, HostModel, type RpFilter } from './model.ts';
import { addRoutes, localFlag, routeFlag } from './parse-flags.ts';
import { parsePrefix } from './prefix.ts';
import { readYaml, type YamlList, type YamlMap, type YamlNode, type YamlScalar } from './yaml.ts';

const KEYS: readonly string[] = [
  'interfaces',
  'routes',
  'local',
  'multicast',
  'forwarding',
  'route_localnet',
  'accept_local',
  'rp_filter',
];
const INTERFACE_KEYS: readonly string[] = ['addresses', 'mac', 'group', 'type', 'index', 'mtu'];
const ROUTE_KEYS: readonly string[] = ['to', 'via'];
const TYPES: ReadonlyMap<string, number> = new Map([
  ['ether', ARPHRD_ETHER],
  ['none', ARPHRD_NONE],
]);

function wrong(what: string, at: Span): SourceError {
  return new SourceError(`expected ${what}`, at);
}

function scalar(node: YamlNode, what: string): YamlScalar {
  if (node.kind !== 'scalar' || node.text === '') throw wrong(what, node.at);
  return node;
}

function items(node: YamlNode, what: string): readonly YamlNode[] {
  if (node.kind === 'list') return (node as YamlList).items;
  if (node.kind === 'scalar' && node.text !== '') return [node];
  throw wrong(`a list of ${what}`, node.at);
}

/** The entries of a map, each of a name that is known. */
function entries(node: YamlNode, known: readonly string[], what: string): YamlMap['entries'] {
  if (node.kind !== 'map') throw wrong(what, node.at);
  for (const { key } of node.entries) {
    if (known.includes(key.text)) continue;
    const near = suggest(key.text, known);
    throw new SourceError(
      `unknown key '${key.text}'`,
      key.at,
      near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`,
    );
  }
  return node.entries;
}

function numberOf(node: YamlNode, most: number): number {
  const { text, at } = scalar(node, 'a number');
  if (!/^\d+$/.test(text) || Number(text) > most) throw wrong(`a number from 0 to ${most}`, at);
  return Number(text);
}

function yesNo(node: YamlNode): boolean {
  const { text, at } = scalar(node, "'yes' or 'no'");
  if (/^(yes|true|on|1)$/i.test(text)) return true;
  if (/^(no|false|off|0)$/i.test(text)) return false;
  throw wrong("'yes' or 'no'", at);
}

function macOf(node: YamlNode): Uint8Array {
  const { text, at } = scalar(node, 'a hardware address');
  try {
    return macBytes(text);
  } catch {
    throw new SourceError(`'${text}' is no hardware address`, at, 'expected one as 02:00:00:00:00:01');
  }
}

function typeOf(node: YamlNode): number {
  const { text, at } = scalar(node, 'a type');
  const type = TYPES.get(text);
  if (type === undefined) throw wrong([...TYPES.keys()].map((name) => `'${name}'`).join(' or '), at);
  return type;
}

function readInterface(host: HostModel, name: YamlScalar, node: YamlNode): void {
  if (!/^[^\s/:]{1,15}$/.test(name.text))
    throw new SourceError(`'${name.text}' is no name of an interface`, name.at);
  const isShort = node.kind !== 'map';
  const fields = new Map(
    isShort ? [] : entries(node, INTERFACE_KEYS, 'an interface').map(({ key, value }) => [key.text, value]),
  );
  const index = fields.get('index');
  const group = fields.get('group');
  const mac = fields.get('mac');
  const type = fields.get('type');
  const mtu = fields.get('mtu');
  host.addDevice(name.text, {
    ...(index === undefined ? {} : { index: numberOf(index, 65535) }),
    ...(group === undefined ? {} : { group: numberOf(group, 0x7fffffff) }),
    ...(mac === undefined ? {} : { mac: macOf(mac) }),
    ...(type === undefined ? {} : { type: typeOf(type) }),
    ...(mtu === undefined ? {} : { mtu: numberOf(mtu, 65536) }),
  });
  const addresses = isShort ? node : fields.get('addresses');
  if (addresses === undefined || (addresses.kind === 'scalar' && addresses.text === '')) return;
  for (const item of items(addresses, 'addresses')) {
    const { text, at } = scalar(item, 'an address');
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new SourceError(`'${text}' is no address`, at);
    host.addAddress(name.text, prefix);
  }
}

function readRoute(host: HostModel, node: YamlNode): void {
  if (node.kind === 'scalar') {
    routeFlag(host, node.text, node.at);
    return;
  }
  const fields = new Map(entries(node, ROUTE_KEYS, 'a route').map(({ key, value }) => [key.text, value]));
  const to = fields.get('to');
  const via = fields.get('via');
  if (to === undefined || via === undefined) throw wrong("'to' and 'via'", node.at);
  const toText = scalar(to, "a network or 'default'");
  const viaText = scalar(via, 'an interface');
  addRoutes(host, toText.text, toText.at, viaText.text, viaText.at);
}

function joinGroup(host: HostModel, node: YamlNode): void {
  const { text, at } = scalar(node, 'a multicast address');
  const group = parsePrefix(text);
  if (group === undefined) throw new SourceError(`'${text}' is no address`, at);
  host.join(group);
}

/**
 * Reads a host file:
 * ```yaml
 * interfaces:
 *   eth0: [203.0.113.1/24, 2001:db8::1/64]
 *   eth1: { … } written over lines: addresses, mac, group, type, index, mtu
 * routes:
 *   - default:eth0
 *   - to: 10.9.0.0/16
 *     via: unreachable
 * local: [192.0.2.7]
 * forwarding: yes
 * ```
 * @param file its name, for errors
 * @throws SourceError at the first thing that is wrong
 */
export function parseHostFile(text: string, file: string): HostModel {
  const host = new HostModel();
  const fields = new Map(
    entries(readYaml(text, file), KEYS, `a map with ${KEYS.slice(0, 3).join(', ')}`).map(({ key, value }) => [
      key.text,
      value,
    ]),
  );
  const interfaces = fields.get('interfaces');
  if (interfaces !== undefined) {
    if (interfaces.kind !== 'map') throw wrong('a map of interfaces', interfaces.at);
    for (const { key, value } of interfaces.entries) readInterface(host, key, value);
  }
  const each = (name: string, what: string, read: (node: YamlNode) => void): void => {
    const node = fields.get(name);
    if (node !== undefined) for (const item of items(node, what)) read(item);
  };
  each('routes', 'routes', (node) => readRoute(host, node));
  each('local', 'addresses', (node) => {
    const { text: word, at } = scalar(node, 'an address');
    localFlag(host, word, at);
  });
  each('multicast', 'multicast addresses', (node) => joinGroup(host, node));
  const forwarding = fields.get('forwarding');
  if (forwarding !== undefined) host.forwarding = yesNo(forwarding);
  const localnet = fields.get('route_localnet');
  if (localnet !== undefined) host.routeLocalnet = yesNo(localnet);
  const local = fields.get('accept_local');
  if (local !== undefined) host.acceptLocal = yesNo(local);
  const filter = fields.get('rp_filter');
  if (filter !== undefined) host.rpFilter = numberOf(filter, 2) as RpFilter;
  return host;
}
