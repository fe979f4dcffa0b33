import {
  AF_INET,
  AF_INET6,
  CHECKSUM_UNNECESSARY,
  type HostModel,
  NF_ACCEPT,
  type Outcome,
  Packet,
  resetPacket,
} from '@keepstate/engine';
import { now } from './clock.ts';
import { DLT_RAW, type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
import {
  addressOf,
  close,
  declare,
  EAGAIN,
  EBADFD,
  EINTR,
  errnoName,
  lastErrno,
  readAt,
  writeAt,
} from './libc.ts';
import { putWord } from './nfqueue-receive.ts';
import { openTun } from './tun-device.ts';
import { mendPartial, settlePartial, VNET_DATA_VALID, VNET_HEADER, VNET_NEEDS_CSUM } from './vnet.ts';

const writev: (fd: number, iovecs: number, count: number) => number = declare(
  'int writev(int fd, uintptr_t iovecs, int count)',
);

/** Longest IP packet, and the header before it. */
const SLOT = 0x10000 + VNET_HEADER;
const IOVEC = 16;
/** Packets between two looks at the clock. */
const BATCH = 64;
/** So often in a row reading must fail to be an error. */
const PATIENCE = 16;

/** What a TUN gateway is made of. */
export interface TunOptions {
  /** Name of the device: one that is there (`ip tuntap add`), or that is to be made. */
  readonly device: string;
  /** keepstate as a router, as `KernelHost.forTun` makes it. */
  readonly host: HostModel;
  /** Whether long TCP packets may come in one piece. On if left out. */
  readonly offload?: boolean;
}

/**
 * A firewall on a TUN device: the kernel routes packets into it, and gets back by the same device those that may go on.
 * What is for an address of keepstate itself, and no reply to what it translated, is judged and then dropped: there is
 * nobody to answer.
 *
 * A device that keepstate makes goes with it, and its routes too: only a second route, `blackhole default metric 9999`
 * in the same table, keeps packets from going around it then. A device made by `ip tuntap add` stays, and drops what
 * nobody reads. Where the kernel's own errors shall pass as well, the device needs `accept_local` 1.
 */
export class Tun implements Driver {
  readonly mode = 'tun';
  readonly fds: readonly number[];
  /** As the kernel calls the device. */
  readonly device: string;
  private readonly fd: number;
  private readonly host: HostModel;
  /** Bytes before each packet. */
  private readonly header: number;
  private readonly slot: Uint8Array = new Uint8Array(new ArrayBuffer(SLOT));
  private readonly view: DataView = new DataView(this.slot.buffer);
  private readonly address: number = addressOf(this.slot);
  /** For packets in other bytes than the slot: the header, then the packet. */
  private readonly iovecs: Uint8Array = new Uint8Array(new ArrayBuffer(2 * IOVEC));
  private readonly iovecsView: DataView = new DataView(this.iovecs.buffer);
  private readonly iovecsAddress: number = addressOf(this.iovecs);
  private readonly noHeader: number;
  private readonly empty: Uint8Array = new Uint8Array(new ArrayBuffer(VNET_HEADER));
  /** The packet's own bytes, and where they are. */
  private own: Uint8Array = new Uint8Array(0);
  private ownAddress = 0;
  private readonly pkt: Packet = new Packet();
  private received = 0;
  private sent = 0;
  private unsent = 0;
  private failures = 0;
  private isClosed = false;

  /** @throws DriverError */
  constructor({ device, host, offload = true }: TunOptions) {
    const { fd, name, hasVnet } = openTun(device, offload);
    this.fd = fd;
    this.fds = [fd];
    this.device = name;
    this.host = host;
    this.header = hasVnet ? VNET_HEADER : 0;
    this.noHeader = addressOf(this.empty);
    putWord(this.iovecsView, 8, this.header);
  }

  /** A TUN device tells nobody what it dropped as its queue was full: see `ip -s link`. */
  get counts(): DriverCounts {
    return { received: this.received, sent: this.sent, lost: 0, unsent: this.unsent };
  }

  run(judge: Judge, most: number): number {
    let total = 0;
    for (; total < most; total++) {
      if (total % BATCH === 0) this.pkt.time = now();
      const length = readAt(this.fd, this.address, SLOT);
      if (length < 0) {
        const errno = lastErrno();
        const isEmpty = errno === EAGAIN || errno === EINTR;
        // See nfqueue.ts: errno may be that of another call.
        if (isEmpty || ++this.failures < PATIENCE) {
          if (isEmpty) this.failures = 0;
          break;
        }
        if (errno === EBADFD) throw new DriverError(`the TUN device ${this.device} was removed`);
        throw new DriverError(`reading from ${this.device}: ${errnoName(errno)}`);
      }
      if (length > this.header) this.judge(judge, length);
    }
    return total;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    close(this.fd);
  }

  private judge(judge: Judge, length: number): void {
    const { pkt, slot, view, header } = this;
    this.received++;
    resetPacket(pkt, slot, view, header, length);
    pkt.ifin = this.cameBy();
    const flags = header === 0 ? 0 : view.getUint8(0);
    if ((flags & (VNET_NEEDS_CSUM | VNET_DATA_VALID)) !== 0) pkt.checksum = CHECKSUM_UNNECESSARY;
    const verdict = judge.judge(pkt, DLT_RAW);
    const { outcome } = judge;
    if (outcome.answers.length > 0) this.answer(outcome);
    if (verdict !== NF_ACCEPT || pkt.ifout === 0) return;
    if (outcome.out.length > 0) for (const piece of outcome.out) this.write(addressOf(piece), piece.length);
    else if (header > 0 && !settlePartial(view, 0, 0, pkt)) this.unsent++;
    else if (pkt.bytes === slot) this.count(writeAt(this.fd, this.address, pkt.end));
    else this.writeOwn();
  }

  /** The device by which the kernel would answer, else the TUN itself. */
  private cameBy(): number {
    const { host, view, header } = this;
    const isIpv6 = view.getUint8(header) >> 4 === 6;
    const found = isIpv6
      ? host.routeDevice(AF_INET6, view, header + 8, 0, 0)
      : host.routeDevice(AF_INET, view, header + 12, 0, 0);
    return found > 1 ? found : (host.deviceNamed(this.device)?.index ?? 0);
  }

  /** Writes a packet that rules rewrote, with the header that it came with. */
  private writeOwn(): void {
    const { pkt, view, header } = this;
    if (header > 0) mendPartial(view, 0, 0, pkt);
    if (pkt.own !== this.own) {
      this.own = pkt.own;
      this.ownAddress = addressOf(pkt.own);
    }
    this.writePair(this.address, this.ownAddress + pkt.off, pkt.end - pkt.off);
  }

  /** Writes a packet that leaves nothing to do. */
  private write(address: number, length: number): void {
    this.writePair(this.noHeader, address, length);
  }

  private writePair(header: number, address: number, length: number): void {
    if (this.header === 0) {
      this.count(writeAt(this.fd, address, length));
      return;
    }
    const { iovecsView } = this;
    putWord(iovecsView, 0, header);
    putWord(iovecsView, IOVEC, address);
    putWord(iovecsView, IOVEC + 8, length);
    this.count(writev(this.fd, this.iovecsAddress, 2));
  }

  private count(written: number): void {
    if (written < 0) this.unsent++;
    else this.sent++;
  }

  private answer({ answers }: Outcome): void {
    for (const { bytes, left } of answers) if (left) this.write(addressOf(bytes), bytes.length);
  }
}
