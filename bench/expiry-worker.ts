/**
 * One measurement of bench/expiry.ts, in a process of its own: `short FLOWS` or `long FLOWS`. It prints what came of
 * it as JSON.
 */
import { tuneCompiler } from '../cli/compiler.ts';
import { AF_INET, Firewall, type Packet, Settings } from '../engine/index.ts';
import { DLT_RAW, Forge } from './forge.ts';

const START = 1_767_225_600_000;
const SERVER = 0x5db8d822;
const COUNTED = 10_000_000;
/** nf_conntrack_udp_timeout, ms. */
const TIMEOUT = 30_000;
/** Packets of a short flow, and short flows that are under way at once. */
const LENGTH = 10;
const LIVE = 1000;

/** What expiry takes. */
export interface ExpiryReport {
  readonly flows: number;
  readonly expired: number;
  /** Nanoseconds a packet, all in all, but without making it. */
  readonly packet: number;
  /** Of that, nanoseconds to let time pass. */
  readonly expiry: number;
}

/** Which flow each packet is of, and how much time passes between two. */
interface Course {
  readonly gap: number;
  readonly flow: (i: number) => number;
}

/**
 * Flows of ten packets each, which expire 30 s after their last one; new ones follow, so that so many are in the
 * table. Or flows of which each is refreshed three times before it would expire.
 */
function courseOf(kind: string, flows: number): Course {
  if (kind === 'long') return { gap: TIMEOUT / 3 / flows, flow: (i) => i % flows };
  const round = LIVE * LENGTH;
  return { gap: TIMEOUT / LENGTH / flows, flow: (i) => flows + LIVE * Math.floor(i / round) + (i % LIVE) };
}

/** A datagram of a flow. */
function forged(forge: Forge, flow: number): Packet {
  const client = Math.imul(flow + 1, 0x9e3779b1);
  return forge.udp(AF_INET, client, SERVER, (client << 16) | 53);
}

function measure(kind: string, flows: number): ExpiryReport {
  const settings = new Settings();
  settings.set('nf_conntrack_max', 2 * flows);
  const firewall = new Firewall({ settings });
  const { conntrack } = firewall;
  const forge = new Forge();
  const send = (flow: number, now: number): void => {
    forge.pkt.time = now;
    firewall.receive(forged(forge, flow), DLT_RAW);
  };
  // The table as it stands after 30 s of it.
  const { gap, flow } = courseOf(kind, flows);
  const before = kind === 'long' ? TIMEOUT / 3 : TIMEOUT;
  for (let i = 0; i < flows; i++) send(i, START + (i * before) / flows);
  let spent = 0n;
  let ticks = 0;
  let last = START + before;
  let expired = 0;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < COUNTED; i++) {
    const now = START + before + i * gap;
    if (now >= last + 1) {
      last = Math.floor(now);
      const { count } = conntrack.table;
      const start = process.hrtime.bigint();
      conntrack.tick(last);
      spent += process.hrtime.bigint() - start;
      ticks++;
      expired += count - conntrack.table.count;
    }
    send(flow(i), last);
  }
  const all = Number(process.hrtime.bigint() - begin);
  const made = process.hrtime.bigint();
  for (let i = 0; i < COUNTED; i++) forged(forge, flow(i));
  const making = Number(process.hrtime.bigint() - made);
  const clock = clockCost() * ticks;
  const expiry = Math.max(0, Number(spent) - clock);
  return {
    flows: conntrack.table.count,
    expired,
    packet: (all - 2 * clock - making) / COUNTED,
    expiry: expiry / COUNTED,
  };
}

/** Nanoseconds that lie between two readings of the clock, one right after the other. */
function clockCost(): number {
  let spent = 0n;
  for (let i = 0; i < 100_000; i++) {
    const start = process.hrtime.bigint();
    spent += process.hrtime.bigint() - start;
  }
  return Number(spent) / 100_000;
}

// As the command line does.
tuneCompiler();
const [kind, flows] = process.argv.slice(2);
process.stdout.write(JSON.stringify(measure(kind!, Number(flows))));
