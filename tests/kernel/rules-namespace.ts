/** The namespace of the ruleset oracle: a router between two TUN devices, and rules that watch the ends of hooks. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { ConntrackTable } from './ctnetlink.ts';
import { ExpectTable } from './expect-table.ts';
import { close, ioctl, openDevice, unshareNetwork } from './libc.ts';
import { KernelLog, LibNft, rawSocket } from './rules-libc.ts';
import { LINKS } from './rules-namespace-links.ts';
import { Tables } from './rules-netlink.ts';
import { GROUP_PASSED, GROUP_STATE, HOOKS, RuleLogReader } from './rules-nflog.ts';
import type { Tables as FlowTables, RuleKernelOptions, Source, StepResult } from './rules-types.ts';

const sleeper = new Int32Array(new SharedArrayBuffer(4));

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;

const SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv6.conf.default.forwarding': '1',
  ...Object.fromEntries(
    ['all', 'default'].flatMap((device): [string, string][] => [
      [`net.ipv4.conf.${device}.rp_filter`, '0'],
      [`net.ipv4.conf.${device}.accept_local`, '1'],
      [`net.ipv4.conf.${device}.send_redirects`, '0'],
      [`net.ipv4.conf.${device}.log_martians`, '0'],
      [`net.ipv6.conf.${device}.accept_dad`, '0'],
      [`net.ipv6.conf.${device}.accept_ra`, '0'],
      [`net.ipv6.conf.${device}.router_solicitations`, '0'],
      [`net.ipv6.conf.${device}.addr_gen_mode`, '1'],
      [`net.ipv6.conf.${device}.mldv2_unsolicited_report_interval`, '1'],
    ]),
  ),
  // ct bytes and connbytes switch it on by themselves, and off never again.
  'net.netfilter.nf_conntrack_acct': '1',
  // Every REJECT is answered: no token buckets in front of ICMP.
  'net.ipv4.icmp_ratelimit': '0',
  'net.ipv4.icmp_msgs_per_sec': '100000',
  'net.ipv4.icmp_msgs_burst': '100000',
  'net.ipv6.icmp.ratelimit': '0',
  // What is left of a datagram is given up with an ICMP error, which would fall into a later ruleset's counters.
  'net.ipv4.ipfrag_time': '3600',
  'net.ipv6.ip6frag_time': '3600',
  'net.netfilter.nf_conntrack_frag6_timeout': '3600',
  // The host's own packets would have a flow label drawn at random.
  'net.ipv6.auto_flowlabels': '0',
};

/**
 * The oracle's own tables. `flags owner` keeps them through other people's `flush ruleset`. The watching chains come
 * first: a hook of equal priority that registers later, as conntrack's confirmation does, stands in front of them.
 */
const WATCH = `
table inet ks_watch {
  flags owner
${Object.entries(HOOKS)
  .map(
    ([prefix, hook]) => `  chain ${hook} {
    type filter hook ${hook} priority 2147483647
    log prefix "${prefix}" group ${GROUP_PASSED}
${hook === 'input' ? '    drop\n' : ''}  }`,
  )
  .join('\n')}
}
`;
/** What conntrack made of a packet, told right behind it. */
const STATES = `
table inet ks_state {
  flags owner
${['prerouting', 'output']
  .map(
    (hook) => `  chain ${hook} {
    type filter hook ${hook} priority -199
    ct state invalid log prefix "INVALID" group ${GROUP_STATE} accept
    ct state untracked log prefix "UNTRACKED" group ${GROUP_STATE} accept
${['new', 'established', 'related']
  .flatMap((state) =>
    ['original', 'reply'].map(
      (dir) =>
        `    ct state ${state} ct direction ${dir} log prefix "${state.toUpperCase()} ${dir}" group ${GROUP_STATE} accept\n`,
    ),
  )
  .join('')}  }`,
  )
  .join('\n')}
}
`;
/** A rule that nobody calls: it keeps conntrack and defragmentation switched on. */
const TRACK = `
table inet ks_track {
  flags owner
  chain never {
    ct state invalid
  }
}
`;

/** Built-in chains of legacy tables; iptables-restore leaves the policy of those that it is not told of. */
const LEGACY_TABLES: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Runs a command in the namespace this process is in. */
export function run(command: readonly string[], stdin = ''): StepResult {
  const result = spawnSync(command[0]!, command.slice(1), {
    input: stdin,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (result.error) throw new Error(`${command[0]}: ${result.error.message}`);
  return { status: result.status ?? 128, stdout: result.stdout, stderr: result.stderr };
}

function must(result: StepResult, what: string): StepResult {
  if (result.status !== 0) throw new Error(`${what}: ${result.stderr.trim()}`);
  return result;
}

function openTun(name: string): number {
  const fd = openDevice('/dev/net/tun', true);
  const request = Buffer.alloc(40); // struct ifreq: name[16], flags u16
  request.write(name, 0, 'latin1');
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, 16);
  ioctl(fd, TUNSETIFF, request, `create TUN device ${name}`);
  return fd;
}

const RESTORE: Readonly<Record<Source['kind'], readonly string[]>> = {
  'iptables-legacy': ['iptables-legacy-restore'],
  'iptables-nft': ['iptables-nft-restore'],
  'ip6tables-legacy': ['ip6tables-legacy-restore'],
  'ip6tables-nft': ['ip6tables-nft-restore'],
  nft: ['nft', '-f', '-'],
  // Opened by name, which a socket (Node's pipe) cannot be.
  'nft-json': ['sh', '-c', 'cat | nft -j -f -'],
  ipset: ['ipset', 'restore'],
  shell: ['sh', '-e'],
};

/** Local routes of IPv6 addresses come from a work queue of the kernel's, later than `ip` ends where there is much to do. */
function waitForAddresses(links: readonly string[]): void {
  const wanted = links.filter((line) => line.startsWith('addr add ') && line.includes(':')).length;
  const count = (): number =>
    readFileSync('/proc/self/net/ipv6_route', 'latin1').match(/^\w+ 80 .* 8\w{7} +eth\d$/gm)?.length ?? 0;
  for (let left = 500; count() < wanted; left--) {
    if (left === 0) throw new Error('IPv6 addresses do not come up');
    Atomics.wait(sleeper, 0, 0, 4);
  }
}

/** The namespace this process is in; only one at a time. */
export class RuleNamespace {
  readonly eth0: number;
  readonly eth1: number;
  readonly raw4: number;
  readonly raw6: number;
  readonly log: RuleLogReader;
  readonly kmsg: KernelLog;
  /** Reads expectations and their events; null unless opened for dialogues. */
  readonly expects: ExpectTable | null;
  private readonly table: ConntrackTable;
  /** Owns the oracle's tables. */
  private readonly own: LibNft;
  private readonly tables: Tables;
  private legacy = false;
  private sets = false;

  constructor(options: RuleKernelOptions) {
    unshareNetwork();
    for (const [name, value] of Object.entries({ ...SYSCTLS, ...options.sysctls }))
      writeFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, String(value));
    // The log of a namespace reaches the kernel's log only with this; it belongs to the machine, and harms nobody.
    const all = '/proc/sys/net/netfilter/nf_log_all_netns';
    try {
      if (readFileSync(all, 'latin1').trim() !== '1') writeFileSync(all, '1');
    } catch {
      // It exists in the first namespace only; see the README.
    }
    this.eth0 = openTun('eth0');
    this.eth1 = openTun('eth1');
    const links = options.links ?? LINKS;
    must(run(['ip', '-batch', '-'], `${links.join('\n')}\n`), 'ip');
    waitForAddresses(links);
    // The reports about the addresses' multicast groups go out now.
    Atomics.wait(sleeper, 0, 0, 60);
    this.own = new LibNft();
    must(this.own.run(WATCH), 'watching chains');
    must(this.own.run(TRACK), 'tracking');
    if (options.dialogue === true) must(this.own.run(STATES), 'states');
    this.tables = new Tables();
    this.raw4 = rawSocket(false);
    this.raw6 = rawSocket(true);
    this.log = new RuleLogReader();
    this.kmsg = new KernelLog();
    this.table = new ConntrackTable();
    this.expects = options.dialogue === true ? new ExpectTable() : null;
  }

  /** Conntrack's tables now. */
  flows(): FlowTables {
    return { flows: this.table.dump(), expects: this.expects?.dump() ?? [] };
  }

  /** Loads one source. */
  load(source: Source): StepResult {
    this.legacy ||= source.kind === 'shell' || source.kind.endsWith('legacy');
    this.sets ||= source.kind === 'shell' || source.kind === 'ipset';
    return run(RESTORE[source.kind], source.text);
  }

  /** `nft list ruleset` without the oracle's own tables; null if it crashed, as 1.0.6 does on some rules. */
  list(): string | null {
    const result = run(['nft', 'list', 'ruleset']);
    if (result.status >= 128) return null;
    return must(result, 'list ruleset').stdout.replace(
      /^table inet ks_(watch|track|state) .*\{[\s\S]*?^\}\n/gm,
      '',
    );
  }

  /** `nft -j list ruleset` likewise; table by table, since nft 1.0.6 breaks off at a table with an owner. */
  listJson(): string | null {
    const lists = this.tables.names().map(([family, name]) => {
      const result = run(['nft', '-j', 'list', 'table', family, name]);
      if (result.status >= 128) return null;
      return (JSON.parse(must(result, name).stdout) as { nftables: object[] }).nftables;
    });
    if (lists.includes(null)) return null;
    return JSON.stringify({ nftables: lists.flatMap((list, i) => list!.slice(i === 0 ? 0 : 1)) });
  }

  /** Back to an empty ruleset and an empty conntrack table. */
  clear(): void {
    if (this.legacy) {
      for (const [names, restore] of [
        ['/proc/net/ip_tables_names', 'iptables-legacy-restore'],
        ['/proc/net/ip6_tables_names', 'ip6tables-legacy-restore'],
      ] as const) {
        const tables = readFileSync(names, 'latin1').split('\n');
        const text = Object.entries(LEGACY_TABLES)
          .filter(([table]) => tables.includes(table))
          .map(([table, chains]) => `*${table}\n${chains.map((c) => `:${c} ACCEPT\n`).join('')}COMMIT\n`);
        if (text.length > 0) must(run([restore], text.join('')), restore);
      }
    }
    this.tables.flush();
    if (this.sets) this.destroySets();
    this.legacy = false;
    this.sets = false;
    this.table.flush();
  }

  /** nf_tables frees what a deleted rule held later, in a worker thread: until then its ipsets are in use. */
  private destroySets(): void {
    must(run(['ipset', 'flush']), 'ipset flush'); // lists hold their members
    for (let tries = 0; ; tries++) {
      const result = run(['ipset', 'destroy']);
      if (result.status === 0) return;
      if (tries > 100) throw new Error(`ipset destroy: ${result.stderr}`);
      Atomics.wait(sleeper, 0, 0, 2);
    }
  }

  /** Closes everything; the kernel takes the namespace down when the process leaves it. */
  close(): void {
    this.log.close();
    this.table.close();
    this.expects?.close();
    this.own.close();
    this.tables.close();
    for (const fd of [this.raw4, this.raw6, this.eth0, this.eth1]) close(fd);
  }
}
