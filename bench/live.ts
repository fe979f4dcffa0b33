/**
 * What keepstate carries beside the kernel itself and beside NFQUEUE with a program that accepts all, in one run:
 * `npm run bench:live [seconds] [case,case…]`. Needs root. Client on one core, firewall on the other. The case `memory`,
 * which has to be asked for by name, says ten times in so many seconds how much memory a bridge takes under load.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LiveReport } from './live-keepstate.ts';
import { CLIENT_ADDRESS, Helper, Place, RULES, SINK } from './live-place.ts';
import type { Sending } from './live-sender.ts';

const NODE = [process.execPath, '--conditions=keepstate-source', '--import', 'tsx'];
// Before whatever else the machine has to do.
const FIRST = ['nice', '-n', '-19'];
/** Before all that is not real-time, as docs/live.md advises. */
const REAL_TIME = ['chrt', '-f', '1'];
/** Cores. */
const CLIENT = '0';
const FIREWALL = '1';
const CLIENT_CORE = [...FIRST, 'taskset', '-c', CLIENT];
const FIREWALL_CORE = ['taskset', '-c', FIREWALL];
/** Payload of a UDP packet that is 64 bytes on the wire (14 + 20 + 8 + 18 + 4). */
const SMALLEST = 18;
/** MSS of TCP packets of 1,400 bytes. */
const SEGMENT = 1348;

const seconds = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'keepstate-live-'));

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** One way from client to server. */
interface Case {
  readonly name: string;
  readonly routed: boolean;
  /** Starts what carries packets, and returns what has to be ended. */
  start(place: Place): Promise<Helper | null>;
}

async function keepstate(place: Place, mode: string, first: readonly string[] = FIRST): Promise<Helper> {
  const argv = [...first, ...NODE, here('live-keepstate.ts'), mode, RULES, FIREWALL];
  const helper = new Helper(place.middle.start(argv, { stdio: ['pipe', 'pipe', 'inherit'] }));
  await helper.line();
  return helper;
}

/** Queues what the kernel forwards. */
function queueAll({ middle }: Place): void {
  middle.exec('iptables', '-A', 'FORWARD', '-j', 'NFQUEUE', '--queue-num', '0');
}

/** Routes what comes in by either cable into a TUN device, and what comes out of that to where it is for. */
function routeThroughTun({ middle }: Place): void {
  middle.ip('tuntap', 'add', 'tun0', 'mode', 'tun');
  middle.ip('link', 'set', 'tun0', 'up');
  middle.ip('route', 'add', 'default', 'dev', 'tun0', 'table', '100');
  for (const device of ['left', 'right']) middle.ip('rule', 'add', 'iif', device, 'lookup', '100');
}

/** A program of somebody else's that accepts all. @param argv how it is run */
async function accepting(place: Place, ...argv: readonly string[]): Promise<Helper> {
  queueAll(place);
  const helper = new Helper(
    place.middle.start([...FIREWALL_CORE, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await helper.line();
  return helper;
}

function compiled(): string {
  const program = join(folder, 'accept');
  execFileSync('cc', ['-O2', '-o', program, here('live-accept.c')]);
  return program;
}

const CASES: readonly Case[] = [
  {
    name: 'kernel',
    routed: true,
    async start(place) {
      place.middle.run(['nft', '-f', '-'], RULES);
      return null;
    },
  },
  { name: 'nfqueue accept-all (C)', routed: true, start: (place) => accepting(place, compiled()) },
  {
    name: 'nfqueue accept-all (Python)',
    routed: true,
    start: (place) => accepting(place, 'python3', here('live-accept.py')),
  },
  { name: 'keepstate bridge', routed: false, start: (place) => keepstate(place, 'bridge') },
  {
    name: 'keepstate bridge, real-time',
    routed: false,
    start: (place) => keepstate(place, 'bridge', REAL_TIME),
  },
  {
    name: 'keepstate nfqueue',
    routed: true,
    start(place) {
      queueAll(place);
      return keepstate(place, 'nfqueue');
    },
  },
  {
    name: 'keepstate tun',
    routed: true,
    start(place) {
      routeThroughTun(place);
      return keepstate(place, 'tun');
    },
  },
];

function sender(place: Place, bytes: number, rate: number, time: number): Promise<number> {
  const { mac, target: dst } = place;
  const task: Sending = {
    device: 'eth0',
    mac,
    src: CLIENT_ADDRESS,
    dst,
    port: SINK,
    seconds: time,
    bytes,
    rate,
  };
  return place.client
    .runAsync([...CLIENT_CORE, ...NODE, here('live-sender.ts'), JSON.stringify(task)], (time + 30) * 1000)
    .then(({ stdout, stderr }) => {
      if (stdout === '') throw new Error(stderr);
      const { sent, seconds: took } = JSON.parse(stdout) as { sent: number; seconds: number };
      return sent / took;
    });
}

/** Packets/s that arrive when as many are sent as can be. */
async function flood(place: Place, bytes: number): Promise<{ sent: number; arrived: number }> {
  await sender(place, bytes, 0, 1);
  const before = place.arrived();
  const sent = await sender(place, bytes, 0, seconds);
  // The sender takes a while to start and end, so packets are counted over what it sent them in.
  return { sent, arrived: (place.arrived() - before) / seconds };
}

async function tcp(place: Place, time: number = seconds): Promise<number> {
  const server = place.server.start([...FIREWALL_CORE, 'iperf3', '-s', '-1', '-p', '5201'], {
    stdio: 'ignore',
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const argv = ['iperf3', '-c', place.target, '-p', '5201', '-t', String(time), '-M', String(SEGMENT), '-J'];
  const { stdout } = await place.client.runAsync([...CLIENT_CORE, ...argv], (time + 20) * 1000);
  server.kill('SIGKILL');
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 8 / SEGMENT;
}

/** Pings without a pause, as a firewall has seen packets of each kind that has run for a minute. */
async function warmUp(place: Place): Promise<void> {
  const argv = ['ping', '-f', '-q', '-c', '40000', place.target];
  await place.client.runAsync([...CLIENT_CORE, ...argv], 120_000);
}

/** How often the machine takes a core away from a program that never waits, and for how long. */
function stalls(core: string): string {
  const argv = [...FIRST, 'taskset', '-c', core, ...NODE, here('live-stalls.ts'), String(seconds)];
  return execFileSync(argv[0]!, argv.slice(1), { encoding: 'utf8' }).trim();
}

/** Round trip times in µs. */
async function pings(place: Place): Promise<{ p50: number; p99: number; lost: number }> {
  const count = seconds * 200;
  const argv = ['ping', '-i', '0.005', '-c', String(count), place.target];
  const { stdout } = await place.client.runAsync([...CLIENT_CORE, ...argv], 120_000);
  const times = [...stdout.matchAll(/time=([\d.]+)/g)]
    .map(([, ms]) => Number(ms) * 1000)
    .sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), lost: count - times.length };
}

interface Result {
  readonly udp: { sent: number; arrived: number };
  readonly tcp: number;
  readonly idle: { p50: number; p99: number };
  readonly half: { p50: number; p99: number; lost: number };
}

/** @param load packets/s for the latency under load; 0 for half of what was carried */
async function measure(one: Case, load: number): Promise<Result> {
  const place = new Place(one.routed);
  const helper = await one.start(place);
  try {
    await warmUp(place);
    const idle = await pings(place);
    const udp = await flood(place, SMALLEST);
    const segments = await tcp(place);
    const rate = load > 0 ? load : udp.arrived / 2;
    const loaded = sender(place, SMALLEST, rate, seconds + 4);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const half = await pings(place);
    await loaded;
    if (helper !== null && one.name.startsWith('keepstate'))
      tell(JSON.parse(await helper.ask()) as LiveReport);
    return { udp, tcp: segments, idle, half };
  } finally {
    await helper?.close();
    place.close();
  }
}

function tell({ counts, rss, heap, flows }: LiveReport): void {
  const { received, sent, lost, unsent } = counts;
  console.log(`  received ${received}, sent ${sent}, lost ${lost}, unsent ${unsent}, ${flows} flows`);
  console.log(`  memory ${(rss / 2 ** 20).toFixed(0)} MiB, heap ${(heap / 2 ** 20).toFixed(1)} MiB`);
}

/** A bridge under load, of packets as fast as can be and of connections by turns. */
async function memory(): Promise<void> {
  const place = new Place(false);
  const helper = await keepstate(place, 'bridge');
  try {
    for (let tenth = 1; tenth <= 10; tenth++) {
      await sender(place, SMALLEST, 0, seconds / 20);
      await tcp(place, seconds / 20);
      console.log(`after ${(seconds * tenth) / 10} s`);
      tell(JSON.parse(await helper.ask()) as LiveReport);
    }
  } finally {
    await helper.close();
    place.close();
  }
}

const wanted = process.argv[3]?.split(',') ?? CASES.map(({ name }) => name);
try {
  if (wanted.includes('memory')) await memory();
  for (const core of [CLIENT, FIREWALL]) console.log(`core ${core}: ${stalls(core)}`);
  for (const one of CASES.filter(({ name }) => wanted.some((word) => name.includes(word)))) {
    console.log(one.name);
    const { udp, tcp: segments, idle, half } = await measure(one, 0);
    const kilo = (n: number): string => `${(n / 1000).toFixed(0)}k`;
    console.log(
      `  udp 64 bytes: ${kilo(udp.arrived)}/s of ${kilo(udp.sent)}/s   tcp 1,400 bytes: ${kilo(segments)}/s`,
    );
    console.log(
      `  ping idle p50 ${idle.p50} p99 ${idle.p99} us, at half load p50 ${half.p50} p99 ${half.p99} us, ${half.lost} lost`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
