import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { type Driver, DriverError } from './driver.ts';
import { declare, errnoName, lastErrno } from './libc.ts';

const capget: (header: Uint8Array, data: Uint8Array) => number = declare(
  'int capget(void *header, void *data)',
);
const capset: (header: Uint8Array, data: Uint8Array) => number = declare(
  'int capset(void *header, void *data)',
);
const prctl: (option: number, a: number, b: number, c: number, d: number) => number = declare(
  'int prctl(int option, ulong a, ulong b, ulong c, ulong d)',
);
const execv = koffi.load('libc.so.6').func('int execv(const char *path, const char **argv)') as (
  path: string,
  argv: readonly (string | null)[],
) => number;

const fcntl: (fd: number, command: number, value: number) => number = declare(
  'int fcntl(int fd, int command, long value)',
);

/** CAP_NET_ADMIN: devices, queues, the kernel's connection tracking. */
export const CAP_NET_ADMIN = 12;
/** CAP_NET_RAW: packet sockets and raw sockets. */
export const CAP_NET_RAW = 13;

/** _LINUX_CAPABILITY_VERSION_3: sets of 64 bits, in two halves. */
const VERSION_3 = 0x20080522;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const F_SETFD = 2;
/** More than the kernel has. */
const MOST_CAPABILITIES = 64;
/** All that keepstate keeps. Both are in the lower half. */
const KEPT: number = (1 << CAP_NET_ADMIN) | (1 << CAP_NET_RAW);
/** Set for the process that was started anew with fewer capabilities. */
const RESTARTED = 'KEEPSTATE_RESTRICTED';

/** What drivers need, and what for. */
const NEEDS: Readonly<Record<Driver['mode'], readonly (readonly [capability: number, what: string])[]>> = {
  bridge: [
    [CAP_NET_RAW, 'opening packet sockets'],
    [CAP_NET_ADMIN, 'giving packet sockets room and switching devices to promiscuous mode'],
  ],
  capture: [
    [CAP_NET_RAW, 'opening a packet socket'],
    [CAP_NET_ADMIN, 'giving the packet socket room for long packets'],
  ],
  tun: [[CAP_NET_ADMIN, 'opening a TUN device']],
  nfqueue: [
    [CAP_NET_ADMIN, 'binding a queue of the kernel'],
    [CAP_NET_RAW, 'sending answers (reject) by a raw socket'],
  ],
};

function nameOf(capability: number): string {
  return capability === CAP_NET_ADMIN ? 'CAP_NET_ADMIN' : 'CAP_NET_RAW';
}

/** Header and data of capget and capset, and a view over the data: effective, permitted, inheritable; then upper halves. */
function structures(): { header: Uint8Array; data: Uint8Array; view: DataView } {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, VERSION_3, true);
  const data = new Uint8Array(24);
  return { header, data, view: new DataView(data.buffer) };
}

/** Whether the calling thread may use a capability now. */
export function hasCapability(capability: number): boolean {
  const { header, data, view } = structures();
  if (capget(header, data) < 0) return false;
  return ((view.getUint32(capability < 32 ? 0 : 12, true) >>> (capability & 31)) & 1) === 1;
}

/**
 * What a driver needs and this process has not.
 * @returns a sentence for each, as "opening packet sockets needs CAP_NET_RAW"
 */
export function missingCapabilities(mode: Driver['mode']): string[] {
  return NEEDS[mode]
    .filter(([capability]) => !hasCapability(capability))
    .map(([capability, what]) => `${what} needs ${nameOf(capability)}`);
}

/**
 * Capabilities of every thread of this process, as /proc/self/task/N/status has them.
 * @returns permitted sets as hexadecimal numbers, one for each thread
 */
export function permittedByThread(): string[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      const status = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
      return [/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'];
    } catch {
      return []; // it has ended
    }
  });
}

/** Whether every thread has no more than CAP_NET_ADMIN and CAP_NET_RAW. */
export function isRestricted(): boolean {
  return permittedByThread().every((set) => (BigInt(`0x${set}`) & ~BigInt(KEPT)) === 0n);
}

/**
 * Gives up all capabilities but CAP_NET_ADMIN and CAP_NET_RAW, for ever: also programs that are started from now on get
 * no others. This is so of the calling thread and of those that it starts from now on. Those that Node started before
 * (V8's and libuv's) keep what they have, since Linux has capabilities by thread: see {@link restrictProcess}.
 * @throws DriverError if the kernel refuses
 */
export function dropCapabilities(): void {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) refused('giving up privileges');
  // Needs CAP_SETPCAP; without it there is nothing to be gained from the set, as privileges can no longer grow.
  for (let capability = 0; capability < MOST_CAPABILITIES; capability++)
    if (((KEPT >>> capability) & 1) === 0 || capability > 31)
      if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) === 1) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const { header, data, view } = structures();
  if (capget(header, data) < 0) refused('reading capabilities');
  const kept = view.getUint32(4, true) & KEPT;
  data.fill(0);
  for (const set of [0, 4, 8]) view.setUint32(set, kept, true);
  if (capset(header, data) < 0) refused('giving up capabilities');
}

/**
 * Sees to it that no thread of this process has other capabilities than CAP_NET_ADMIN and CAP_NET_RAW, from now on. If
 * one has, the calling thread gives them up and the program is started anew in its place: same process id, arguments,
 * environment and standard streams, but new threads, which have what the calling one had. To be called first of all.
 * @returns if nothing was to be done; never after it did something
 * @throws DriverError if the kernel refuses
 */
export function restrictProcess(): void {
  if (isRestricted()) {
    dropCapabilities();
    return;
  }
  if (process.env[RESTARTED] === String(process.pid))
    throw new DriverError('giving up capabilities: some came back');
  dropCapabilities();
  // A program started by root gets what may be had; by anybody else, what is ambient.
  for (const capability of [CAP_NET_ADMIN, CAP_NET_RAW])
    if (hasCapability(capability)) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  process.env[RESTARTED] = String(process.pid);
  // Node has its standard streams closed on exec.
  for (const fd of [0, 1, 2]) fcntl(fd, F_SETFD, 0);
  execv(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1), null]);
  refused('starting anew with fewer capabilities');
}

function refused(what: string): never {
  throw new DriverError(`${what}: ${errnoName(lastErrno())}`);
}
