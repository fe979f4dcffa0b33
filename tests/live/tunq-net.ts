/**
 * client -- router -- server, for the modes in which a kernel routes; the driver runs in the router's namespace.
 *
 *     client eth0 10.0.0.2, fd01::2   lan0 router wan0   eth0 server 10.0.1.2, fd02::2
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Namespace, veth } from './namespace.ts';
import type { Task } from './tunq-worker.ts';

const WORKER = fileURLToPath(new URL('./tunq-worker.ts', import.meta.url));
const MIB = 1 << 20;

export const CLIENT = '10.0.0.2';
export const CLIENT6 = 'fd01::2';
export const SERVER = '10.0.1.2';
export const SERVER6 = 'fd02::2';
/** Programs that these tests need beside ip. */
export const PROGRAMS: readonly string[] = ['iptables', 'ip6tables', 'ping', 'curl', 'ethtool'];

/** Serves `/N`: N MiB by HTTP at ports 80 and 81, and tells who asked in a header; echoes UDP at 53. */
const SERVE = `
const { createServer } = require('node:http');
const mib = Buffer.alloc(${MIB});
for (let i = 0; i < mib.length; i++) mib[i] = (i * 7 + (i >> 8)) & 255;
const serve = (request, response) => {
  response.setHeader('x-from', request.socket.remoteAddress);
  let left = Number(request.url.slice(1));
  response.setHeader('content-length', left * mib.length);
  const more = () => { while (left > 0) { left--; if (!response.write(mib)) return; } response.end(); };
  response.on('drain', more);
  more();
};
let waiting = 4;
const up = () => { if (--waiting === 0) console.log('ready'); };
createServer(serve).listen(80, '::', up);
createServer(serve).listen(81, '::', up);
for (const type of ['udp4', 'udp6']) {
  const s = require('node:dgram').createSocket({ type, ipv6Only: type === 'udp6' });
  s.on('message', (m, from) => s.send(m, from.port, from.address));
  s.bind(53, up);
}`;

/** Sends a UDP packet and prints `answer`, the error, or `silence`. */
const ASK = `
const [host, port] = process.argv.slice(1);
const s = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
const end = (word) => { console.log(word); process.exit(0); };
s.on('message', () => end('answer')).on('error', (e) => end(e.code));
s.connect(Number(port), host, () => s.send('x'));
setTimeout(() => end('silence'), 1000);`;

/** Connects by TCP and prints `connected`, the error, or `silence`. */
const CONNECT = `
const [host, port] = process.argv.slice(1);
const s = require('node:net').connect(Number(port), host);
const end = (word) => { console.log(word); process.exit(0); };
s.on('connect', () => end('connected')).on('error', (e) => end(e.code));
setTimeout(() => end('silence'), 1000);`;

/** What a download brought. */
export interface Download {
  readonly status: number | null;
  readonly sha256: string;
  /** Address that the server saw. */
  readonly from: string;
}

/** The checksum of so many MiB as the server sends them. */
export function expectedSha(mebibytes: number): string {
  const mib = Buffer.alloc(MIB);
  for (let i = 0; i < MIB; i++) mib[i] = (i * 7 + (i >> 8)) & 255;
  const hash = createHash('sha256');
  for (let i = 0; i < mebibytes; i++) hash.update(mib);
  return hash.digest('hex');
}

async function ready(child: ChildProcess): Promise<void> {
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false }))
    if (String(chunk).includes('ready')) return;
  throw new Error(`it ended: ${text}`);
}

/** The three namespaces, with a server in one and, if started, a driver in the other. */
export class RoutedNet {
  readonly client: Namespace = new Namespace('c');
  readonly router: Namespace = new Namespace('r');
  readonly server: Namespace = new Namespace('s');
  private worker: ChildProcess | null = null;

  /** Makes the namespaces and starts the server. */
  static async make(): Promise<RoutedNet> {
    const net = new RoutedNet();
    try {
      await net.build();
      return net;
    } catch (error) {
      await net.close();
      throw error;
    }
  }

  private async build(): Promise<void> {
    const { client, router, server } = this;
    veth(client, 'eth0', router, 'lan0');
    veth(server, 'eth0', router, 'wan0');
    client.address('eth0', `${CLIENT}/24`, `${CLIENT6}/64`);
    server.address('eth0', `${SERVER}/24`, `${SERVER6}/64`);
    router.address('lan0', '10.0.0.1/24', 'fd01::1/64');
    router.address('wan0', '10.0.1.1/24', 'fd02::1/64');
    client.ip('route', 'add', 'default', 'via', '10.0.0.1');
    client.ip('-6', 'route', 'add', 'default', 'via', 'fd01::1');
    server.ip('route', 'add', 'default', 'via', '10.0.1.1');
    server.ip('-6', 'route', 'add', 'default', 'via', 'fd02::1');
    router.sysctl('net.ipv4.ip_forward', 1);
    router.sysctl('net.ipv6.conf.all.forwarding', 1);
    await ready(server.start(['node', '-e', SERVE], { stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  /** Starts a driver in the router, in place of the one before. */
  async run(task: Task): Promise<void> {
    await this.stop('SIGTERM');
    this.worker = await this.startWorker(task);
  }

  /** Starts another driver. @throws Error with its words if it ends before it is ready */
  async startWorker(task: Task): Promise<ChildProcess> {
    const options = ['--conditions=keepstate-source', '--import', 'tsx'];
    const argv = ['node', ...options, WORKER, JSON.stringify(task)];
    const worker = this.router.start(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    await ready(worker);
    return worker;
  }

  /** Ends the driver and waits until it is gone. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const { worker } = this;
    this.worker = null;
    if (worker === null || worker.exitCode !== null || worker.signalCode !== null) return;
    const ended = once(worker, 'exit');
    worker.kill(signal);
    await ended;
  }

  /** What the driver says that it did. */
  async counts(): Promise<{ received: number; sent: number; lost: number; unsent: number }> {
    const told = once(this.worker!.stdout!, 'data');
    this.worker!.kill('SIGUSR2');
    const [chunk] = (await told) as [Buffer];
    return JSON.parse(String(chunk));
  }

  /** `iptables` (or `ip6tables`) in the router. */
  iptables(...args: readonly string[]): void {
    this.router.exec('iptables', ...args);
  }

  ip6tables(...args: readonly string[]): void {
    this.router.exec('ip6tables', ...args);
  }

  /** Removes all rules of table mangle. */
  flush(): void {
    this.iptables('-t', 'mangle', '-F');
    this.ip6tables('-t', 'mangle', '-F');
  }

  /** How many of three pings came back. @param size bytes of payload */
  ping(from: Namespace, to: string, size = 56): number {
    const argv = ['ping', '-n', '-c', '3', '-i', '0.2', '-W', '1', '-s', String(size), to];
    return Number(/(\d+) received/.exec(from.run(argv).stdout)?.[1] ?? 0);
  }

  /** Asks by UDP. @returns `answer`, an errno name, or `silence` */
  udp(from: Namespace, to: string, port: number): string {
    return from.run(['node', '-e', ASK, to, String(port)]).stdout.trim();
  }

  /** Connects by TCP. @returns `connected`, an errno name, or `silence` */
  tcp(from: Namespace, to: string, port: number): string {
    return from.run(['node', '-e', CONNECT, to, String(port)]).stdout.trim();
  }

  /** Downloads from a server. @param host in a URL: IPv6 in brackets */
  download(from: Namespace, host: string, mebibytes: number, port = 80): Download {
    const url = `http://${host}:${port}/${mebibytes}`;
    const told = ['-w', '%{stderr}%header{x-from}'];
    const argv = ['netns', 'exec', from.name, 'curl', '-sS', '--max-time', '60', ...told, url];
    const { status, stdout, stderr } = spawnSync('ip', argv, { maxBuffer: 2 ** 30 });
    const sha256 = createHash('sha256').update(stdout).digest('hex');
    return { status, sha256, from: String(stderr) };
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.stop('SIGKILL');
    for (const space of [this.client, this.router, this.server]) space.close();
  }
}
