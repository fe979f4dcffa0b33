/**
 * What this machine's kernel takes for rules of which none matches: the same packets are written to a TUN device of a
 * namespace of its own, once with an empty chain and once with the rules; the kernel works on them in the writer's time.
 * Prints CPU nanoseconds a packet, `base` those without rules. Needs root.
 *
 *     node --conditions=keepstate-source --import tsx bench/rules-kernel-worker.ts KIND RULES nft|iptables-legacy PACKETS
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { ioctl, openDevice, unshareNetwork, writePacket } from '../tests/kernel/libc.ts';
import { type BenchTest, testsOf } from './rules-kinds.ts';
import { ruleFrames } from './rules-packets.ts';

const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;
const ROUNDS = 5;

function must(command: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(command[0]!, command.slice(1), { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

function openTun(name: string): number {
  const fd = openDevice('/dev/net/tun', true);
  const request = Buffer.alloc(40);
  request.write(name, 0, 'latin1');
  request.writeUInt16LE(IFF_TUN_NO_PI, 16);
  ioctl(fd, TUNSETIFF, request, `create TUN device ${name}`);
  return fd;
}

/** A router: what comes in by eth0 leaves by eth1, where nobody takes it. Returns eth0. */
function router(): number {
  unshareNetwork();
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  const eth0 = openTun('eth0');
  openTun('eth1');
  const commands = ['link set eth0 up', 'link set eth1 up', 'route add default dev eth1'];
  must(['ip', '-batch', '-'], `addr add 192.0.2.1/32 dev eth0\n${commands.join('\n')}\n`);
  for (const device of ['all', 'eth0']) writeFileSync(`/proc/sys/net/ipv4/conf/${device}/rp_filter`, '0');
  return eth0;
}

const dotted = (word: number): string => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.');
const network = ([word, bits]: readonly [number, number]): string => `${dotted(word)}/${bits}`;

function nftRule({ src, dst, dport }: BenchTest): string {
  const out: string[] = [];
  if (src !== undefined) out.push(`ip saddr ${network(src)}`);
  if (dst !== undefined) out.push(`ip daddr ${network(dst)}`);
  if (dport !== undefined)
    out.push(`tcp dport ${dport[0] === dport[1] ? dport[0] : `${dport[0]}-${dport[1]}`}`);
  return `${out.join(' ')} drop`;
}

function iptablesRule({ src, dst, dport }: BenchTest): string {
  const out = ['-A FORWARD'];
  if (src !== undefined) out.push(`-s ${network(src)}`);
  if (dst !== undefined) out.push(`-d ${network(dst)}`);
  if (dport !== undefined) out.push(`-p tcp -m tcp --dport ${dport[0]}:${dport[1]}`);
  return `${out.join(' ')} -j DROP`;
}

function load(backend: string, tests: readonly BenchTest[]): void {
  if (backend === 'nft') {
    const head = 'add table ip bench\ndelete table ip bench\ntable ip bench {\nchain forward {\n';
    const rules = tests.map(nftRule).join('\n');
    must(['nft', '-f', '-'], `${head}type filter hook forward priority 0\n${rules}\n}\n}\n`);
    return;
  }
  must([`${backend}-restore`], `*filter\n${tests.map(iptablesRule).join('\n')}\nCOMMIT\n`);
}

/** CPU nanoseconds a packet: the least of several rounds. */
function time(tun: number, frames: readonly Uint8Array[], packets: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < packets; i++) writePacket(tun, frames[i % frames.length]!);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / packets);
  }
  return best;
}

const [kind = 'mix', rules = '1000', backend = 'nft', packets = '20000'] = process.argv.slice(2);
const tun = router();
const frames = ruleFrames();
load(backend, []);
const base = time(tun, frames, Number(packets));
load(backend, testsOf(kind, Number(rules)));
const whole = time(tun, frames, Number(packets));
process.stdout.write(JSON.stringify({ base, rules: whole - base }));
process.exit(0);
