/**
 * One measurement of bench/flood.ts, in a process of its own: `tuples ATTACK FLOWS` or `syns FLOWS MAX`. It prints
 * what came of it as JSON.
 */

import { tuneCompiler } from '../cli/compiler.ts';
import { ATTACKS, collidingUnder, ORDINARY, PINGS } from '../engine/conntrack/hostile-tuples.mts';
import { AF_INET, AF_INET6, F_STATUS, Firewall, ips, ROW_WORDS, Settings } from '../engine/index.ts';
import { IPPROTO_ICMP } from '../engine/packet/protocols.ts';
import { ACK, DLT_RAW, Forge, SYN } from './forge.ts';

/** Secret to whoever chose the tuples. */
const SEED = 987_654_321;
const START = 1_767_225_600_000;
const ROUNDS = 3;

/** CPU time of this process, ns: other work on the machine does not count. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function firewallOf(max: number): Firewall {
  const settings = new Settings();
  settings.set('nf_conntrack_max', max);
  return new Firewall({ settings, seed: SEED });
}

/** Nanoseconds a packet of so many first packets of flows, each round in a new firewall, the best of all rounds. */
function tuples(name: string, flows: number, family: number): number {
  const known = collidingUnder(SEED);
  const { proto, tuples: choose } = [ORDINARY, ...ATTACKS, PINGS].find((a) => a.name === name) ?? known;
  const all = choose(flows);
  const forge = new Forge();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const firewall = firewallOf(0);
    const start = cpuTime();
    for (let i = 0; i < flows; i++) {
      const [src, dst, ports] = [all[i * 3]!, all[i * 3 + 1]!, all[i * 3 + 2]!];
      const pkt =
        proto === IPPROTO_ICMP
          ? forge.icmp(family, src, dst, ports)
          : forge.tcp(family, src, dst, ports, SYN, i, 0);
      pkt.time = START;
      firewall.receive(pkt, DLT_RAW);
    }
    best = Math.min(best, (cpuTime() - start) / flows);
    if (firewall.conntrack.table.count !== flows) throw new Error(`${name}: not every packet made a flow`);
  }
  return best;
}

const CLIENT = 0x0a000000;
const SERVER = 0x5db8d822;
const TALKERS = 1000;
const WINDOW = 500_000;
/** One packet in so many is of an established flow. */
const TALK = 20;

/** What came of a SYN flood into a full table. */
export interface FloodReport {
  /** Nanoseconds a packet in each window of 500,000. */
  readonly windows: readonly number[];
  readonly count: number;
  readonly most: number;
  /** Established flows that are still in the table and ASSURED, of 1000. */
  readonly kept: number;
  readonly earlyDrop: number;
  readonly drop: number;
}

/** A SYN flood from ever other addresses while established flows go on talking. */
function synFlood(syns: number, max: number): FloodReport {
  const firewall = firewallOf(max);
  const { conntrack } = firewall;
  const forge = new Forge();
  const talk = (i: number, dir: number, flags: number, seq: number, ack: number): number => {
    const client = CLIENT + i;
    const ports = dir === 0 ? (40000 << 16) | 443 : (443 << 16) | 40000;
    const [src, dst] = dir === 0 ? [client, SERVER] : [SERVER, client];
    firewall.receive(forge.tcp(AF_INET, src, dst, ports, flags, seq, ack), DLT_RAW);
    return forge.pkt.flow;
  };
  forge.pkt.time = START;
  const flows = new Int32Array(TALKERS);
  for (let i = 0; i < TALKERS; i++) {
    talk(i, 0, SYN, 999, 0);
    talk(i, 1, SYN | ACK, 4999, 1000);
    flows[i] = talk(i, 0, ACK, 1000, 5000);
  }
  const windows: number[] = [];
  let most = 0;
  let lost = 0;
  for (let sent = 0; sent < syns; ) {
    const start = cpuTime();
    for (const stop = Math.min(syns, sent + WINDOW); sent < stop; sent++) {
      // 100,000 a second: the first ones are overdue (120 s) when twelve million have come.
      forge.pkt.time = START + sent / 100;
      if (sent % TALK === 0) {
        const i = (sent / TALK) % TALKERS;
        if (
          talk(
            i,
            (sent / TALK / TALKERS) & 1,
            ACK,
            ((sent / TALK / TALKERS) & 1) === 0 ? 1000 : 5000,
            ((sent / TALK / TALKERS) & 1) === 0 ? 5000 : 1000,
          ) !== flows[i]
        )
          lost++;
      }
      const spread = Math.imul(sent, 0x9e3779b1);
      firewall.receive(forge.tcp(AF_INET, spread, SERVER, (spread << 16) | 443, SYN, sent, 0), DLT_RAW);
      const { count } = conntrack.table;
      if (count > most) most = count;
    }
    windows.push((cpuTime() - start) / (WINDOW * (1 + 1 / TALK)));
  }
  const { words, count } = conntrack.table;
  const kept = flows.filter((flow) => (words[flow * ROW_WORDS + F_STATUS]! & ips.IPS_ASSURED) !== 0).length;
  const { early_drop: earlyDrop, drop } = conntrack.stats;
  return { windows, count, most, kept: lost === 0 ? kept : -lost, earlyDrop, drop };
}

// As the command line does.
tuneCompiler();
const [what, ...args] = process.argv.slice(2);
const result =
  what === 'tuples'
    ? tuples(args[0]!, Number(args[1]), args[2] === '6' ? AF_INET6 : AF_INET)
    : synFlood(Number(args[0]), Number(args[1]));
process.stdout.write(JSON.stringify(result));
