import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AF_INET, AF_INET6 } from '@keepstate/engine';
import { expect, test } from 'vitest';
import { KernelHost, type KernelNetwork, readKernelNetwork } from './kernel-host.ts';

const address = (local: string, prefixlen: number, peer = ''): object => ({
  local,
  prefixlen,
  ...(peer === '' ? {} : { address: peer }),
});
const link = (ifindex: number, ifname: string, ...addr_info: object[]): Record<string, unknown> => ({
  ifindex,
  ifname,
  mtu: ifname === 'lo' ? 65536 : 1500,
  link_type: ifname === 'lo' ? 'loopback' : 'ether',
  addr_info,
});
const network: KernelNetwork = {
  links: [
    link(1, 'lo', address('127.0.0.1', 8), address('::1', 128)),
    link(2, 'lan0', address('10.0.0.1', 24), address('fe80::1', 64)),
    link(70_000, 'wan0', address('192.0.2.7', 24), address('2001:db8::7', 64)),
    link(9, 'tun0', address('198.51.100.1', 32, '198.51.100.2'), address('fd99::1', 128, 'fd99::2')),
  ],
  routes4: [
    { dst: 'default', gateway: '192.0.2.1', dev: 'wan0' },
    { dst: '10.0.0.0/24', dev: 'lan0', prefsrc: '10.0.0.1' },
    { dst: '10.9.0.0/16', dev: 'gone0' },
    { type: 'blackhole', dst: '10.8.0.0/16' },
    { dst: '198.51.100.2', dev: 'tun0', prefsrc: '198.51.100.1' },
  ],
  routes6: [{ dst: 'default', gateway: '2001:db8::1', dev: 'wan0', pref: 'medium' }],
};

function words(text: string): DataView {
  return new DataView(Uint8Array.from(text.split('.').map(Number)).buffer);
}

/** Name of the device that an IPv4 address is reached by. */
function routed(kernel: KernelHost, text: string): string {
  return kernel.host.device(kernel.host.routeDevice(AF_INET, words(text), 0, 0, 0))?.name ?? '';
}

test('the machine itself is modelled with its addresses and routes, and devices with large numbers get small ones', () => {
  const kernel = KernelHost.forQueues(network);
  expect(kernel.host.transparent).toBe(true);
  expect(routed(kernel, '10.0.0.9')).toBe('lan0');
  expect(routed(kernel, '203.0.113.1')).toBe('wan0');
  expect(routed(kernel, '10.0.0.1')).toBe('lan0');
  expect(kernel.host.isLocal(AF_INET, words('10.0.0.1'), 0)).toBe(true);
  const wan = kernel.deviceOf(70_000);
  expect(kernel.host.device(wan)?.name).toBe('wan0');
  expect(wan).toBeLessThan(4096);
  expect(kernel.ifindexOf(wan)).toBe(70_000);
  expect(kernel.deviceOf(2)).toBe(2);
  expect([kernel.deviceOf(0), kernel.deviceOf(5), kernel.ifindexOf(0)]).toEqual([0, 0, 0]);
});

test('behind a TUN keepstate has the peers as its own addresses, and the kernel is another machine', () => {
  const { host } = KernelHost.forTun('tun0', network);
  const kernel = { host } as KernelHost;
  expect(host.isLocal(AF_INET, words('198.51.100.2'), 0)).toBe(true);
  for (const theirs of ['198.51.100.1', '10.0.0.1', '192.0.2.7']) {
    expect(host.isLocal(AF_INET, words(theirs), 0)).toBe(false);
    expect(routed(kernel, theirs)).toBe('tun0');
  }
  expect(routed(kernel, '10.0.0.9')).toBe('lan0');
  const wan = host.deviceNamed('wan0')!.index;
  expect(host.masqueradeAddress(AF_INET, words('203.0.113.1'), 0, wan)).toEqual([0xc6336402 | 0]);
  expect(host.masqueradeAddress(AF_INET6, new DataView(new ArrayBuffer(16)), 0, wan)).toEqual([
    0xfd990000 | 0,
    0,
    0,
    2,
  ]);
  // Errors are sent by keepstate, not in the name of the kernel.
  const out = new Uint8Array(4);
  expect(host.sourceAddress(AF_INET, words('10.0.0.9'), 0, 0, out)).toBe(true);
  expect([...out]).toEqual([198, 51, 100, 2]);
});

test('a machine may have more devices and routes than Node takes of a program by itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-ip-'));
  const route =
    '{"dst":"10.0.0.0/24","dev":"lan0","protocol":"kernel","scope":"link","prefsrc":"10.0.0.1","flags":[]}';
  const program = `#!${process.execPath}
const routes = process.argv.includes('-4') ? Array(20_000).fill(${JSON.stringify(route)}) : [];
process.stdout.write('[' + routes + ']');
`;
  writeFileSync(join(folder, 'ip'), program, { mode: 0o755 });
  const before = process.env.PATH;
  try {
    process.env.PATH = folder;
    expect(readKernelNetwork().routes4).toHaveLength(20_000);
  } finally {
    process.env.PATH = before;
    rmSync(folder, { recursive: true });
  }
});

test('what changed is read again into the same model', () => {
  const kernel = KernelHost.forTun('tun0', { links: network.links.slice(0, 2), routes4: [], routes6: [] });
  const { host } = kernel;
  expect(host.deviceNamed('tun0')).toBe(null);
  kernel.update(network);
  expect(kernel.host).toBe(host);
  expect(host.isLocal(AF_INET, words('198.51.100.2'), 0)).toBe(true);
  kernel.update({ links: network.links.slice(0, 1), routes4: [], routes6: [] });
  expect(host.deviceNamed('lan0')).toBe(null);
  expect(routed(kernel, '203.0.113.1')).toBe('');
});
