/**
 * One measurement in a process of its own: plays a capture to the engine as `npm run bench` does, without rules or with
 * an ordinary ruleset. Prints CPU nanoseconds a packet: `whole` of all of the capture, reading and V8's compiling included,
 * Node's start not; `warm` of its second half, when all is compiled.
 *
 *     node rules-traffic-worker.mjs FILE none|nft|iptables|empty|unused-nat|unused-nat-iptables|netmap HALF
 *
 * HALF: the packet that the second half begins with.
 */
import { tuneCompiler } from '../cli/compiler.ts';
import { Ruleset } from '../engine/hook/ruleset.ts';
import { Firewall, Packet, resetPacket, Settings } from '../engine/index.ts';
import { NF_ACCEPT } from '../engine/rules/verdict.ts';
import { eachRecord } from './each-record.ts';
import { ordinaryIptables, ordinaryNft } from './rules-ordinary.ts';
import { NETMAP, UNUSED_NAT, UNUSED_NAT_IPTABLES } from './translated.ts';

/** Rulesets by name, each of one or more files. */
const TEXTS: Readonly<Record<string, () => readonly string[]>> = {
  nft: () => [ordinaryNft()],
  iptables: () => [ordinaryIptables()],
  empty: () => ['table ip empty { }'],
  'unused-nat': () => [ordinaryNft(), UNUSED_NAT],
  'unused-nat-iptables': () => [ordinaryIptables(), UNUSED_NAT_IPTABLES],
  netmap: () => [NETMAP],
};

function firewallWith(rules: string): Firewall {
  const settings = new Settings();
  settings.set('nf_conntrack_max', 100_000_000);
  if (rules === 'none') return new Firewall({ settings });
  const ruleset = new Ruleset();
  for (const text of TEXTS[rules]!()) {
    const [error] = ruleset.load({ name: rules, text });
    if (error !== undefined) throw error;
  }
  return new Firewall({ settings, rules: ruleset.tables() });
}

/** Microseconds of CPU time that the process has taken. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Plays a capture. @returns how many packets it has, and when (CPU time, us) it began, and was behind each of its halves */
function play(file: string, firewall: Firewall, half: number): { packets: number; times: number[] } {
  const pkt = new Packet();
  const times = [cpuTime()];
  let packets = 0;
  let accepted = 0;
  eachRecord(file, (record) => {
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    pkt.time = record.time;
    if (++packets === half) times.push(cpuTime());
    if (firewall.receive(pkt, record.linktype) === NF_ACCEPT) accepted++;
  });
  if (accepted !== packets) throw new Error(`${packets - accepted} packets were not accepted`);
  times.push(cpuTime());
  return { packets, times };
}

tuneCompiler();
const [file, rules, half] = process.argv.slice(2);
const { packets, times } = play(file!, firewallWith(rules!), Number(half));
const [start, middle, end] = times as [number, number, number];
const whole = ((end - start) * 1000) / packets;
const warm = ((end - middle) * 1000) / (packets - Number(half));
process.stdout.write(JSON.stringify({ whole, warm }));
