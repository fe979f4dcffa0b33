/** A fresh network namespace of the calling process with everything the oracle needs in it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { ConntrackTable, EventReader } from './ctnetlink.ts';
import { close, ioctl, openDevice, unshareNetwork } from './libc.ts';
import { LogReader } from './nflog.ts';
import { VerdictRules } from './ruleset.ts';
import type { CommandResult, KernelOptions } from './types.ts';

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const DEVICE_IN = 'ksin';
const DEVICE_OUT = 'ksout';
/** The largest MTU of a TUN device: nothing is refused or refragmented because of its size. */
const MTU = 65535;

/** These belong to the whole machine. */
const GLOBAL_SYSCTLS = new Set(['nf_conntrack_max', 'nf_conntrack_buckets', 'nf_conntrack_expect_max']);

/**
 * `default` counts for devices made later. Odd sources are let through as far as routing allows: 127/8 is, while
 * 0/8, multicast and broadcast sources are dropped behind PREROUTING, and link-local IPv6 sources in forwarding.
 */
const SYSCTLS: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv6.conf.all.forwarding', '1'],
  ['net.ipv6.conf.default.forwarding', '1'],
  ...['all', 'default'].flatMap((device): [string, string][] => [
    [`net.ipv4.conf.${device}.rp_filter`, '0'],
    [`net.ipv4.conf.${device}.accept_local`, '1'],
    [`net.ipv4.conf.${device}.route_localnet`, '1'],
    [`net.ipv4.conf.${device}.accept_source_route`, '1'],
    [`net.ipv4.conf.${device}.log_martians`, '0'],
    [`net.ipv6.conf.${device}.accept_dad`, '0'],
    [`net.ipv6.conf.${device}.accept_ra`, '0'],
    [`net.ipv6.conf.${device}.router_solicitations`, '0'],
    // 1: no link-local address, hence nothing to announce
    [`net.ipv6.conf.${device}.addr_gen_mode`, '1'],
  ]),
  // conntrack's remarks go to NFLOG group 0, for IPv4 (2) and IPv6 (10)
  ['net.netfilter.nf_log.2', 'nfnetlink_log'],
  ['net.netfilter.nf_log.10', 'nfnetlink_log'],
];

const LINKS: string = [
  `link set dev ${DEVICE_IN} mtu ${MTU} multicast off up`,
  `link set dev ${DEVICE_OUT} mtu ${MTU} multicast off up`,
  `route add 0.0.0.0/0 dev ${DEVICE_OUT}`,
  `route add ::/0 dev ${DEVICE_OUT}`,
  '',
].join('\n');

/** Runs a command in the namespace this process is in now. Throws if it cannot be started. */
export function runCommand(command: readonly string[], stdin = ''): CommandResult {
  const result = spawnSync(command[0]!, command.slice(1), {
    input: stdin,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (result.error) throw new Error(`${command[0]}: ${result.error.message}`);
  return { status: result.status ?? 128, stdout: result.stdout, stderr: result.stderr };
}

function mustRun(command: readonly string[], stdin: string): void {
  const { status, stderr } = runCommand(command, stdin);
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim() || `exit status ${status}`}`);
}

function sysctlPath(name: string): string {
  const full = name.startsWith('nf_conntrack_') ? `net.netfilter.${name}` : name;
  if (GLOBAL_SYSCTLS.has(full.slice(full.lastIndexOf('.') + 1))) throw new Error(`${name} is machine-global`);
  if (!full.startsWith('net.')) throw new Error(`sysctl ${name} does not belong to the network namespace`);
  return `/proc/sys/${full.replaceAll('.', '/')}`;
}

function openTun(name: string, nonBlocking: boolean): number {
  const fd = openDevice('/dev/net/tun', nonBlocking);
  const request = Buffer.alloc(40); // struct ifreq: name[16], flags u16
  request.write(name, 0, 'latin1');
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
  ioctl(fd, TUNSETIFF, request, `create TUN device ${name}`);
  return fd;
}

/** The namespace: descriptors and sockets made inside it. Only one at a time, the process is in it. */
export class Namespace {
  /** TUN device that packets are written to. */
  readonly input: number;
  /** TUN device they come out of; non-blocking. */
  readonly output: number;
  readonly log: LogReader;
  readonly rules: VerdictRules;
  readonly table: ConntrackTable;
  readonly events: EventReader | null;
  /** Values before the first change, to go back to. */
  private readonly original: Map<string, string> = new Map();

  /** Enters a new namespace and builds it up; throws with the step that failed. */
  constructor(options: KernelOptions) {
    unshareNetwork();
    for (const [name, value] of SYSCTLS) writeFileSync(sysctlPath(name), value);
    this.input = openTun(DEVICE_IN, false);
    this.output = openTun(DEVICE_OUT, true);
    // nft first: it need not understand the oracle's own table then.
    if (options.ruleset) mustRun(['nft', '-f', '-'], options.ruleset);
    this.log = new LogReader();
    this.rules = new VerdictRules(options.stages ?? false);
    this.table = new ConntrackTable();
    this.events = options.events ? new EventReader() : null;
    mustRun(['ip', '-batch', '-'], LINKS);
    this.configure(options.sysctls ?? {}, options.log ?? true);
  }

  /** Sets these sysctls, and all others it had changed back to what they were. */
  configure(sysctls: Readonly<Record<string, string | number>>, log: boolean): void {
    for (const [path, value] of this.original) writeFileSync(path, value);
    const wanted = { ...(log ? { nf_conntrack_log_invalid: 255 } : {}), ...sysctls };
    for (const [name, value] of Object.entries(wanted)) {
      const path = sysctlPath(name);
      if (!this.original.has(path)) this.original.set(path, readFileSync(path, 'latin1').trim());
      writeFileSync(path, String(value));
    }
  }

  /** Closes everything; the kernel takes the namespace down when the process leaves it. */
  close(): void {
    this.log.close();
    this.rules.close();
    this.table.close();
    this.events?.close();
    close(this.input);
    close(this.output);
  }
}
