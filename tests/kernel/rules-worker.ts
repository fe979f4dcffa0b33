/** The ruleset oracle's child process: owns the namespace and carries out one ruleset after the other. */
import { readFileSync } from 'node:fs';
import { readPacket, undisturbed, writePacket } from './libc.ts';
import { LogLock, sendRaw } from './rules-libc.ts';
import { RuleNamespace, run } from './rules-namespace.ts';
import type {
  Collect,
  Left,
  RuleJob,
  RuleKernelOptions,
  RuleOutcome,
  RulePacket,
  RuleRun,
  StepResult,
  Tables,
  Tracked,
} from './rules-types.ts';
import { endsOf } from './rules-view.ts';
import { HOST4, HOST6 } from './rules-world.ts';

/** What the parent may ask. */
export type RuleRequest =
  | { readonly op: 'open'; readonly options: RuleKernelOptions }
  | { readonly op: 'job'; readonly job: RuleJob }
  | { readonly op: 'exec'; readonly command: readonly string[]; readonly stdin: string };

let current: RuleNamespace | null = null;
const lock = new LogLock();
const packetBuffer = new Uint8Array(1 << 17);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function namespace(): RuleNamespace {
  if (current === null) throw new Error('no namespace is open');
  return current;
}

function drain(fd: number, device: Left['device'], into: Left[]): void {
  for (;;) {
    const length = readPacket(fd, packetBuffer);
    if (length < 0) return;
    into.push({ device, bytes: packetBuffer.slice(0, length) });
  }
}

function send(ns: RuleNamespace, { bytes, from }: RulePacket): boolean {
  if (from !== 'host') return writePacket(from === 'eth0' ? ns.eth0 : ns.eth1, bytes);
  const v6 = bytes[0]! >> 4 === 6;
  return sendRaw(v6 ? ns.raw6 : ns.raw4, v6, bytes);
}

function tracked(ns: RuleNamespace, each: boolean): { tracked?: Tracked } {
  if (ns.expects === null) return {};
  const { states } = ns.log;
  const events = ns.expects.read();
  return { tracked: each ? { states, events, tables: ns.flows() } : { states, events } };
}

function play(ns: RuleNamespace, packet: RulePacket, each: boolean): RuleOutcome {
  if ((packet.waitMs ?? 0) > 0) Atomics.wait(sleeper, 0, 0, packet.waitMs);
  if (packet.before !== undefined) run(packet.before);
  const at = performance.now();
  const taken = send(ns, packet);
  const left: Left[] = [];
  drain(ns.eth0, 'eth0', left);
  drain(ns.eth1, 'eth1', left);
  ns.log.read();
  const { passed, groups } = ns.log;
  const log = ns.kmsg.read();
  const verdict = verdictOf(packet, taken, left, passed);
  return { verdict, left, passed, log, groups, at, ...tracked(ns, each) };
}

/** What the host forwards passes FORWARD, its answers pass OUTPUT; what it sends itself, and what an answer of its
 * own was answered with, the addresses tell. */
function verdictOf(
  packet: RulePacket,
  taken: boolean,
  left: readonly Left[],
  passed: RuleOutcome['passed'],
): RuleOutcome['verdict'] {
  const forwarded = passed.findIndex((p) => p.hook === 'forward');
  // What the host sends to itself comes back by lo and has to get through INPUT as well.
  const last = isForHost(packet.bytes) ? 'input' : 'postrouting';
  const accepted =
    packet.from === 'host'
      ? passed.some((p) => p.hook === last && sameEnds(p.bytes, packet.bytes))
      : passed.some(
          (p, i) =>
            (p.hook === 'input' && sameEnds(p.bytes, packet.bytes)) ||
            (p.hook === 'postrouting' && forwarded >= 0 && i > forwarded),
        );
  if (accepted) return 'accept';
  const answered =
    packet.from === 'host'
      ? passed.some((p) => !sameEnds(p.bytes, packet.bytes))
      : left.length > 0 || passed.some((p) => p.hook === 'output');
  return answered ? 'reject' : taken ? 'drop' : 'refused';
}

function isForHost(bytes: Uint8Array): boolean {
  const [, dst] = endsOf(bytes);
  return HOST4.includes(dst) || HOST6.includes(dst) || dst.startsWith('127.');
}

function sameEnds(a: Uint8Array, b: Uint8Array): boolean {
  const [from, to] = b[0]! >> 4 === 6 ? [8, 40] : [12, 20];
  return a[0]! >> 4 === b[0]! >> 4 && Buffer.compare(a.subarray(from, to), b.subarray(from, to)) === 0;
}

function texts(ns: RuleNamespace, collect: Collect | undefined): Record<string, string> {
  const read: Record<string, string> = {};
  for (const [name, command] of Object.entries(collect?.commands ?? {})) {
    const { status, stdout, stderr } = run(command);
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    read[name] = stdout;
  }
  const nft = collect?.nft ? ns.list() : null;
  if (nft !== null) read.nft = nft;
  const nftJson = collect?.nftJson ? ns.listJson() : null;
  if (nftJson !== null) read.nftJson = nftJson;
  return read;
}

function playAll(ns: RuleNamespace, { packets, tables }: RuleJob, outcomes: RuleOutcome[]): void {
  lock.take();
  try {
    drain(ns.eth0, 'eth0', []);
    drain(ns.eth1, 'eth1', []);
    ns.kmsg.skip();
    ns.log.read();
    ns.expects?.read();
    undisturbed(() => {
      for (const packet of packets) outcomes.push(play(ns, packet, tables === 'each'));
    });
  } finally {
    lock.give();
  }
}

/** Reports about multicast groups that the kernel sent by itself (RFC 3810), which rules count like any other packet. */
function groupReports(): string | undefined {
  return /^Icmp6OutMLDv2Reports\s+(\d+)/m.exec(readFileSync('/proc/self/net/snmp6', 'latin1'))?.[1];
}

/** Once more if the kernel spoke in between. */
function carryOutAlone(ns: RuleNamespace, job: RuleJob): RuleRun {
  for (;;) {
    const before = groupReports();
    const run = carryOut(ns, job);
    if (groupReports() === before) return run;
  }
}

function carryOut(ns: RuleNamespace, job: RuleJob): RuleRun {
  const start = performance.now();
  const loaded: StepResult[] = [];
  const outcomes: RuleOutcome[] = [];
  let ok = true;
  let listing: Record<string, string> = {};
  let read: Record<string, string> = {};
  let flows: { tables?: Tables } = {};
  try {
    for (const source of job.sources) {
      loaded.push(ns.load(source));
      ok = loaded.at(-1)!.status === 0;
      if (!ok) break;
    }
    if (ok) {
      listing = texts(ns, job.listing);
      playAll(ns, job, outcomes);
      if (job.tables !== undefined) flows = { tables: ns.flows() };
      read = texts(ns, job.collect);
    }
  } finally {
    ns.clear();
    drain(ns.eth0, 'eth0', []);
    drain(ns.eth1, 'eth1', []);
  }
  const elapsedMs = performance.now() - start;
  return { loaded, ok, outcomes, listing, texts: read, elapsedMs, ...flows };
}

function answer(request: RuleRequest): unknown {
  switch (request.op) {
    case 'open':
      current?.close();
      current = null;
      current = new RuleNamespace(request.options);
      return null;
    case 'job':
      return carryOutAlone(namespace(), request.job);
    case 'exec':
      return run(request.command, request.stdin);
  }
}

process.on('message', ({ id, request }: { id: number; request: RuleRequest }) => {
  let reply: { reply: number; value?: unknown; error?: string };
  try {
    reply = { reply: id, value: answer(request) };
  } catch (error) {
    reply = { reply: id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send!(reply);
});
process.on('disconnect', () => process.exit(0));
