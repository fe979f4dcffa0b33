/**
 * Sends UDP packets as fast as it can, or at a rate: `live-sender.ts JSON` with {@link Sending}. Prints how many it sent.
 * In a process of its own, for a namespace; past the IP stack, so that what is measured costs more than the sending.
 */
import { udpPacket } from '../engine/index.ts';
import { declare, deviceIndex } from '../live/libc.ts';
import { PacketRing } from '../live/ring.ts';
import { Memory } from '../live/ring-memory.ts';
import { bindToDevice } from '../live/ring-socket.ts';
import { SEND_BATCH, Sender } from '../live/sender.ts';
import { VNET_HEADER } from '../live/vnet.ts';

/** What to send. */
export interface Sending {
  readonly device: string;
  /** MAC address of the next hop, as text. */
  readonly mac: string;
  readonly src: string;
  readonly dst: string;
  readonly port: number;
  readonly seconds: number;
  /** Of UDP payload. */
  readonly bytes: number;
  /** Packets/s; 0 for as many as can be. */
  readonly rate: number;
}

const PR_SET_TIMERSLACK = 29;
const FLOWS = 16;
const ROOM = 2048;
const usleep = declare<(us: number) => number>('int usleep(uint us)');
const prctl = declare<(option: number, value: number) => number>('int prctl(int option, ulong value)');

const task = JSON.parse(process.argv[2]!) as Sending;
const { device, mac, src, dst, port, rate } = task;
const ring = new PacketRing(device, { frames: 32, outgoing: false });
bindToDevice(ring.fd, deviceIndex(device));
const sender = new Sender(ring.fd);
const frames = Memory.map(SEND_BATCH * ROOM);
let length = 0;
for (let i = 0; i < SEND_BATCH; i++) {
  const packet = udpPacket({ src, dst, sport: 30_000 + (i % FLOWS), dport: port, payload: task.bytes });
  const header = [...mac.split(':').map((part) => Number.parseInt(part, 16)), 2, 0, 0, 0, 0, 1, 8, 0];
  frames.bytes.set(header, i * ROOM + VNET_HEADER);
  frames.bytes.set(packet, i * ROOM + VNET_HEADER + header.length);
  length = VNET_HEADER + header.length + packet.length;
}
prctl(PR_SET_TIMERSLACK, 1000);
const start = performance.now();
const end = start + task.seconds * 1000;
let next = 0;
for (let now = start; now < end; now = performance.now()) {
  const behind = rate === 0 ? SEND_BATCH : Math.floor(((now - start) * rate) / 1000) - sender.sent;
  if (behind <= 0) {
    usleep(40);
    continue;
  }
  for (let i = Math.min(SEND_BATCH, behind); i > 0; i--, next = (next + 1) % SEND_BATCH)
    sender.push(frames, next * ROOM, length);
  sender.flush();
}
console.log(JSON.stringify({ sent: sender.sent, seconds: (performance.now() - start) / 1000 }));
ring.close();
