import {
  AF_PACKET,
  bind,
  check,
  close,
  getOption,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  setIntOption,
  setOption,
  socket,
} from './libc.ts';

const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_COPY_THRESH = 7;
const PACKET_VERSION = 10;
const PACKET_RESERVE = 12;
const PACKET_VNET_HDR = 15;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_PROMISC = 1;
const TPACKET_V2 = 1;
const ETH_P_ALL = 3;

/** Bytes of frames longer than a place of the ring that may wait for us; what is sent and not yet taken. */
const BUFFER = 16 << 20;

/** Bytes before each frame of the ring that are ours: room for a VLAN tag; six more make IP headers aligned. */
export const RESERVED = 6;

/** What a packet socket is made for. */
export interface RingOptions {
  /** Places of the ring, a power of two from 32 on. */
  readonly frames: number;
  /** Bytes of a place; longer frames come by another way. */
  readonly frameBytes: number;
  /** Bytes of a block: what the kernel allocates in one piece. */
  readonly blockBytes: number;
  /** Whether frames that this machine sends are wanted too. */
  readonly outgoing: boolean;
}

/**
 * Makes a packet socket with a ring that belongs to no device yet, and sees nothing.
 *
 * TPACKET_V2 and not V3: in V2 each frame is seen when it comes, in V3 when its block is full or a timeout of whole
 * milliseconds ends.
 * PACKET_QDISC_BYPASS is left off: with it Linux drops every packet that it has to cut to size itself, since the next
 * device cannot (measured; __dev_direct_xmit).
 * @param device for messages
 * @throws DriverError naming the capability, if it is for lack of one
 */
export function ringSocket(device: string, options: RingOptions): number {
  const opening = `opening a packet socket on ${device}`;
  const fd = check(socket(AF_PACKET, SOCK_RAW, 0), opening, 'CAP_NET_RAW');
  const set = (name: number, value: number): void => {
    check(setIntOption(fd, SOL_PACKET, name, value), `${opening}: option ${name}`);
  };
  try {
    set(PACKET_VERSION, TPACKET_V2);
    set(PACKET_RESERVE, RESERVED);
    set(PACKET_VNET_HDR, 1);
    set(PACKET_COPY_THRESH, 1);
    set(PACKET_IGNORE_OUTGOING, options.outgoing ? 0 : 1);
    for (const name of [SO_RCVBUFFORCE, SO_SNDBUFFORCE]) {
      const enlarging = `enlarging the buffers of ${device}`;
      check(setIntOption(fd, SOL_SOCKET, name, BUFFER), enlarging, 'CAP_NET_ADMIN');
    }
    const { frames, frameBytes, blockBytes } = options;
    // struct tpacket_req: block size, blocks, frame size, frames
    const request = new Uint32Array([blockBytes, (frames * frameBytes) / blockBytes, frameBytes, frames]);
    const bytes = new Uint8Array(request.buffer);
    check(setOption(fd, SOL_PACKET, PACKET_RX_RING, bytes), `${opening}: a ring of ${frames} frames`);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Makes a socket see a device: everything that is on the wire, also for others.
 * @param index of the device
 * @returns whether there is (still) such a device
 */
export function bindToDevice(fd: number, index: number): boolean {
  const address = new Uint8Array(20); // struct sockaddr_ll: family, protocol, index, …
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL); // in network byte order
  view.setInt32(4, index, true);
  if (bind(fd, address) < 0) return false;
  const membership = new Uint8Array(16); // struct packet_mreq: index, type, address
  const fields = new DataView(membership.buffer);
  fields.setInt32(0, index, true);
  fields.setUint16(4, PACKET_MR_PROMISC, true);
  return setOption(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership) === 0;
}

/** Packets that found the ring full since this was asked last. */
export function dropsOf(fd: number): number {
  const stats = new Uint8Array(8); // struct tpacket_stats: packets, drops
  getOption(fd, SOL_PACKET, PACKET_STATISTICS, stats);
  return new DataView(stats.buffer).getUint32(4, true);
}
