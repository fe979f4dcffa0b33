import { describe, expect, test } from 'vitest';
import { SourceError } from '../base/error.ts';
import { addressBytes } from '../packet/build-bytes.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { RTN_LOCAL, RTN_UNREACHABLE } from './host.ts';
import { HostModel } from './model.ts';
import { parseHostFile } from './parse-file.ts';
import { ifaceFlag, localFlag, routeFlag } from './parse-flags.ts';
import { parseIpAddr, parseIpRoute } from './parse-ip.ts';
import { readYaml, type YamlNode } from './yaml.ts';

function at(text: string): [number, DataView, number] {
  const bytes = addressBytes(text);
  return [bytes.length === 4 ? AF_INET : AF_INET6, new DataView(bytes.buffer), 0];
}

function plain(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.text;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [key.text, plain(value)]));
}

function errorOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SourceError) return error.message;
    throw error;
  }
  return 'no error';
}

const span = { file: '--iface', line: 1, col: 1, len: 1 };

describe('flags', () => {
  test('describe a host with several addresses, routes of both families and extra local addresses', () => {
    const host = new HostModel();
    ifaceFlag(host, 'eth0=203.0.113.1/24,2001:db8::1/64', span);
    ifaceFlag(host, 'eth1', span);
    ifaceFlag(host, 'eth1=10.0.0.1/24', span);
    routeFlag(host, 'default:eth0', span);
    routeFlag(host, '2001:db8:7::/48:eth1', span);
    routeFlag(host, '10.9.0.0/16:unreachable', span);
    localFlag(host, '192.0.2.7', span);
    expect(host.addressType(...at('192.0.2.7'), 0)).toBe(RTN_LOCAL);
    expect(host.routeDevice(...at('2001:db8:7::9'), 0, 0)).toBe(3);
    expect(host.routeDevice(...at('2001:db8:8::9'), 0, 0)).toBe(2);
    expect(host.routeDevice(...at('10.0.0.77'), 0, 0)).toBe(3);
    expect(host.routeType(...at('10.9.1.1'))).toBe(RTN_UNREACHABLE);
  });

  test.each([
    ['eth0=203.0.113.1/24,10.0.0.300/8', "--iface:1:21: '10.0.0.300/8' is no address"],
    ['=10.0.0.1/8', "--iface:1:1: '' is no name of an interface"],
    ['a-name-that-is-too-long=10.0.0.1/8', "--iface:1:1: 'a-name-that-is-too-long' is no name"],
    ['eth0=10.0.0.1/33', "--iface:1:6: '10.0.0.1/33' is no address"],
  ])('%s is refused with its place', (text, message) => {
    expect(errorOf(() => ifaceFlag(new HostModel(), text, span))).toContain(message);
  });

  test.each([
    ['default', "'default' does not say where to (expected one as default:eth0)"],
    ['default:eht0', "--iface:1:9: no interface is named 'eht0' (did you mean 'eth0'?)"],
    ['10.0.0/8:eth0', "--iface:1:1: '10.0.0/8' is no address"],
  ])('the route %s is refused with its place', (text, message) => {
    const host = new HostModel();
    host.addDevice('eth0');
    expect(errorOf(() => routeFlag(host, text, span))).toContain(message);
  });
});

describe('YAML', () => {
  test('is read as far as a host file needs it', () => {
    const text = `--- # a comment
a: 1
"b c": 'it''s' # another
list:
- x
- [ y, "z, w" ]
-
  k: v
- k: v
  l: w
deep:
    er:
        - 1
        - 2
none:
url: a#b
`;
    expect(plain(readYaml(text, 'f'))).toEqual({
      a: '1',
      'b c': "it's",
      list: ['x', ['y', 'z, w'], { k: 'v' }, { k: 'v', l: 'w' }],
      deep: { er: ['1', '2'] },
      none: '',
      url: 'a#b',
    });
  });

  test.each([
    ['a: 1\n  b: 2', 'f:2:1: unexpected indentation'],
    ['a: 1\na: 2', "f:2:1: 'a' stands here twice"],
    ['a:\n\t- b', 'f:2:1: a tab cannot indent YAML'],
    ['a: [b', "f:1:5: expected ',' or ']'"],
    ['a: &x b', "f:1:4: '&' begins something"],
    ['a: "b" c', 'f:1:7: text behind the closing quote'],
    ['a: |\n  b', "f:1:4: '|' begins something"],
    ['a: 1\nb', "f:2:1: expected 'name: value'"],
    ['  a: 1\nb: 2', 'f:2:1: this line is indented less than the first'],
  ])('%j is refused with its place', (text, message) => {
    expect(errorOf(() => readYaml(text, 'f'))).toContain(message);
  });
});

describe('a host file', () => {
  test('describes interfaces, routes, local addresses and groups', () => {
    const host = parseHostFile(
      `interfaces:
  eth0:
    addresses: [203.0.113.1/24]
    mac: 02:00:00:00:00:01
    group: 5
    mtu: 9000
  wg0: { }
`.replace('  wg0: { }\n', '  wg0:\n    type: none\n    addresses: 10.8.0.1/24\n  eth2: 10.2.0.1/16\n') +
        `routes:
  - default:eth0
  - to: 10.9.0.0/16
    via: unreachable
local: [192.0.2.7]
multicast: 224.0.0.251
forwarding: no
rp_filter: 1
`,
      'host.yaml',
    );
    expect(host.deviceNamed('eth0')).toMatchObject({ index: 2, group: 5, mtu: 9000, type: 1 });
    expect(host.deviceNamed('wg0')?.type).toBe(65534);
    expect(host.routeDevice(...at('10.2.3.4'), 0, 0)).toBe(4);
    expect(host.isMember(...at('224.0.0.251'))).toBe(true);
    expect([host.forwarding, host.rpFilter]).toEqual([false, 1]);
  });

  test.each([
    ['interface:\n', "h:1:1: unknown key 'interface' (did you mean 'interfaces'?)"],
    ['interfaces:\n  eth0: [10.0.0.1/8, ten]\n', "h:2:22: 'ten' is no address"],
    ['interfaces:\n  eth0:\n    mac: 02\n', "h:3:10: '02' is no hardware address"],
    ['routes:\n  - to: default\n', "h:2:5: expected 'to' and 'via'"],
    ['routes:\n  - default:eth9\n', "h:2:13: no interface is named 'eth9'"],
    ['forwarding: perhaps\n', "h:1:13: expected 'yes' or 'no'"],
    ['- a\n', 'h:1:1: expected a map'],
  ])('%j is refused with its place', (text, message) => {
    expect(errorOf(() => parseHostFile(text, 'h'))).toContain(message);
  });
});

// As iproute2 6.1 prints them, shortened.
const ADDR = `[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP"],"mtu":65536,"group":"default","link_type":"loopback",
"address":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
{"ifindex":7,"ifname":"eth0","mtu":1500,"group":"default","link_type":"ether","address":"02:fc:00:00:00:01",
"addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24,"scope":"global"},
{"family":"inet6","local":"fd00::2","prefixlen":64,"scope":"global"}]},
{"ifindex":9,"ifname":"tb","mtu":1400,"group":"12","link_type":"none","addr_info":[]}]`;
const ROUTE = `[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
{"dst":"192.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.0.2.2","flags":[]},
{"type":"unreachable","dst":"10.5.0.0/16","flags":[]},{"dst":"10.6.0.0/16","dev":"tb","metric":50,"flags":[]}]`;
const ROUTE6 = `[{"dst":"default","gateway":"fd00::1","dev":"eth0","metric":1024,"flags":[],"pref":"medium"}]`;

describe("iproute2's dumps", () => {
  test('are a host', () => {
    const host = new HostModel();
    parseIpAddr(host, ADDR, 'addr.json');
    parseIpRoute(host, ROUTE, 'route.json');
    parseIpRoute(host, ROUTE6, 'route6.json');
    expect(host.deviceNamed('eth0')).toMatchObject({ index: 7, mac: Uint8Array.of(2, 0xfc, 0, 0, 0, 1) });
    expect(host.deviceNamed('tb')).toMatchObject({ index: 9, group: 12, mtu: 1400, type: 65534 });
    expect(host.routeDevice(...at('8.8.8.8'), 0, 0)).toBe(7);
    expect(host.routeDevice(...at('2001:db8::1'), 0, 0)).toBe(7);
    expect(host.routeDevice(...at('10.6.1.1'), 0, 0)).toBe(9);
    expect(host.routeType(...at('10.5.1.1'))).toBe(RTN_UNREACHABLE);
    expect(host.isLocal(...at('fd00::2'))).toBe(true);
  });

  test.each([
    ['[1, x]', 'addr.json:1:1: this is no JSON'],
    ['{}', "addr.json:1:1: expected the array that 'ip -j addr' prints"],
    ['[{}]', "an entry has no 'ifname'"],
  ])('%s is refused', (text, message) => {
    expect(errorOf(() => parseIpAddr(new HostModel(), text, 'addr.json'))).toContain(message);
  });

  test('a route over an interface that is not there is refused', () => {
    expect(errorOf(() => parseIpRoute(new HostModel(), ROUTE, 'r'))).toContain("uses the interface 'eth0'");
  });
});
