// client -- router -- server: three network namespaces of our own, joined by two veth pairs.
//
//   client eth0            lan0 router wan0            eth0 server
//   192.0.2.10 ---------- 192.0.2.1  198.51.100.1 ---------- 198.51.100.80
//   2001:db8:1::10 ---- 2001:db8:1::1  2001:db8:2::1 ---- 2001:db8:2::80
//
// The addresses are those kept for documentation (RFC 5737, RFC 3849). The host's own interfaces, routes,
// sysctls and /etc are not touched: links are made inside the namespaces, and where a program insists on
// a file of /etc, the file is laid over it in the program's private mount namespace.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Outcome, outcomeOf, Program, type RunOptions, runHere, until } from './process.ts';
import { which } from './programs.ts';

/** A namespace of the topology. */
export type Host = 'client' | 'router' | 'server';

export const CLIENT4 = '192.0.2.10';
export const CLIENT6 = '2001:db8:1::10';
export const SERVER4 = '198.51.100.80';
export const SERVER6 = '2001:db8:2::80';
/** The router's addresses on the client's side: what errors such as TIME_EXCEEDED come from. */
export const ROUTER4 = '192.0.2.1';
export const ROUTER6 = '2001:db8:1::1';

/** `over`: files or folders that the program shall see in another place, as [what it sees, where it lies]. */
export type HostRunOptions = RunOptions & { readonly over?: readonly (readonly [string, string])[] };

/** A port a server listens on. */
export type Listening = { readonly proto: 'tcp' | 'udp'; readonly port: number; readonly family?: 4 | 6 };

const HOSTS: readonly Host[] = ['client', 'router', 'server'];
const living = new Set<Network>();
let serial = 0;

/** One topology, alive until `destroy()`. */
export class Network {
  /** Temporary folder for configurations, keys and pages; removed with the network. World-readable. */
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keepstate-real-'));
  readonly #prefix = `ks${process.pid}-${serial++}-`;
  readonly #programs: Program[] = [];
  #destroyed: Promise<void> | undefined;

  /**
   * Makes the namespaces, links, addresses and routes.
   * @throws Error with the failing command's text; nothing is left behind then.
   */
  static async create(): Promise<Network> {
    tidyUpOnExit();
    const network = new Network();
    living.add(network);
    try {
      await network.#build();
      return network;
    } catch (error) {
      await network.destroy();
      throw error;
    }
  }

  /** The namespace's name as `ip netns` knows it; unique for process and network. */
  namespace(host: Host): string {
    return this.#prefix + host;
  }

  /** A path in the temporary folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts a program in a namespace; it ends with the network at the latest. */
  start(host: Host, argv: readonly string[], options: HostRunOptions = {}): Program {
    const enter = ['ip', 'netns', 'exec', this.namespace(host)];
    const over = (options.over ?? []).map(([seen, lies]) => `mount --bind '${lies}' '${seen}' && `).join('');
    // `ip netns exec` gives the program its own mount namespace that passes nothing on to the host.
    const shell = over === '' ? [] : ['sh', '-c', `${over}exec "$@"`, 'sh'];
    const program = new Program(
      [...enter, ...shell, which(argv[0]) ?? argv[0], ...argv.slice(1)],
      options.input,
    );
    this.#programs.push(program);
    return program;
  }

  /** Runs a program in a namespace to its end. @throws as `outcomeOf`. */
  run(host: Host, argv: readonly string[], options: HostRunOptions = {}): Promise<Outcome> {
    return outcomeOf(this.start(host, argv, options), options);
  }

  /** Starts a server and waits until it listens. @throws Error with its words when it ends instead. */
  async serve(
    host: Host,
    argv: readonly string[],
    ports: readonly Listening[],
    options: HostRunOptions = {},
  ): Promise<Program> {
    const program = this.start(host, argv, options);
    await until(`${argv[0]} to listen`, () => {
      if (!program.running) throw new Error(program.describe('ended instead of listening'));
      return this.#isInside(host, program) && ports.every((port) => isListening(program, port));
    });
    return program;
  }

  /** Ends all programs, then removes the namespaces (and with them the links) and the folder. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#endAll();
    return this.#destroyed;
  }

  async #endAll(): Promise<void> {
    for (const program of this.#programs) program.signal('SIGKILL');
    await Promise.all(this.#programs.map((program) => program.ended));
    this.destroyNow();
  }

  /** The same without waiting for the programs, for the moment this process ends. */
  destroyNow(): void {
    if (!living.delete(this)) return;
    for (const program of this.#programs) program.signal('SIGKILL');
    this.#remove();
  }

  #remove(): void {
    for (const host of HOSTS) spawnSync('ip', ['netns', 'del', this.namespace(host)], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #build(): Promise<void> {
    await runHere(['chmod', '755', this.folder]);
    await ip(HOSTS.map((host) => `netns add ${this.namespace(host)}`));
    await ip(
      [
        `link add lan0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:10 netns ${this.namespace('client')}`,
        `link add wan0 address 02:00:00:00:02:01 type veth peer name eth0 address 02:00:00:00:02:80 netns ${this.namespace('server')}`,
      ],
      this.namespace('router'),
    );
    await Promise.all([
      this.#setUp('client', ['eth0'], ENDS.client),
      this.#setUp('router', ['lan0', 'wan0'], ENDS.router),
      this.#setUp('server', ['eth0'], ENDS.server),
    ]);
  }

  async #setUp(host: Host, links: readonly string[], commands: readonly string[]): Promise<void> {
    // Forwarding needs no more than this; rate limits would make errors a matter of luck.
    const settings = ['ipv4/icmp_ratelimit 0', 'ipv6/icmp/ratelimit 0'];
    if (host === 'router') settings.push('ipv4/ip_forward 1', 'ipv6/conf/all/forwarding 1');
    // Reports of multicast membership would turn up at random times.
    for (const link of links) settings.push(`ipv6/conf/${link}/mldv2_unsolicited_report_interval 3600000`);
    const script = settings.map((setting) => {
      const [key, value] = setting.split(' ');
      return `echo ${value} > /proc/sys/net/${key}`;
    });
    // As on a wire: real checksums and no packet above the MTU.
    for (const link of links) script.push(`ethtool -K ${link} tx off sg off tso off gso off gro off >&2`);
    await this.run(host, ['sh', '-ec', script.join('\n')]);
    // No link-local address of its own making, hence no router solicitations in between.
    const up = ['lo', ...links].map((link) => `link set ${link} addrgenmode none up`);
    await ip([...up, ...commands], this.namespace(host));
  }

  #isInside(host: Host, program: Program): boolean {
    const inode = statSync(`/run/netns/${this.namespace(host)}`).ino;
    try {
      return readlinkSync(`/proc/${program.child.pid}/ns/net`) === `net:[${inode}]`;
    } catch {
      return false; // it has just ended, which the caller will see
    }
  }
}

const ENDS: Readonly<Record<Host, readonly string[]>> = {
  client: [
    `addr add ${CLIENT4}/24 dev eth0`,
    `addr add ${CLIENT6}/64 dev eth0 nodad`,
    `route add default via ${ROUTER4}`,
    `route add ::/0 via ${ROUTER6}`,
  ],
  router: [
    `addr add ${ROUTER4}/24 dev lan0`,
    `addr add ${ROUTER6}/64 dev lan0 nodad`,
    // For a forwarded packet the kernel asks for the neighbour from a link-local address or not at all.
    'addr add fe80::1/64 dev lan0 nodad',
    'addr add fe80::2/64 dev wan0 nodad',
    'addr add 198.51.100.1/24 dev wan0',
    'addr add 2001:db8:2::1/64 dev wan0 nodad',
  ],
  server: [
    `addr add ${SERVER4}/24 dev eth0`,
    `addr add ${SERVER6}/64 dev eth0 nodad`,
    'route add default via 198.51.100.1',
    'route add ::/0 via 2001:db8:2::1',
  ],
};

/** Runs many `ip` commands at once, in a namespace or on the host. @throws Error with ip's words. */
async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await runHere(['ip', ...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** /proc/PID/net shows the sockets of that process's namespace: no program has to be run to ask. */
function isListening(program: Program, port: Listening): boolean {
  const file = port.proto + (port.family === 6 ? '6' : '');
  const hex = port.port.toString(16).toUpperCase().padStart(4, '0');
  const LISTEN = '0A';
  return readFileSync(`/proc/${program.child.pid}/net/${file}`, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some((column) => column[1]?.endsWith(`:${hex}`) && (port.proto === 'udp' || column[3] === LISTEN));
}

let watching = false;

/** Once per process: whatever ends it, the namespaces that still live are removed. */
function tidyUpOnExit(): void {
  if (watching) return;
  watching = true;
  const all = (): void => {
    for (const network of living) network.destroyNow();
  };
  process.once('exit', all);
  for (const [name, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(name, () => {
      all();
      process.exit(128 + number);
    });
  }
}
