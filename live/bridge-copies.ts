import { copyBytes } from './ethernet.ts';
import { Memory } from './ring-memory.ts';
import { clearVnet, VNET_HEADER } from './vnet.ts';

const BYTES = 1 << 20;
/** The largest IP packet with its headers, rounded up. */
const LARGEST = 0x11000;
const MAC = 6;

/** Frames that do not leave as they came: their link header and the new packet, side by side until they are sent. */
export class FrameCopies {
  readonly memory: Memory = Memory.map(BYTES);
  /** Of the frame made last: its virtio_net_hdr, which comes first. */
  at = 0;
  /** Bytes of it, that header included. */
  length = 0;
  private used = 0;

  /** Whether {@link clear} must come before the next frame. */
  get full(): boolean {
    return this.used + LARGEST > BYTES;
  }

  /** Forgets all frames: they were sent. */
  clear(): void {
    this.used = 0;
  }

  /**
   * Makes a frame.
   * @param from where a frame with the link header is: from `link` to `network`
   * @param packet the IP packet in `bytes`, from `off` to `end`
   */
  make(from: DataView, link: number, network: number, bytes: DataView, off: number, end: number): void {
    const { view } = this.memory;
    const header = network - link;
    this.at = this.used;
    this.length = VNET_HEADER + header + end - off;
    clearVnet(view, this.at);
    copyBytes(from, link, view, this.at + VNET_HEADER, header);
    copyBytes(bytes, off, view, this.at + VNET_HEADER + header, end - off);
    // Sixteen bytes' alignment, as the kernel's own buffers have it.
    this.used = (this.at + this.length + 15) & ~15;
  }

  /** Copies what was left to the network card from the frame that came. */
  takeVnet(from: DataView, at: number): void {
    copyBytes(from, at, this.memory.view, this.at, VNET_HEADER);
  }

  /** Turns the frame around: it goes to whom it came from. */
  turn(): void {
    const { view } = this.memory;
    const to = this.at + VNET_HEADER;
    for (let i = 0; i < MAC; i++) {
      const byte = view.getUint8(to + i);
      view.setUint8(to + i, view.getUint8(to + MAC + i));
      view.setUint8(to + MAC + i, byte);
    }
  }

  close(): void {
    this.memory.close();
  }
}
