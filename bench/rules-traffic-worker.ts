/**
 * One measurement in a process of its own: plays a capture to the engine as `npm run bench` does, without rules or with
 * an ordinary ruleset. Prints CPU nanoseconds a packet, reading and V8's compiling included, Node's start not.
 *
 *     node rules-traffic-worker.mjs FILE none|nft|iptables|empty|unused-nat|unused-nat-iptables|netmap
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

function play(file: string, firewall: Firewall): { packets: number; accepted: number } {
  const pkt = new Packet();
  let packets = 0;
  let accepted = 0;
  eachRecord(file, (record) => {
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    pkt.time = record.time;
    packets++;
    if (firewall.receive(pkt, record.linktype) === NF_ACCEPT) accepted++;
  });
  return { packets, accepted };
}

tuneCompiler();
const [file, rules] = process.argv.slice(2);
const firewall = firewallWith(rules!);
const start = process.cpuUsage();
const { packets, accepted } = play(file!, firewall);
const { user, system } = process.cpuUsage(start);
if (accepted !== packets) throw new Error(`${packets - accepted} packets were not accepted`);
process.stdout.write(JSON.stringify({ ns: ((user + system) * 1000) / packets }));
