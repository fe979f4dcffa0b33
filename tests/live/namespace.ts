/** Network namespaces with veth pairs between them, for tests with real programs. Needs root; no shell is run. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

let made = 0;

/** What a command in a namespace printed, and how it ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why namespaces cannot be made here, or null if they can. */
export function namespacesUnavailable(programs: readonly string[] = []): string | null {
  if (process.platform !== 'linux') return 'live tests need Linux';
  if (process.getuid?.() !== 0) return 'live tests need root';
  const name = `ks-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return 'live tests need `ip netns add` to work';
  spawnSync('ip', ['netns', 'del', name]);
  for (const program of programs) {
    if (spawnSync('which', [program]).status !== 0) return `live tests need ${program}`;
  }
  return null;
}

/**
 * For `describe.skipIf(!namespacesUsable(['curl']))`: true if live tests can run here. If they cannot, prints why and
 * returns false, but throws when CI=true, where nothing may be skipped.
 */
export function namespacesUsable(programs: readonly string[] = []): boolean {
  const reason = namespacesUnavailable(programs);
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

function command(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

/** A network namespace with a name of its own; `lo` is up. {@link close} ends what runs in it and removes it. */
export class Namespace {
  readonly name: string;
  private readonly children: Set<ChildProcess> = new Set();

  /** @param label part of its name, for people who look at `ip netns` */
  constructor(label: string) {
    this.name = `ks-${process.pid}-${made++}-${label}`;
    command('ip', ['netns', 'add', this.name]);
    this.ip('link', 'set', 'lo', 'up');
    // Without it each device talks to the others of itself (router solicitations, MLD) at random moments.
    this.sysctl('net.ipv6.conf.default.router_solicitations', 0);
  }

  /** `ip -n NAMESPACE …`. @returns stdout; throws with what it said on stderr */
  ip(...args: readonly string[]): string {
    return command('ip', ['-n', this.name, ...args]);
  }

  /** A program in the namespace, waited for. @returns stdout; throws if it fails */
  exec(program: string, ...args: readonly string[]): string {
    return command('ip', ['netns', 'exec', this.name, program, ...args]);
  }

  /** A program in the namespace, waited for, however it ends. @param timeout ms after which it is killed */
  run(argv: readonly string[], input = '', timeout = 60_000): Ran {
    const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', this.name, ...argv], {
      encoding: 'utf8',
      input,
      timeout,
      maxBuffer: 2 ** 30,
    });
    return { status, stdout, stderr };
  }

  /** The same without keeping this process from its event loop, so that a driver can run in it. */
  async runAsync(argv: readonly string[], timeout = 60_000): Promise<Ran> {
    const child = this.start(argv);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return { status, stdout, stderr };
  }

  /** Starts a program in the namespace. `ip netns exec` becomes the program, so a signal to the child reaches it. */
  start(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, ...argv], options);
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Sets a sysctl in the namespace. */
  sysctl(name: string, value: number | string): void {
    this.exec('sysctl', '-qw', `${name}=${value}`);
  }

  /** Gives a device addresses (`10.0.0.1/24`); IPv6 ones are usable at once. */
  address(device: string, ...addresses: readonly string[]): void {
    for (const address of addresses) {
      const more = address.includes(':') ? ['nodad'] : [];
      this.ip('addr', 'add', address, 'dev', device, ...more);
    }
  }

  /** Kills what was started here and removes the namespace, and with it its devices. */
  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
    command('ip', ['netns', 'del', this.name]);
  }
}

/** Switches offloads of a device off: no checksum left out, no packet longer than the MTU. */
export function offloadsOff(space: Namespace, device: string): void {
  const off = ['tx', 'rx', 'sg', 'tso', 'gso', 'gro', 'rxvlan', 'txvlan'].flatMap((name) => [name, 'off']);
  space.run(['ethtool', '-K', device, ...off]);
}

/** Lays a cable, up at both ends: `veth(a, 'eth0', b, 'left')`. */
export function veth(a: Namespace, deviceA: string, b: Namespace, deviceB: string): void {
  const peer = ['type', 'veth', 'peer', 'name', deviceB, 'netns', b.name];
  a.ip('link', 'add', deviceA, ...peer);
  a.ip('link', 'set', deviceA, 'up');
  b.ip('link', 'set', deviceB, 'up');
}
