/**
 * One measurement in a process of its own: reads a capture as the command line does, with as many of the stages
 * behind the reading as its arguments name. Whoever starts it takes the CPU time; it prints what came of it.
 *
 *     node dist/worker-file.js FILE STAGE
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { CaptureReader, CaptureRecord, Firewall, Packet, resetPacket, Settings } from '@keepstate/engine';
import { tuneCompiler } from '../cli/compiler.ts';

/** Bytes read at once, as the command line does. */
const CHUNK = 128 << 10;

/** Reads a capture packet by packet. */
function eachRecord(file: string, visit: (record: CaptureRecord) => void): void {
  const reader = new CaptureReader(file);
  const record = new CaptureRecord();
  const buffer = new Uint8Array(CHUNK);
  const fd = openSync(file, 'r');
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
    reader.push(buffer.subarray(0, length));
    while (reader.next(record)) visit(record);
  }
  reader.end();
  closeSync(fd);
}

/** A firewall that evicts nothing, with the stages that a measurement leaves out switched off. */
function firewallOf(stage: string): Firewall {
  const settings = new Settings();
  settings.set('nf_conntrack_max', 100_000_000);
  settings.set('nf_conntrack_checksum', stage === 'lookup' ? 0 : 1);
  const firewall = new Firewall({ settings });
  if (stage === 'dissect') {
    const ct = firewall.conntrack;
    ct.track = () => true;
    ct.confirm = () => true;
  }
  return firewall;
}

// As the command line does.
tuneCompiler();
const [file, stage] = process.argv.slice(2);
if (file === undefined || stage === undefined) throw new Error('usage: worker-file FILE STAGE');
const states = new Uint32Array(16);
let packets = 0;
let flows = 0;

if (stage === 'read') {
  eachRecord(file, () => {
    packets++;
  });
} else if (stage !== 'start') {
  const firewall = firewallOf(stage);
  const pkt = new Packet();
  let first = -1;
  // Only the whole lets time pass: with the clock held still no timer is moved and none runs out.
  const still = stage !== 'all';
  eachRecord(file, (record) => {
    packets++;
    if (first < 0) first = record.time;
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    pkt.time = still ? first : record.time;
    firewall.receive(pkt, record.linktype);
    states[pkt.ctinfo]!++;
  });
  flows = firewall.conntrack.table.count;
}
const { rss, heapUsed } = process.memoryUsage();
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ packets, flows, states: [...states], rss, heapUsed, peak })}\n`);
