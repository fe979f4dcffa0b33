/** The bridge driver with real programs of this machine on both sides, in namespaces, offloads on as they come. */
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { udpPacket } from '@keepstate/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BridgeWork } from './bridge-worker.ts';
import { Namespace, namespacesUsable, veth } from './namespace.ts';
import { bodyHash } from './server-worker.ts';
import { Worker } from './worker.ts';

const TWO_HUNDRED_MB = 200_000_000;
const PORT = 8080;
/** To all, of a private ethertype (IEEE 802, local experimental). */
const OTHER_FRAME: string = `${'ff'.repeat(6)}02000000000188b5${'00'.repeat(46)}`;

/** A table of rules that forwarded packets meet. */
function filter(...rules: readonly string[]): string {
  const lines = ['type filter hook forward priority 0', ...rules];
  return `table inet f {\nchain c {\n${lines.join('\n')}\n}\n}\n`;
}

/** Two hosts with a bridge between, and a server on the second. */
class Pair {
  readonly client: Namespace = new Namespace('client');
  readonly middle: Namespace = new Namespace('middle');
  readonly server: Namespace = new Namespace('server');
  private bridge: Worker | null = null;

  constructor() {
    veth(this.client, 'eth0', this.middle, 'left');
    veth(this.server, 'eth0', this.middle, 'right');
    this.client.address('eth0', '10.9.0.1/24', 'fd00::1/64');
    this.server.address('eth0', '10.9.0.2/24', 'fd00::2/64');
  }

  async serve(): Promise<void> {
    await Worker.start(this.server, 'server-worker.ts', String(PORT));
  }

  /** Starts another bridge in place of the one before. */
  async start(work: Omit<BridgeWork, 'devices'> & Partial<BridgeWork>): Promise<Worker> {
    await this.bridge?.close();
    this.bridge = await Worker.start(
      this.middle,
      'bridge-worker.ts',
      JSON.stringify({ devices: ['left', 'right'], ...work }),
    );
    return this.bridge;
  }

  /** Share of pings that were answered. */
  ping(to: string, ...options: readonly string[]): number {
    const { stdout } = this.client.run(['ping', '-i', '0.05', '-c', '4', '-W', '1', ...options, to]);
    const [, answered] = /(\d+) received/.exec(stdout)!;
    return Number(answered) / 4;
  }

  /** As {@link ping}, once the hosts have found each other's hardware addresses, for which they may take a while. */
  pingFound(to: string): number {
    for (let tries = 0; tries < 20 && this.ping(to) < 1; tries++);
    return this.ping(to);
  }

  /** Gets a body from the server. @returns curl's exit code, and the SHA-256 of what came */
  async get(url: string, ...options: readonly string[]): Promise<{ status: number | null; hash: string }> {
    const child = this.client.start(['curl', '-s', '-g', '-m', '60', ...options, url]);
    const hash = createHash('sha256');
    child.stdout!.on('data', (chunk: Buffer) => hash.update(chunk));
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { status, hash: hash.digest('hex') };
  }

  /** Sends a UDP packet to the server and waits for it to come back. */
  echo(to: string, port: number, text: string): string {
    const script = `
      const socket = require('dgram').createSocket('udp4');
      socket.on('message', (message) => { console.log(String(message)); process.exit(); });
      socket.on('error', (error) => { console.log(error.code); process.exit(); });
      socket.connect(${port}, '${to}', () => socket.send('${text}'));
      setTimeout(() => process.exit(), 1000);`;
    return this.client.run([process.execPath, '-e', script]).stdout.trim();
  }

  mac(space: Namespace): string {
    return (JSON.parse(space.ip('-j', 'link', 'show', 'eth0')) as [{ address: string }])[0].address;
  }

  close(): void {
    for (const space of [this.client, this.middle, this.server]) space.close();
  }
}

/** Times out, as packets that nobody answers do. */
const CURL_TIMEOUT = 28;
const CURL_REFUSED = 7;

const usable = namespacesUsable(['curl', 'ping', 'ethtool']);

describe.skipIf(!usable)('a bridge between two hosts', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = new Pair();
    await pair.serve();
  });
  afterAll(() => pair.close());

  test('carries nothing before it is started', () => {
    expect(pair.ping('10.9.0.2')).toBe(0);
  });

  test('carries ping and UDP of both families, and finds out addresses through it', async () => {
    await pair.start({});
    expect(pair.pingFound('10.9.0.2')).toBe(1);
    expect(pair.pingFound('fd00::2')).toBe(1);
    expect(pair.echo('10.9.0.2', PORT, 'there and back')).toBe('there and back');
  });

  test('carries a download of 200 MB without a wrong byte, in packets as large as the sender makes them', async () => {
    await pair.start({});
    const { status, hash } = await pair.get(`http://10.9.0.2:${PORT}/${TWO_HUNDRED_MB}`);
    expect(status).toBe(0);
    expect(hash).toBe(bodyHash(TWO_HUNDRED_MB));
    expect((await pair.get(`http://[fd00::2]:${PORT}/9999999`)).hash).toBe(bodyHash(9_999_999));
  });

  test('keeps back what the judge drops, and carries the rest', async () => {
    await pair.start({ dropPort: PORT });
    expect((await pair.get(`http://10.9.0.2:${PORT}/10`, '-m', '1')).status).toBe(CURL_TIMEOUT);
    expect(pair.echo('10.9.0.2', PORT, 'lost')).toBe('');
    expect(pair.ping('10.9.0.2')).toBe(1);
  });

  test('carries fragments that a firewall put together and took apart again', async () => {
    await pair.start({
      rules: filter('ct state invalid drop'),
    });
    expect(pair.ping('10.9.0.2', '-s', '4000')).toBe(1);
    expect(pair.ping('10.9.0.2', '-s', '30000')).toBe(1);
  });

  test('rewrites addresses of packets whose checksums the sender left to the network card', async () => {
    await pair.start({
      rules: `table ip n {
        chain pre {
          type nat hook prerouting priority dstnat
          ip daddr 10.9.0.9 dnat to 10.9.0.2
        }
        chain post {
          type nat hook postrouting priority srcnat
          ip saddr 10.9.0.1 snat to 10.9.0.77
        }
      }`,
    });
    // On the next cable nothing is left to others, so the sums are finished, and looked at where packets come in.
    for (const device of ['left', 'right']) pair.middle.exec('ethtool', '-K', device, 'tx', 'off');
    pair.client.ip('neigh', 'replace', '10.9.0.9', 'lladdr', pair.mac(pair.server), 'dev', 'eth0');
    pair.server.ip('neigh', 'replace', '10.9.0.77', 'lladdr', pair.mac(pair.client), 'dev', 'eth0');
    const { status, hash } = await pair.get(`http://10.9.0.9:${PORT}/${TWO_HUNDRED_MB}`);
    expect(status).toBe(0);
    expect(hash).toBe(bodyHash(TWO_HUNDRED_MB));
    expect(pair.echo('10.9.0.9', PORT, 'translated')).toBe('translated');
    // The other way: the client's own large packets are rewritten.
    const upload = `head -c 20000000 /dev/zero | curl -s -m 30 --data-binary @- http://10.9.0.9:${PORT}/`;
    const { stdout } = await pair.client.runAsync(['bash', '-c', upload]);
    expect(stdout).toBe(createHash('sha256').update(Buffer.alloc(20_000_000)).digest('hex'));
  });

  test('sends what the firewall answers back to the sender', async () => {
    await pair.start({
      rules: filter(`tcp dport ${PORT} reject with tcp reset`, `udp dport ${PORT} reject`),
    });
    expect((await pair.get(`http://10.9.0.2:${PORT}/10`)).status).toBe(CURL_REFUSED);
    expect((await pair.get(`http://[fd00::2]:${PORT}/10`)).status).toBe(CURL_REFUSED);
    expect(pair.echo('10.9.0.2', PORT, 'refused')).toBe('ECONNREFUSED');
  });

  test('judges packets in VLAN tags, and gives the tags back', async () => {
    await pair.start({ dropPort: PORT });
    const tagged = (tags: string, port: number): string => {
      const udp = udpPacket({ src: '10.9.0.1', dst: '10.9.0.2', sport: 5, dport: port });
      return `${'ff'.repeat(6)}020000000001${tags}0800${Buffer.from(udp).toString('hex')}`;
    };
    const inner = '8100e007';
    const outer = '88a80009';
    const frames = [inner, outer + inner, inner + inner + inner].flatMap((tags) => [
      tagged(tags, PORT),
      tagged(tags, 7),
    ]);
    const dump = pair.server.start([
      'tcpdump',
      '-n',
      '-i',
      'eth0',
      '-xx',
      '-c',
      '4',
      'ether[0:4] = 0xffffffff',
    ]);
    const seen = text(dump.stdout!);
    await new Promise((resolve) => dump.stderr!.once('data', resolve));
    const worker = fileURLToPath(new URL('frame-worker.ts', import.meta.url));
    const argv = ['--conditions=keepstate-source', '--import', 'tsx', worker, 'eth0', ...frames, OTHER_FRAME];
    pair.client.run([process.execPath, ...argv]);
    await new Promise((resolve) => dump.once('close', resolve));
    const hex = (await seen).replace(/^\s+0x\w+:|^\S.*$/gm, '').replace(/\s/g, '');
    // Each packet to the other port, tags and all, and then the one that is not IP.
    expect(hex).toBe([frames[1], frames[3], frames[5], OTHER_FRAME].join(''));
  });

  test('counts frames that the next cable is too narrow for', async () => {
    const bridge = await pair.start({});
    pair.middle.ip('link', 'set', 'right', 'mtu', '1000');
    expect(pair.ping('10.9.0.2', '-s', '1200', '-M', 'do')).toBe(0);
    pair.middle.ip('link', 'set', 'right', 'mtu', '1500');
    expect(JSON.parse(await bridge.ask())).toMatchObject({ unsent: 4, lost: 0 });
    expect(pair.ping('10.9.0.2', '-s', '1200', '-M', 'do')).toBe(1);
  });

  test('goes on when a device was down, and when it was removed and came again', async () => {
    await pair.start({});
    expect(pair.ping('10.9.0.2')).toBe(1);
    pair.middle.ip('link', 'set', 'right', 'down');
    expect(pair.ping('10.9.0.2')).toBe(0);
    pair.middle.ip('link', 'set', 'right', 'up');
    expect(pair.ping('10.9.0.2')).toBe(1);

    pair.middle.ip('link', 'del', 'right');
    expect(pair.ping('10.9.0.2')).toBe(0);
    veth(pair.server, 'eth0', pair.middle, 'right');
    pair.server.address('eth0', '10.9.0.2/24', 'fd00::2/64');
    pair.client.ip('neigh', 'flush', 'dev', 'eth0');
    expect(pair.ping('10.9.0.2')).toBe(1);
  });

  test('carries nothing when its process is gone', async () => {
    const bridge = await pair.start({});
    expect(pair.ping('10.9.0.2')).toBe(1);
    await bridge.kill();
    expect(pair.ping('10.9.0.2')).toBe(0);
  });
});

/** Three hosts around a bridge. */
class Star {
  readonly middle: Namespace = new Namespace('middle');
  readonly hosts: readonly Namespace[] = [1, 2, 3].map((host) => new Namespace(`host${host}`));

  constructor() {
    for (const [i, host] of this.hosts.entries()) {
      veth(host, 'eth0', this.middle, `port${i + 1}`);
      host.address('eth0', `10.9.0.${i + 1}/24`);
    }
  }

  /** Addresses of the hosts whose pings came to a host, while something went on. */
  async pinged(host: number, during: () => void, filter = 'icmp[0] = 8'): Promise<readonly string[]> {
    const dump = this.hosts[host - 1]!.start(['tcpdump', '-n', '-l', '-i', 'eth0', filter]);
    const seen = text(dump.stdout!);
    await new Promise((resolve) => dump.stderr!.once('data', resolve));
    during();
    await new Promise((resolve) => setTimeout(resolve, 200));
    dump.kill('SIGINT');
    return [...(await seen).matchAll(/IP (\S+) >/g)].map(([, from]) => from!);
  }

  ping(from: number, to: string): void {
    this.hosts[from - 1]!.run(['ping', '-c', '2', '-i', '0.1', '-W', '1', '-b', to]);
  }

  close(): void {
    for (const space of [this.middle, ...this.hosts]) space.close();
  }
}

describe.skipIf(!usable)('a bridge between three hosts', () => {
  let star: Star;
  let bridge: Worker | null = null;
  beforeAll(() => {
    star = new Star();
  });
  afterAll(() => star.close());

  async function start(work: Partial<BridgeWork> = {}): Promise<void> {
    await bridge?.close();
    const devices = ['port1', 'port2', 'port3'];
    bridge = await Worker.start(star.middle, 'bridge-worker.ts', JSON.stringify({ devices, ...work }));
  }

  test('takes packets only to where their station is, once it has spoken', async () => {
    await start();
    star.ping(1, '10.9.0.2');
    star.ping(3, '10.9.0.1');
    expect(await star.pinged(2, () => star.ping(1, '10.9.0.2'))).toEqual(['10.9.0.1', '10.9.0.1']);
    expect(await star.pinged(3, () => star.ping(1, '10.9.0.2'))).toEqual([]);
    expect(await star.pinged(1, () => star.ping(3, '10.9.0.1'))).toEqual(['10.9.0.3', '10.9.0.3']);
  });

  test('takes a broadcast to all others, and never back', async () => {
    await start();
    const all = '10.9.0.255';
    expect(await star.pinged(2, () => star.ping(1, all))).toEqual(['10.9.0.1', '10.9.0.1']);
    expect(await star.pinged(3, () => star.ping(1, all))).toEqual(['10.9.0.1', '10.9.0.1']);
    // Its own two, as they leave.
    expect(await star.pinged(1, () => star.ping(1, all))).toEqual(['10.9.0.1', '10.9.0.1']);
  });

  test('asks for each device by which a broadcast would leave', async () => {
    await start({ rules: filter('oif port3 drop') });
    const all = '10.9.0.255';
    expect(await star.pinged(2, () => star.ping(1, all))).toEqual(['10.9.0.1', '10.9.0.1']);
    expect(await star.pinged(3, () => star.ping(1, all))).toEqual([]);
  });

  test('takes the fragments of a multicast packet to all others, each once', async () => {
    await start({ rules: filter('ct state invalid drop') });
    const large = (): void => {
      const argv = [
        'ping',
        '-c',
        '2',
        '-i',
        '0.1',
        '-W',
        '1',
        '-s',
        '3000',
        '-M',
        'dont',
        '-I',
        'eth0',
        '239.1.2.3',
      ];
      star.hosts[0]!.run(argv);
    };
    const six = Array.from({ length: 6 }, () => '10.9.0.1');
    for (const host of [2, 3]) expect(await star.pinged(host, large, 'icmp')).toEqual(six);
  });
});
