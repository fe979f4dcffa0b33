import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namespacesUsable } from './namespace.ts';
import { CLIENT, expectedSha, PROGRAMS, RoutedNet, SERVER, SERVER6 } from './tunq-net.ts';

const WAIT = 120_000;
/** keepstate's own addresses: the peers of those of the TUN device. */
const OWN = '198.51.100.2';
const OWN6 = 'fd99::2';
const RULES = `table inet gateway {
  chain pre { type nat hook prerouting priority -100
    iifname "wan0" tcp dport 8080 dnat ip to ${CLIENT}:8000
  }
  chain post { type nat hook postrouting priority 100
    oifname "wan0" masquerade
  }
  chain forward { type filter hook forward priority 0; policy drop
    ct state established,related accept
    ct status dnat accept
    iifname "lan0" oifname "wan0" meta l4proto { icmp, ipv6-icmp } accept
    iifname "lan0" oifname "wan0" udp dport 53 accept
    iifname "lan0" oifname "wan0" tcp dport 80 accept
    tcp dport 22 reject with tcp reset
    udp dport 9 reject
  }
}
`;

describe.skipIf(!namespacesUsable([...PROGRAMS, 'traceroute']))('a gateway on a TUN device', () => {
  let net: RoutedNet;

  /** Makes the device and leads what comes from the client into it; what comes for keepstate goes there by itself. */
  function lead(device: string): void {
    const { router, server } = net;
    router.ip('tuntap', 'add', device, 'mode', 'tun');
    router.ip('addr', 'add', '198.51.100.1', 'peer', OWN, 'dev', device);
    router.ip('addr', 'add', 'fd99::1', 'peer', OWN6, 'dev', device, 'nodad');
    router.ip('link', 'set', device, 'up', 'txqueuelen', '10000');
    router.ip('-6', 'route', 'replace', OWN6, 'dev', device);
    // Errors of the kernel itself come back with its own address, and would be dropped as martians.
    router.sysctl(`net.ipv4.conf.${device}.accept_local`, 1);
    for (const family of ['-4', '-6']) {
      router.ip(family, 'rule', 'add', 'iif', 'lan0', 'lookup', '100');
      router.ip(family, 'route', 'add', 'default', 'dev', device, 'table', '100');
      router.ip(family, 'route', 'add', 'blackhole', 'default', 'metric', '9999', 'table', '100');
    }
    server.ip('route', 'replace', OWN, 'via', '10.0.1.1');
    server.ip('-6', 'route', 'replace', OWN6, 'via', 'fd02::1');
  }

  beforeAll(async () => {
    net = await RoutedNet.make();
    lead('ks0');
  }, WAIT);
  afterAll(() => net?.close());

  const run = (offload: boolean): Promise<void> =>
    net.run({ mode: 'tun', device: 'ks0', rules: RULES, offload });

  test.each([
    ['long packets in one piece', true],
    ['packets as they are on the wire', false],
  ])('translates what goes out by its own address: %s', { timeout: WAIT }, async (_, offload) => {
    await run(offload);
    for (const host of [SERVER, SERVER6]) {
      expect(net.ping(net.client, host)).toBe(3);
      expect(net.udp(net.client, host, 53)).toBe('answer');
    }
    const sha256 = expectedSha(10);
    expect(net.download(net.client, SERVER, 10)).toEqual({ status: 0, sha256, from: `::ffff:${OWN}` });
    expect(net.download(net.client, `[${SERVER6}]`, 10)).toEqual({ status: 0, sha256, from: OWN6 });
    expect((await net.counts()).unsent).toBe(0);
  });

  test('lets nothing pass that the rules forbid, and refuses what they refuse', {
    timeout: WAIT,
  }, async () => {
    await run(true);
    for (const host of [SERVER, SERVER6]) {
      expect(net.tcp(net.client, host, 81)).toBe('silence');
      expect(net.udp(net.client, host, 54)).toBe('silence');
      expect(net.tcp(net.client, host, 22)).toBe('ECONNREFUSED');
      expect(net.udp(net.client, host, 9)).toBe('ECONNREFUSED');
    }
  });

  test('leads a port of its own address to a client', { timeout: WAIT }, async () => {
    await run(true);
    // Nobody listens there: the client itself says so.
    expect(net.tcp(net.server, OWN, 8080)).toBe('ECONNREFUSED');
    expect(net.tcp(net.server, OWN, 8081)).toBe('silence');
    expect(net.ping(net.server, OWN)).toBe(0);
  });

  test('passes fragments on', { timeout: WAIT }, async () => {
    await run(true);
    expect(net.ping(net.client, SERVER, 4000)).toBe(3);
    expect(net.ping(net.client, SERVER6, 4000)).toBe(3);
  });

  test('is one hop of a path, and what routers behind it say comes back', { timeout: WAIT }, async () => {
    await run(true);
    const { stdout } = net.client.run(['traceroute', '-n', '-I', '-q', '1', '-w', '1', SERVER]);
    const hops = [...stdout.matchAll(/^ *\d+ +(\S+)/gm)].map((line) => line[1]);
    expect(hops).toEqual(['10.0.0.1', OWN, '198.51.100.1', SERVER]);
  });

  test('lets nothing pass once it is killed', { timeout: WAIT }, async () => {
    await run(true);
    expect(net.ping(net.client, SERVER)).toBe(3);
    await net.stop('SIGKILL');
    for (const host of [SERVER, SERVER6]) expect(net.ping(net.client, host)).toBe(0);
    await run(true);
    expect(net.ping(net.client, SERVER)).toBe(3);
  });

  test('can make the device itself; then a second default route keeps packets from going around it', {
    timeout: WAIT,
  }, async () => {
    const { router } = net;
    await net.run({ mode: 'tun', device: 'ks1', rules: RULES });
    router.ip('link', 'set', 'ks1', 'up');
    router.ip('route', 'replace', 'default', 'dev', 'ks1', 'table', '100');
    expect(router.run(['ip', 'route', 'show', 'table', '100']).stdout).toContain('ks1');
    await net.stop('SIGKILL');
    expect(router.run(['ip', 'route', 'show', 'table', '100']).stdout.trim()).toMatch(/^blackhole default/);
    expect(net.ping(net.client, SERVER)).toBe(0);
    router.ip('route', 'replace', 'default', 'dev', 'ks0', 'table', '100');
  });

  test('says who has the device, and which name is none', { timeout: WAIT }, async () => {
    await run(true);
    const more = (device: string): Promise<unknown> => net.startWorker({ mode: 'tun', device });
    await expect(more('ks0')).rejects.toThrow('opening the TUN device ks0: another program has it open');
    await expect(more('lan0')).rejects.toThrow('opening the TUN device lan0: there is a device of that name');
    await expect(more('a-name-that-is-too-long')).rejects.toThrow('is no name of a device');
  });
});
