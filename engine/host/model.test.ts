import { describe, expect, test } from 'vitest';
import { addressBytes } from '../packet/build-bytes.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import {
  RTN_BLACKHOLE,
  RTN_BROADCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTN_UNSPEC,
} from './host.ts';
import { defaultHost, HostModel } from './model.ts';
import { parsePrefix } from './prefix.ts';

function at(text: string): [number, DataView, number] {
  const bytes = addressBytes(text);
  return [bytes.length === 4 ? AF_INET : AF_INET6, new DataView(bytes.buffer), 0];
}

function route(host: HostModel, to: string, device: string, type: number = RTN_UNICAST, metric = 0): void {
  const index = device === '' ? 0 : host.deviceNamed(device)!.index;
  host.addRoute({ prefix: parsePrefix(to)!, device: index, type, metric, source: null });
}

function gateway(): HostModel {
  const host = new HostModel();
  host.addDevice('eth0');
  host.addAddress('eth0', parsePrefix('203.0.113.1/24')!);
  host.addAddress('eth0', parsePrefix('2001:db8::1/64')!);
  host.addAddress('eth1', parsePrefix('10.0.0.1/8')!);
  route(host, '0.0.0.0/0', 'eth0');
  route(host, '::/0', 'eth0');
  return host;
}

describe('a host', () => {
  test('gives devices numbers in the order in which they come, lo being 1', () => {
    const host = gateway();
    expect(['lo', 'eth0', 'eth1'].map((name) => host.deviceNamed(name)?.index)).toEqual([1, 2, 3]);
    expect(host.device(3)?.name).toBe('eth1');
    expect(host.device(0)).toBeNull();
    expect(host.deviceNamed('eth2')).toBeNull();
  });

  // Measured with `nft … fib daddr type` and `ip route show table local`.
  test.each([
    ['203.0.113.1', RTN_LOCAL],
    ['203.0.113.2', RTN_UNICAST],
    ['203.0.113.255', RTN_BROADCAST],
    ['203.0.113.0', RTN_UNICAST],
    ['10.255.255.255', RTN_BROADCAST],
    ['255.255.255.255', RTN_BROADCAST],
    ['0.0.0.0', RTN_BROADCAST],
    ['0.1.2.3', RTN_UNICAST],
    ['224.0.0.1', RTN_MULTICAST],
    ['127.9.9.9', RTN_LOCAL],
    ['8.8.8.8', RTN_UNICAST],
    ['2001:db8::1', RTN_LOCAL],
    ['2001:db8::2', RTN_UNICAST],
    ['::1', RTN_LOCAL],
    ['ff02::1', RTN_MULTICAST],
  ])('sees %s as of type %i', (address, type) => {
    expect(gateway().addressType(...at(address), 0)).toBe(type);
  });

  test('takes the route with the longest prefix, and of two the one with the lower metric', () => {
    const host = gateway();
    route(host, '198.51.100.0/24', 'eth1');
    route(host, '198.51.100.128/25', 'eth0');
    route(host, '192.0.2.0/24', 'eth0', RTN_UNICAST, 100);
    route(host, '192.0.2.0/24', 'eth1', RTN_UNICAST, 50);
    const device = (to: string): number => host.routeDevice(...at(to), 0, 0);
    expect(device('198.51.100.1')).toBe(3);
    expect(device('198.51.100.129')).toBe(2);
    expect(device('192.0.2.9')).toBe(3);
    expect(device('8.8.8.8')).toBe(2);
    expect(device('10.1.1.1')).toBe(3);
    expect(device('2001:db8:9::1')).toBe(2);
    expect(host.routeDevice(...at('192.0.2.9'), 0, 2)).toBe(2);
  });

  test('knows routes that lead nowhere', () => {
    const host = gateway();
    route(host, '10.9.0.0/16', '', RTN_UNREACHABLE);
    route(host, '10.8.0.0/16', '', RTN_BLACKHOLE);
    expect(host.routeType(...at('10.9.0.1'))).toBe(RTN_UNREACHABLE);
    expect(host.routeType(...at('10.8.0.1'))).toBe(RTN_BLACKHOLE);
    expect(host.routeDevice(...at('10.9.0.1'), 0, 0)).toBe(0);
    expect(new HostModel().routeType(...at('8.8.8.8'))).toBe(RTN_UNSPEC);
  });

  test.each([
    ['203.0.113.77', '203.0.113.1'],
    ['8.8.8.8', '203.0.113.1'],
    ['10.2.3.4', '10.0.0.1'],
    ['2001:db8:5::1', '2001:db8::1'],
    ['127.0.0.1', '127.0.0.1'],
  ])('sends to %s from %s', (to, from) => {
    const [family, view] = at(to);
    const out = new Uint8Array(family === AF_INET ? 4 : 16);
    expect(gateway().sourceAddress(family, view, 0, 0, out)).toBe(true);
    expect(out).toEqual(addressBytes(from));
  });

  test('by default forwards everything from eth0 to eth1 and has no address but those of lo', () => {
    const host = defaultHost();
    expect(host.firstDevice).toBe(host.deviceNamed('eth0')!.index);
    expect(host.routeDevice(...at('198.51.100.7'), 0, 0)).toBe(host.deviceNamed('eth1')!.index);
    expect(host.addresses.map((address) => host.device(address.device)?.name)).toEqual(['lo', 'lo']);
  });
});
