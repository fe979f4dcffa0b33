import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { namespacesUsable } from './namespace.ts';
import { expectedSha, PROGRAMS, RoutedNet, SERVER, SERVER6 } from './tunq-net.ts';

const WAIT = 120_000;
const RULES = `table inet filter {
  chain forward { type filter hook forward priority 0; policy drop
    ct state established,related accept
    meta l4proto { icmp, ipv6-icmp } accept
    iifname "lan0" oifname "wan0" udp dport 53 accept
    iifname "lan0" oifname "wan0" tcp dport 80 accept
    tcp dport 22 reject with tcp reset
    udp dport 9 reject
  }
  chain input { type filter hook input priority 0; policy drop
    iifname "lan0" meta l4proto { icmp, ipv6-icmp } accept
  }
}
`;
/** Source translation, and a port that leads to the client. */
const NAT = `table ip nat {
  chain pre { type nat hook prerouting priority -100; iifname "wan0" tcp dport 8080 dnat to 10.0.0.2:80
  }
  chain post { type nat hook postrouting priority 100; oifname "wan0" masquerade
  }
}
`;
const MARKS = `table ip marks {
  chain forward { type filter hook forward priority 0; meta mark 7 drop
    meta mark set 5
  }
}
`;

describe.skipIf(!namespacesUsable(PROGRAMS))('packets that the kernel queues (NFQUEUE)', () => {
  let net: RoutedNet;
  beforeAll(async () => {
    net = await RoutedNet.make();
  }, WAIT);
  afterAll(() => net?.close());
  beforeEach(() => net.flush());

  /** Queues what comes to the router, before it is routed. */
  function queueAll(...more: readonly string[]): void {
    for (const command of ['iptables', 'ip6tables'] as const) {
      for (const device of ['lan0', 'wan0'])
        net[command](
          '-t',
          'mangle',
          '-A',
          'PREROUTING',
          '-i',
          device,
          '-j',
          'NFQUEUE',
          '--queue-num',
          '0',
          ...more,
        );
    }
    // Neighbours must be found.
    net.ip6tables('-t', 'mangle', '-I', 'PREROUTING', '-p', 'icmpv6', '--icmpv6-type', '135', '-j', 'ACCEPT');
    net.ip6tables('-t', 'mangle', '-I', 'PREROUTING', '-p', 'icmpv6', '--icmpv6-type', '136', '-j', 'ACCEPT');
  }

  test('pass if the rules say so, by IPv4 and IPv6, and no others do', { timeout: WAIT }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', rules: RULES });
    for (const host of [SERVER, SERVER6]) {
      expect(net.ping(net.client, host)).toBe(3);
      expect(net.udp(net.client, host, 53)).toBe('answer');
      expect(net.udp(net.client, host, 54)).toBe('silence');
      expect(net.tcp(net.client, host, 81)).toBe('silence');
    }
    const sha256 = expectedSha(20);
    expect(net.download(net.client, SERVER, 20)).toMatchObject({ status: 0, sha256 });
    expect(net.download(net.client, `[${SERVER6}]`, 20)).toMatchObject({ status: 0, sha256 });
    expect(await net.counts()).toMatchObject({ lost: 0, unsent: 0 });
  });

  test('come cut into segments if the option says so', { timeout: WAIT }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', rules: RULES, gso: false });
    expect(net.download(net.client, SERVER, 5)).toMatchObject({ status: 0, sha256: expectedSha(5) });
    expect(await net.counts()).toMatchObject({ lost: 0, unsent: 0 });
  });

  test('are refused with an answer, which no queue sees again', { timeout: WAIT }, async () => {
    queueAll();
    for (const command of ['iptables', 'ip6tables'] as const) {
      const notOurs = ['-m', 'mark', '!', '--mark', '0x6b73'];
      net[command](
        '-t',
        'mangle',
        '-A',
        'POSTROUTING',
        ...notOurs,
        '-o',
        'lan0',
        '-j',
        'NFQUEUE',
        '--queue-num',
        '0',
      );
    }
    await net.run({ mode: 'nfqueue', rules: RULES });
    for (const host of [SERVER, SERVER6]) {
      expect(net.tcp(net.client, host, 22)).toBe('ECONNREFUSED');
      expect(net.udp(net.client, host, 9)).toBe('ECONNREFUSED');
    }
    // Four packets and their answers; neighbour discovery of IPv6 may come in between.
    expect(await net.counts()).toMatchObject({ unsent: 0 });
  });

  test('for the machine itself meet the rules of input', { timeout: WAIT }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', rules: RULES });
    expect(net.ping(net.client, '10.0.0.1')).toBe(3);
    expect(net.ping(net.client, 'fd01::1')).toBe(3);
    expect(net.ping(net.server, '10.0.1.1')).toBe(0);
    expect(net.tcp(net.client, '10.0.0.1', 80)).toBe('silence');
  });

  test('pass in fragments as they came', { timeout: WAIT }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', rules: RULES });
    expect(net.ping(net.client, SERVER, 4000)).toBe(3);
    expect(net.ping(net.client, SERVER6, 4000)).toBe(3);
  });

  test('are translated where the router has its own address, and bulk data with them', {
    timeout: WAIT,
  }, async () => {
    net.iptables('-t', 'mangle', '-A', 'PREROUTING', '-i', 'wan0', '-j', 'NFQUEUE', '--queue-num', '1');
    net.iptables('-t', 'mangle', '-A', 'POSTROUTING', '-o', 'wan0', '-j', 'NFQUEUE', '--queue-num', '1');
    await net.run({ mode: 'nfqueue', rules: NAT, queues: [1] });
    expect(net.ping(net.client, SERVER)).toBe(3);
    expect(net.udp(net.client, SERVER, 53)).toBe('answer');
    const sha256 = expectedSha(10);
    expect(net.download(net.client, SERVER, 10)).toMatchObject({
      status: 0,
      sha256,
      from: '::ffff:10.0.1.1',
    });
    // Nobody listens at the client, which says so itself: the packet came there.
    expect(net.tcp(net.server, '10.0.1.1', 8080)).toBe('ECONNREFUSED');
    expect(net.tcp(net.server, '10.0.1.1', 8081)).toBe('ECONNREFUSED');
    expect((await net.counts()).lost).toBe(0);
  });

  test('bring their mark along and take another one back', { timeout: WAIT }, async () => {
    queueAll();
    net.iptables(
      '-t',
      'mangle',
      '-I',
      'PREROUTING',
      '-p',
      'udp',
      '--dport',
      '54',
      '-j',
      'MARK',
      '--set-mark',
      '7',
    );
    net.iptables('-t', 'mangle', '-A', 'FORWARD', '-m', 'mark', '!', '--mark', '5', '-j', 'DROP');
    await net.run({ mode: 'nfqueue', rules: MARKS });
    expect(net.udp(net.client, SERVER, 53)).toBe('answer');
    expect(net.udp(net.client, SERVER, 54)).toBe('silence');
    await net.run({ mode: 'nfqueue' });
    expect(net.udp(net.client, SERVER, 53)).toBe('silence');
  });

  test('are dropped once the process is killed, unless the rule lets them by', {
    timeout: WAIT,
  }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue' });
    expect(net.ping(net.client, SERVER)).toBe(3);
    await net.stop('SIGKILL');
    expect(net.ping(net.client, SERVER)).toBe(0);
    expect(net.ping(net.client, SERVER6)).toBe(0);
    net.flush();
    queueAll('--queue-bypass');
    expect(net.ping(net.client, SERVER)).toBe(3);
  });

  test('are counted as lost when there are too many, and the driver lives on', {
    timeout: WAIT,
  }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', slow: 2, maxlen: 64 });
    net.client.run(['ping', '-q', '-f', '-c', '3000', '-l', '1000', SERVER]);
    const { lost, received } = await net.counts();
    expect(lost).toBeGreaterThan(0);
    expect(received).toBeGreaterThan(0);
    expect(net.ping(net.client, SERVER)).toBe(3);
  });

  test('pass unseen when there are too many, if it was made to fail open', { timeout: WAIT }, async () => {
    queueAll();
    await net.run({ mode: 'nfqueue', slow: 20, maxlen: 8, failOpen: true });
    const { stdout } = net.client.run(['ping', '-q', '-f', '-c', '500', '-l', '100', '-W', '2', SERVER]);
    expect(Number(/(\d+) received/.exec(stdout)?.[1])).toBeGreaterThan(400);
  });

  test('belong to one process only', { timeout: WAIT }, async () => {
    await net.run({ mode: 'nfqueue', queues: [3] });
    await expect(net.startWorker({ mode: 'nfqueue', queues: [3] })).rejects.toThrow(
      'binding queue 3: another program has it',
    );
  });
});
