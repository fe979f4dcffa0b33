import { expect, test } from 'vitest';
import { ipv4Text, ipv6Text, parseAddress } from '../packet/address.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { RTN_UNICAST } from './host.ts';
import { HostModel } from './model.ts';
import { parsePrefix } from './prefix.ts';

function host(addresses: Readonly<Record<string, readonly string[]>>): HostModel {
  const made = new HostModel();
  for (const [name, list] of Object.entries(addresses)) {
    made.addDevice(name);
    for (const text of list) made.addAddress(name, parsePrefix(text)!);
  }
  return made;
}

function viewOf(address: string): [number, DataView] {
  const words = parseAddress(address)!;
  const view = new DataView(new ArrayBuffer(16));
  words.forEach((word, i) => {
    view.setInt32(4 * i, word);
  });
  return [words.length === 1 ? AF_INET : AF_INET6, view];
}

function textOf(words: readonly number[] | null): string | null {
  if (words === null) return null;
  return words.length === 1 ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!);
}

test.each([
  ['the first address', { eth0: ['203.0.113.1/24', '203.0.113.2/24'] }, '198.51.100.7', '203.0.113.1'],
  [
    'the one in the network of the destination',
    { eth0: ['203.0.113.1/24', '192.0.2.1/24'] },
    '192.0.2.9',
    '192.0.2.1',
  ],
  ['not a secondary one', { eth0: ['192.0.2.1/24', '192.0.2.2/24'] }, '192.0.2.9', '192.0.2.1'],
  ['another device’s, if it has none', { eth0: [], eth1: ['10.0.0.1/24'] }, '198.51.100.7', '10.0.0.1'],
  ['none if there is none but of lo', { eth0: [] }, '198.51.100.7', null],
  [
    'of IPv6 the one of the scope',
    { eth0: ['fe80::1/64', '2001:db8::1/64'] },
    '2001:db8:5::1',
    '2001:db8::1',
  ],
])('a masqueraded flow gets %s', (_name, addresses, to, wanted) => {
  const made = host(addresses as Readonly<Record<string, readonly string[]>>);
  const [family, view] = viewOf(to);
  expect(textOf(made.masqueradeAddress(family, view, 0, 2))).toBe(wanted);
});

test('what goes by a gateway gets the address in the gateway’s network', () => {
  const made = host({ eth0: ['203.0.113.1/24', '192.0.2.1/24'] });
  const gateway = parseAddress('192.0.2.254')!;
  made.addRoute({
    prefix: parsePrefix('0.0.0.0/0')!,
    device: 2,
    type: RTN_UNICAST,
    metric: 0,
    source: null,
    gateway,
  });
  const [family, view] = viewOf('198.51.100.7');
  expect(textOf(made.masqueradeAddress(family, view, 0, 2))).toBe('192.0.2.1');
});

test.each([
  [
    'the first address of the device it came in by',
    { eth0: ['203.0.113.1/24', '203.0.113.2/24'] },
    '8.8.8.8',
    '203.0.113.1',
  ],
  ['nobody if the device has none', { eth0: [], eth1: ['10.0.0.1/24'] }, '8.8.8.8', null],
  [
    'an address of the same scope',
    { eth0: ['fe80::1/64', '2001:db8::1/64'] },
    '2001:db8:5::1',
    '2001:db8::1',
  ],
  [
    'an address of the link for one of the link',
    { eth0: ['2001:db8::1/64', 'fe80::1/64'] },
    'fe80::9',
    'fe80::1',
  ],
])('what is redirected goes to %s', (_name, addresses, to, wanted) => {
  const made = host(addresses as Readonly<Record<string, readonly string[]>>);
  const [family, view] = viewOf(to);
  expect(textOf(made.redirectAddress(family, view, 0, 2))).toBe(wanted);
});
