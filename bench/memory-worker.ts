/**
 * One measurement of bench/memory.ts, in a process of its own: `flows PROTO COUNT`, `churn PACKETS` or
 * `capture MEBIBYTES`. It prints what came of it as JSON.
 */
import { tuneCompiler } from '../cli/compiler.ts';
import {
  AF_INET,
  CaptureReader,
  CaptureRecord,
  Firewall,
  IPPROTO_TCP,
  Packet,
  resetPacket,
  Settings,
} from '../engine/index.ts';
import { ACK, DLT_RAW, Forge, RST, SYN } from './forge.ts';
import { pcapHeader } from './pcap-file.ts';

const START = 1_767_225_600_000;
const SERVER = 0x5db8d822;

/** What is in memory. */
export interface MemoryReport {
  readonly flows: number;
  /** Resident bytes after a garbage collection. */
  readonly rss: number;
  /** Resident bytes at each tenth of the way. */
  readonly tenths: readonly number[];
  /** The largest that they ever were. */
  readonly peak: number;
  /** Whether counters and start times take room. */
  readonly features: boolean;
}

/** Buffers that are collected go back to the system in the background, a little later. */
function resident(): number {
  globalThis.gc?.();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  return process.memoryUsage.rss();
}

function report(firewall: Firewall, tenths: readonly number[]): MemoryReport {
  const { table } = firewall.conntrack;
  return {
    flows: table.count,
    rss: resident(),
    tenths,
    peak: process.resourceUsage().maxRSS * 1024,
    features: table.counters !== null || table.starts !== null,
  };
}

function firewallOf(max: number): Firewall {
  const settings = new Settings();
  settings.set('nf_conntrack_max', max);
  return new Firewall({ settings });
}

/** So many flows at once, each of one packet. */
function flows(proto: number, count: number): MemoryReport {
  const firewall = firewallOf(Math.max(count, 1000));
  const forge = new Forge();
  // Everything is compiled before, whatever the count.
  forge.pkt.time = START;
  for (let i = 0; i < 1000; i++) firewall.receive(forge.udp(AF_INET, 1, SERVER, 0x0fa00035), DLT_RAW);
  for (let i = 1; i < count; i++) {
    const client = Math.imul(i, 0x9e3779b1);
    const ports = (client << 16) | 443;
    const pkt =
      proto === IPPROTO_TCP
        ? forge.tcp(AF_INET, client, SERVER, ports, SYN, i, 0)
        : forge.udp(AF_INET, client, SERVER, ports);
    firewall.receive(pkt, DLT_RAW);
  }
  return report(firewall, []);
}

/** Steps of a connection's life, and connections that are open at once. */
const STEPS = 5;
const LIVE = 10_000;

/** Short connections, one after the other, of five packets each; closed ones leave after ten seconds. */
function churn(packets: number): MemoryReport {
  const firewall = firewallOf(262_144);
  const forge = new Forge();
  const tenths: number[] = [];
  for (let i = 0; i < packets; i++) {
    // 20,000 packets a second. Round after round each of the open connections makes a step.
    const step = Math.floor(i / LIVE) % STEPS;
    const client = Math.imul((i % LIVE) + LIVE * Math.floor(i / (LIVE * STEPS)) + 1, 0x9e3779b1);
    const back = step === 1 || step === 3;
    const ports = back ? (443 << 16) | 40000 : (40000 << 16) | 443;
    const src = back ? SERVER : client;
    const dst = back ? client : SERVER;
    forge.pkt.time = START + i / 20;
    if ((client & 3) === 0) firewall.receive(forge.udp(AF_INET, src, dst, ports), DLT_RAW);
    else {
      const flags = step === 0 ? SYN : step === 1 ? SYN | ACK : step === 4 ? RST : ACK;
      const seq = step === 0 ? 999 : back ? 4999 + (step >> 1) : 1000;
      const ack = step === 0 || step === 4 ? 0 : back ? 1000 : 5000;
      firewall.receive(forge.tcp(AF_INET, src, dst, ports, flags, seq, ack), DLT_RAW);
    }
    if ((i + 1) % (packets / 10) === 0) tenths.push(resident());
  }
  return report(firewall, tenths);
}

const CHUNK = 4 << 20;

/** A chunk full of pcap records of UDP between 10,000 pairs, so that it can follow itself; the rest left unused. */
function chunkOfRecords(): Uint8Array {
  const chunk = new Uint8Array(CHUNK);
  const view = new DataView(chunk.buffer);
  // 16 bytes of record header, 32 of packet, 80 for what the capture left out: 128 divides the chunk.
  const size = 128;
  for (let at = 0, i = 0; at + size <= CHUNK; at += size, i++) {
    view.setUint32(at, 1_767_225_600, true);
    view.setUint32(at + 8, size - 16, true);
    view.setUint32(at + 12, size - 16, true);
    new Forge(chunk, at + 16).udp(AF_INET, 0x0a000000 + (i % 10_000), SERVER, (40000 << 16) | 53);
  }
  return chunk;
}

/** A capture of so many chunks, which never is in memory whole. */
function captured(chunks: number): MemoryReport {
  const firewall = firewallOf(262_144);
  const reader = new CaptureReader('long.pcap');
  const record = new CaptureRecord();
  const pkt = new Packet();
  const header = pcapHeader(DLT_RAW);
  const chunk = chunkOfRecords();
  const tenths: number[] = [];
  for (let i = -1; i < chunks; i++) {
    reader.push(i < 0 ? header : chunk);
    while (reader.next(record)) {
      resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
      pkt.time = record.time;
      firewall.receive(pkt, record.linktype);
    }
    if (i >= 0 && (i + 1) % Math.ceil(chunks / 10) === 0) tenths.push(resident());
  }
  reader.end();
  return report(firewall, tenths);
}

// As the command line does.
tuneCompiler();
const [what, a, b] = process.argv.slice(2);
const of = {
  flows: () => flows(Number(a), Number(b)),
  churn: () => churn(Number(a)),
  capture: () => captured(Number(a)),
};
process.stdout.write(JSON.stringify(of[what as keyof typeof of]()));
