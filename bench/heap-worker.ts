/**
 * Proof that a packet allocates nothing: bytes on the heap for each packet of a capture in memory, once warm, as
 * JSON. `heap-worker.mjs [sample]`; with `sample` it prints where what is allocated comes from instead. To be run with
 * --expose-gc and so large a young generation (--min-semi-space-size) that nothing is collected meanwhile.
 */
import { Session } from 'node:inspector';
import {
  AF_INET,
  AF_INET6,
  CaptureReader,
  CaptureRecord,
  Firewall,
  Packet,
  resetPacket,
} from '../engine/index.ts';
import { ACK, DLT_RAW, Forge, RST, SYN } from './forge.ts';
import { pcapHeader } from './pcap-file.ts';

const WARM = 600_000;
const COUNTED = 1_000_000;
const SERVER = 0x5db8d822;
/** Bytes of a record: 16 of header, room for a packet of 60. */
const SIZE = 76;
const RECORDS = 10_000;
/** Packets of one flow, which come one round of the open flows after the other. */
const STEPS = 5;
const LIVE = 2000;

/** A capture in memory that never ends: the same chunk, rewritten in place with ever new flows and times. */
class Endless {
  private readonly chunk = new Uint8Array(RECORDS * SIZE);
  private readonly view = new DataView(this.chunk.buffer);
  private readonly forges: readonly Forge[];
  private readonly reader = new CaptureReader('endless.pcap');
  private readonly record = new CaptureRecord();
  private readonly pkt = new Packet();
  private readonly firewall = new Firewall();
  private made = 0;

  constructor() {
    this.reader.push(pcapHeader(DLT_RAW));
    this.reader.next(this.record);
    this.forges = Array.from({ length: RECORDS }, (_, i) => new Forge(this.chunk, i * SIZE + 16));
  }

  get flows(): number {
    return this.firewall.conntrack.table.count;
  }

  /** Flows that were ever in the table. */
  get inserted(): number {
    return this.firewall.conntrack.stats.created;
  }

  /** Writes the chunk anew: a thousand packets a second, so that closed and idle flows expire. */
  refill(): void {
    const { view } = this;
    for (let i = 0; i < RECORDS; i++, this.made++) {
      const at = i * SIZE;
      view.setUint32(at, 1_767_225_600 + Math.floor(this.made / 1000), true);
      view.setUint32(at + 4, (this.made % 1000) * 1000 + 123, true);
      const length = this.packet(this.forges[i]!, this.made);
      view.setUint32(at + 8, SIZE - 16, true);
      view.setUint32(at + 12, length, true);
    }
  }

  /** Reads the chunk and tracks what is in it. */
  play(): void {
    const { reader, record, pkt, firewall } = this;
    reader.push(this.chunk);
    while (reader.next(record)) {
      resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
      pkt.time = record.time;
      firewall.receive(pkt, record.linktype);
    }
  }

  /** Of four flows two are TCP, one UDP, one ICMP; every other one IPv6. Each packet of it goes the other way. */
  private packet(forge: Forge, n: number): number {
    const step = Math.floor(n / LIVE) % STEPS;
    const flow = (n % LIVE) + LIVE * Math.floor(n / (LIVE * STEPS));
    const client = Math.imul(flow + 1, 0x9e3779b1);
    const family = (flow & 1) === 0 ? AF_INET : AF_INET6;
    const back = (step & 1) === 1;
    const src = back ? SERVER : client;
    const dst = back ? client : SERVER;
    const ports = back ? (443 << 16) | 40000 : (40000 << 16) | 443;
    if ((flow & 6) === 2) return this.length(forge.udp(family, src, dst, ports));
    if ((flow & 6) === 4) {
      const type = family === AF_INET ? (back ? 0 : 8) : back ? 129 : 128;
      return this.length(forge.icmp(family, src, dst, (flow << 16) | (type << 8)));
    }
    const flags = step === 0 ? SYN : step === 1 ? SYN | ACK : step === 4 ? RST : ACK;
    const seq = step === 0 ? 999 : back ? 4999 + (step >> 1) : 1000;
    return this.length(
      forge.tcp(family, src, dst, ports, flags, seq, step === 0 || step === 4 ? 0 : back ? 1000 : 5000),
    );
  }

  private length(pkt: Packet): number {
    return pkt.end - pkt.off;
  }
}

/** Bytes that are on the heap more after playing than before, packets being made not counted. */
function played(capture: Endless, packets: number): number {
  let bytes = 0;
  for (let done = 0; done < packets; done += RECORDS) {
    capture.refill();
    const before = process.memoryUsage().heapUsed;
    capture.play();
    const more = process.memoryUsage().heapUsed - before;
    if (more < 0) throw new Error('something was collected meanwhile: give it a larger young generation');
    bytes += more;
  }
  return bytes;
}

/** What two readings of the heap cost by themselves. */
function idle(times: number): number {
  let bytes = 0;
  for (let i = 0; i < times; i++) {
    const before = process.memoryUsage().heapUsed;
    bytes += process.memoryUsage().heapUsed - before;
  }
  return bytes;
}

/** What came of it. */
export interface HeapReport {
  readonly packets: number;
  /** Bytes that were allocated, less what measuring itself takes. */
  readonly bytes: number;
  readonly perPacket: number;
  readonly flows: number;
  readonly inserted: number;
  /** Bytes outside of the heap: tables that grew. */
  readonly buffers: number;
}

interface ProfileNode {
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

/** Where what is allocated comes from: bytes a packet by function and line of the bundle. */
function sample(capture: Endless): void {
  const session = new Session();
  session.connect();
  const options = {
    samplingInterval: 512,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  session.post('HeapProfiler.startSampling', options);
  for (let done = 0; done < COUNTED; done += RECORDS) {
    capture.refill();
    capture.play();
  }
  session.post('HeapProfiler.stopSampling', (_, { profile }) => {
    const sums = new Map<string, number>();
    const visit = ({ callFrame, selfSize, children }: ProfileNode): void => {
      const where = `${callFrame.functionName}:${callFrame.lineNumber + 1}`;
      sums.set(where, (sums.get(where) ?? 0) + selfSize);
      children.forEach(visit);
    };
    visit(profile.head);
    for (const [where, bytes] of [...sums].sort((a, b) => b[1] - a[1]).slice(0, 12))
      console.log(`${(bytes / COUNTED).toFixed(3)} ${where}`);
  });
}

const capture = new Endless();
for (let done = 0; done < WARM; done += RECORDS) {
  capture.refill();
  capture.play();
}
globalThis.gc?.();
if (process.argv[2] === 'sample') sample(capture);
else {
  const buffers = process.memoryUsage().arrayBuffers;
  const before = capture.inserted;
  const bytes = played(capture, COUNTED) - idle(COUNTED / RECORDS);
  const report: HeapReport = {
    packets: COUNTED,
    bytes,
    perPacket: bytes / COUNTED,
    flows: capture.flows,
    inserted: capture.inserted - before,
    buffers: process.memoryUsage().arrayBuffers - buffers,
  };
  process.stdout.write(JSON.stringify(report));
}
