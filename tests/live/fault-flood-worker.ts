/**
 * Sends frames by eth0 as fast as the machine makes them, past the IP stack: `fault-flood-worker.ts JSON` with a
 * {@link Flood}. Prints how many it sent. Runs in the client of a live network.
 */
import { icmpPacket, icmpv6Packet, tcpPacket, udpPacket } from '@keepstate/engine';
import { deviceIndex } from '../../live/libc.ts';
import { PacketRing } from '../../live/ring.ts';
import { Memory } from '../../live/ring-memory.ts';
import { bindToDevice } from '../../live/ring-socket.ts';
import { SEND_BATCH, Sender } from '../../live/sender.ts';
import { VNET_HEADER } from '../../live/vnet.ts';
import { CLIENT4, CLIENT6, SERVER4, SERVER6 } from '../real/network.ts';

/** What to send. */
export interface Flood {
  /** SYNs to port 80 from random addresses of 10.0.0.0/8; frames with random mistakes; UDP flows to port 7777. */
  readonly kind: 'syn' | 'malformed' | 'flows';
  /** MAC address of the next hop, as hex. */
  readonly mac: string;
  readonly seed: number;
  /** How long, in s; 0 if `count` says how many: those come at about 10,000/s. */
  readonly seconds: number;
  readonly count: number;
}

/** Between two batches of what is counted (ms). */
const PAUSE = 5;
const ETHERNET = 14;
const ROOM = 512;
const SYN = 2;
const ICMP_ECHO = 8;
const ICMPV6_ECHO = 128;

const task = JSON.parse(process.argv[2]!) as Flood;
const ring = new PacketRing('eth0', { frames: 32, outgoing: false });
bindToDevice(ring.fd, deviceIndex('eth0'));
const sender = new Sender(ring.fd);
const memory = Memory.map(SEND_BATCH * ROOM);
const { bytes, view } = memory;

const pauseWord = new Int32Array(new SharedArrayBuffer(4));
let state = task.seed | 1;
/** 32 random bits (xorshift), which repeat with the seed. */
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

/** Adds to the one's complement sum of a checksum what a changed 16-bit word makes (RFC 1624). */
function mend(at: number, before: number, after: number): void {
  let sum = (~view.getUint16(at) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(at, ~sum & 0xffff);
}

/** Puts an IP packet into a place. @returns length of what is to be sent */
function put(place: number, packet: Uint8Array): number {
  const at = place * ROOM;
  bytes.fill(0, at, at + VNET_HEADER);
  bytes.set(
    Buffer.from(`${task.mac}020000000110${packet[0]! >> 4 === 6 ? '86dd' : '0800'}`, 'hex'),
    at + VNET_HEADER,
  );
  bytes.set(packet, at + VNET_HEADER + ETHERNET);
  return VNET_HEADER + ETHERNET + packet.length;
}

/** Another word of a packet, in the checksums of its IP and TCP headers as well. */
function replace(place: number, offset: number, value: number, isInIp: boolean, checksum: number): void {
  const ip = place * ROOM + VNET_HEADER + ETHERNET;
  const before = view.getUint16(ip + offset);
  view.setUint16(ip + offset, value);
  if (isInIp) mend(ip + 10, before, value);
  mend(ip + 20 + checksum, before, value);
}

const BASES: readonly Uint8Array[] = [
  tcpPacket({ src: CLIENT4, dst: SERVER4, sport: 1000, dport: 80, flags: SYN, seq: 1, ack: 0 }),
  udpPacket({ src: CLIENT4, dst: SERVER4, sport: 1000, dport: 53, payload: 40 }),
  icmpPacket({ src: CLIENT4, dst: SERVER4, type: ICMP_ECHO, id: 1, seq: 1 }),
  tcpPacket({ src: CLIENT6, dst: SERVER6, sport: 1000, dport: 80, flags: SYN, seq: 1, ack: 0 }),
  udpPacket({ src: CLIENT6, dst: SERVER6, sport: 1000, dport: 53, payload: 40 }),
  icmpv6Packet({ src: CLIENT6, dst: SERVER6, type: ICMPV6_ECHO, id: 1, seq: 1 }),
];

/** A packet with a few wrong bytes, mostly in its headers, and now and then of another length. */
function malformed(place: number): number {
  let length = put(place, BASES[random() % BASES.length]!);
  const start = place * ROOM + VNET_HEADER + ETHERNET;
  for (let mistakes = 1 + (random() % 4); mistakes > 0; mistakes--)
    bytes[start + (random() % Math.min(64, length - VNET_HEADER - ETHERNET))] = random();
  if (random() % 3 === 0) length = VNET_HEADER + ETHERNET + (random() % (length - VNET_HEADER - ETHERNET));
  return length;
}

function syn(place: number): number {
  replace(place, 12, 0x0a00 | (random() & 0xff), true, 16);
  replace(place, 14, random() & 0xffff, true, 16);
  replace(place, 20, random() & 0xffff, false, 16);
  return VNET_HEADER + ETHERNET + BASES[0]!.length;
}

let flow = 0;
function udpFlow(place: number): number {
  replace(place, 20, 1024 + (flow++ % 60_000), false, 6);
  return VNET_HEADER + ETHERNET + FLOW.length;
}

const FLOW: Uint8Array = udpPacket({ src: CLIENT4, dst: SERVER4, sport: 1, dport: 7777, payload: 4 });
const make = { syn, malformed, flows: udpFlow }[task.kind];
const base = { syn: BASES[0]!, malformed: BASES[0]!, flows: FLOW }[task.kind];
for (let place = 0; place < SEND_BATCH; place++) put(place, base);

const end = task.count > 0 ? Number.POSITIVE_INFINITY : performance.now() + task.seconds * 1000;
let left = task.count > 0 ? task.count : Number.POSITIVE_INFINITY;
while (left > 0 && performance.now() < end) {
  const batch = Math.min(SEND_BATCH, left);
  for (let place = 0; place < batch; place++) sender.push(memory, place * ROOM, make(place));
  sender.flush();
  left -= batch;
  // Flows that are counted are all to arrive.
  if (task.count > 0) Atomics.wait(pauseWord, 0, 0, PAUSE);
}
console.log(JSON.stringify({ sent: sender.sent, unsent: sender.unsent }));
ring.close();
