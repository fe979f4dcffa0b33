/** Sends Ethernet frames, given in hex, by a device of the namespace that it runs in: `frame-worker.ts DEVICE FRAME…`. */
import { deviceIndex } from '../../live/libc.ts';
import { PacketRing } from '../../live/ring.ts';
import { Memory } from '../../live/ring-memory.ts';
import { bindToDevice } from '../../live/ring-socket.ts';
import { Sender } from '../../live/sender.ts';
import { VNET_HEADER } from '../../live/vnet.ts';

const [device, ...frames] = process.argv.slice(2);
const ring = new PacketRing(device!, { frames: 32, outgoing: false });
bindToDevice(ring.fd, deviceIndex(device!));
const sender = new Sender(ring.fd);
const memory = Memory.map(4096);
for (const frame of frames) {
  memory.bytes.set(Buffer.from(frame, 'hex'), VNET_HEADER);
  sender.push(memory, 0, VNET_HEADER + frame.length / 2);
  sender.flush();
}
ring.close();
