import { close, MSG_DONTWAIT, MSG_TRUNC, recvAt } from './libc.ts';
import { Memory } from './ring-memory.ts';
import { dropsOf, type RingOptions, ringSocket } from './ring-socket.ts';
import { shiftVnet, VNET_HEADER } from './vnet.ts';

/** Frames are taken in batches of at most this. */
const RING_BATCH = 64;

const FRAME_BYTES = 2048;
const BLOCK_BYTES = 1 << 16;

// struct tpacket2_hdr, and struct sockaddr_ll behind it
const TP_LEN = 4;
const TP_SNAPLEN = 8;
const TP_MAC = 12;
const TP_VLAN_TCI = 24;
const TP_VLAN_TPID = 26;
const SLL_PKTTYPE = 42;

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
const TP_STATUS_COPY = 2;
const TP_STATUS_VLAN_VALID = 0x10;
const TP_STATUS_VLAN_TPID_VALID = 0x40;

const ETH_P_8021Q = 0x8100;
const VLAN_TAG = 4;
const MAC_ADDRESSES = 12;

/** A frame that does not fit the ring: a packet of up to 64 KiB that is still to be cut, its headers, some room. */
const LARGE_BYTES = 0x11000;
const LARGE_FRAMES = 8;
const LARGE_HEAD = 16;

/**
 * Frames from a device, in memory that the kernel shares with us (packet_mmap of the kernel's documentation): each
 * has a status word that says whose it is. Frames taken with {@link next} are ours until {@link release}.
 */
export class PacketRing {
  /** The socket; readable when frames are there. */
  readonly fd: number;
  /** Frames that came. */
  received = 0;

  // Of the frame that next() took:
  /** Where it is: the ring, or the place for large frames. */
  memory: Memory;
  bytes: Uint8Array;
  view: DataView;
  /** Its first byte, of the destination address; the virtio_net_hdr ends there. VLAN tags are where they were. */
  at = 0;
  /** First byte past it. */
  end = 0;
  /** PACKET_*: 0 to this host, … 4 sent by this host. */
  pkttype = 0;

  private readonly ring: Memory;
  private readonly status: Int32Array;
  private readonly mask: number;
  private large: Memory | null = null;
  private largeUsed = 0;
  /** Place of the first frame that is ours. */
  private first = 0;
  /** How many of them are known to be there, and how many were taken. */
  private ready = 0;
  private taken = 0;
  private drops = 0;
  private broken = 0;

  /**
   * @param device its name, for messages
   * @throws DriverError
   */
  constructor(device: string, options: Pick<RingOptions, 'frames' | 'outgoing'>) {
    const { frames, outgoing } = options;
    this.fd = ringSocket(device, { frames, outgoing, frameBytes: FRAME_BYTES, blockBytes: BLOCK_BYTES });
    try {
      this.ring = Memory.map(frames * FRAME_BYTES, this.fd);
    } catch (error) {
      close(this.fd);
      throw error;
    }
    this.status = new Int32Array(this.ring.bytes.buffer);
    this.mask = frames - 1;
    this.memory = this.ring;
    this.bytes = this.ring.bytes;
    this.view = this.ring.view;
  }

  /** Packets that the kernel dropped because the ring was full, or that could not be had whole. */
  get lost(): number {
    this.drops += dropsOf(this.fd);
    return this.drops + this.broken;
  }

  /**
   * Takes the next frame.
   * @returns false if there is none, or no more before {@link release}
   */
  next(): boolean {
    for (;;) {
      if (this.taken === this.ready || this.largeUsed >= LARGE_FRAMES) {
        if (this.taken > 0 || !this.look()) return false;
      }
      const place = ((this.first + this.taken) & this.mask) * FRAME_BYTES;
      this.taken++;
      this.received++;
      if (this.read(place, this.status[place >> 2]!)) return true;
      this.broken++;
    }
  }

  /** Gives the frames that were taken back to the kernel. */
  release(): void {
    const { status, taken } = this;
    if (taken === 0) return;
    for (let i = taken - 1; i > 0; i--) status[this.statusOf(i)] = TP_STATUS_KERNEL;
    // The kernel fills places in order, so this one bars the others until all that was read of them is read.
    Atomics.store(status, this.statusOf(0), TP_STATUS_KERNEL);
    this.first = (this.first + taken) & this.mask;
    this.taken = 0;
    this.ready = 0;
    this.largeUsed = 0;
  }

  /** Closes the socket, then gives the memory back. */
  close(): void {
    close(this.fd);
    this.taken = 0;
    this.ready = 0;
    this.memory = this.ring;
    this.ring.close();
    this.large?.close();
    this.bytes = this.ring.bytes;
    this.view = this.ring.view;
  }

  /** Where the status word of the frame is that is so many behind the first. */
  private statusOf(frame: number): number {
    return (((this.first + frame) & this.mask) * FRAME_BYTES) >> 2;
  }

  /** @returns false if the frame is not to be had whole */
  private read(place: number, status: number): boolean {
    const { view } = this.ring;
    this.pkttype = view.getUint8(place + SLL_PKTTYPE);
    const length = view.getUint32(place + TP_LEN, true);
    if (view.getUint32(place + TP_SNAPLEN, true) === length) {
      if (this.memory !== this.ring) this.turnTo(this.ring);
      this.at = place + view.getUint16(place + TP_MAC, true);
      this.end = this.at + length;
    } else if ((status & TP_STATUS_COPY) === 0 || !this.receiveLarge()) return false;
    if ((status & TP_STATUS_VLAN_VALID) !== 0) this.restoreTag(place, status);
    return true;
  }

  /**
   * Counts the frames that are there, up to a batch. One atomic load for all of them, which V8 does not inline: on
   * processors that reorder reads it keeps those of the frames behind those of the status words.
   */
  private look(): boolean {
    const { status } = this;
    let ready = 0;
    while (ready < RING_BATCH && (status[this.statusOf(ready)]! & TP_STATUS_USER) !== 0) ready++;
    if (ready > 0) Atomics.load(status, this.statusOf(ready - 1));
    this.ready = ready;
    return ready > 0;
  }

  private turnTo(memory: Memory): void {
    this.memory = memory;
    this.bytes = memory.bytes;
    this.view = memory.view;
  }

  /** The ring has only the beginning: the whole frame waits at the socket, in the same order. */
  private receiveLarge(): boolean {
    this.large ??= Memory.map(LARGE_BYTES * LARGE_FRAMES);
    const slot = this.largeUsed * LARGE_BYTES + LARGE_HEAD;
    const room = LARGE_BYTES - LARGE_HEAD;
    const length = recvAt(this.fd, this.large.address + slot, room, MSG_DONTWAIT | MSG_TRUNC);
    if (length < VNET_HEADER || length > room) return false;
    this.largeUsed++;
    this.turnTo(this.large);
    this.at = slot + VNET_HEADER;
    this.end = slot + length;
    return true;
  }

  /** Linux takes the outermost VLAN tag out of a frame before anybody sees it; here it comes back. */
  private restoreTag(place: number, status: number): void {
    const head = this.ring.view;
    const tpid = head.getUint16(place + TP_VLAN_TPID, true);
    const { view, at } = this;
    // The header of virtio moves with the addresses.
    for (let i = at - VNET_HEADER; i < at + MAC_ADDRESSES; i += 2)
      view.setInt16(i - VLAN_TAG, view.getInt16(i));
    this.at = at - VLAN_TAG;
    view.setUint16(this.at + MAC_ADDRESSES, (status & TP_STATUS_VLAN_TPID_VALID) !== 0 ? tpid : ETH_P_8021Q);
    view.setUint16(this.at + MAC_ADDRESSES + 2, head.getUint16(place + TP_VLAN_TCI, true));
    shiftVnet(view, this.at - VNET_HEADER, VLAN_TAG);
  }
}
