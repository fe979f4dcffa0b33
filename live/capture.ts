import { CHECKSUM_UNNECESSARY, Packet, resetPacket } from '@keepstate/engine';
import { now } from './clock.ts';
import { DLT_EN10MB, DLT_RAW, type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
import { FRAME_OTHER, findNetwork } from './ethernet.ts';
import { ARPHRD_ETHER, ARPHRD_LOOPBACK, deviceType } from './interface.ts';
import { InterfaceWatch } from './interface-watch.ts';
import { deviceIndex, takeError } from './libc.ts';
import { PacketRing } from './ring.ts';
import { bindToDevice } from './ring-socket.ts';
import { VNET_DATA_VALID, VNET_HEADER, VNET_NEEDS_CSUM } from './vnet.ts';

const PACKET_HOST = 0;
const PACKET_OUTGOING = 4;
/** Devices whose frames begin with the IP header: none, PPP, tunnels (linux/if_arp.h). */
const RAW_TYPES: ReadonlySet<number> = new Set([65534, 512, 768, 769, 776, 778]);

/** What is watched. */
export interface CaptureOptions {
  /** Name of the device. */
  readonly device: string;
  /** Its number in the host model. */
  readonly number: number;
  /** Places of its ring, a power of two from 32 on; 4096 if left out. */
  readonly frames?: number;
}

/** Watches a device: the judge sees every packet that comes or leaves by it, and changes nothing. */
export class Capture implements Driver {
  readonly mode = 'capture';
  readonly fds: readonly number[];
  private readonly device: string;
  private readonly number: number;
  private readonly ring: PacketRing;
  private readonly watch: InterfaceWatch;
  private readonly pkt: Packet = new Packet();
  private readonly linktype: number;
  /** On lo every packet leaves, and then comes: once is enough. */
  private readonly isLoopback: boolean;
  private index = 0;
  private isClosed = false;

  /** @throws DriverError if there is no such device, or for lack of a capability */
  constructor({ device, number, frames = 4096 }: CaptureOptions) {
    const type = deviceType(device);
    this.isLoopback = type === ARPHRD_LOOPBACK;
    if (type !== ARPHRD_ETHER && !this.isLoopback && !RAW_TYPES.has(type))
      throw new DriverError(`${device} is of a kind (${type}) that cannot be watched`);
    this.linktype = RAW_TYPES.has(type) ? DLT_RAW : DLT_EN10MB;
    this.device = device;
    this.number = number;
    this.ring = new PacketRing(device, { frames, outgoing: true });
    try {
      this.watch = new InterfaceWatch();
    } catch (error) {
      this.ring.close();
      throw error;
    }
    this.fds = [this.watch.fd, this.ring.fd];
    if (this.attach()) return;
    this.close();
    throw new DriverError(`there is no network device ${device}`);
  }

  get counts(): DriverCounts {
    return { received: this.ring.received, sent: 0, lost: this.ring.lost, unsent: 0 };
  }

  run(judge: Judge, most: number): number {
    if (this.isClosed) return 0;
    let total = 0;
    let got = 0;
    do {
      got = 0;
      this.pkt.time = now();
      while (this.ring.next()) {
        got++;
        this.frame(judge);
      }
      this.ring.release();
      total += got;
    } while (got > 0 && total < most);
    if (total === 0 && this.watch.happened()) this.attach();
    if (total === 0) takeError(this.ring.fd);
    return total;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.ring.close();
    this.watch.close();
  }

  private frame(judge: Judge): void {
    const { pkt, ring, number } = this;
    const leaves = ring.pkttype === PACKET_OUTGOING;
    if (leaves && this.isLoopback) return;
    const flags = ring.view.getUint8(ring.at - VNET_HEADER);
    // A frame that leaves is addressed to the next hop: to a firewall it would be one that is for somebody else.
    const isFrame = this.linktype === DLT_EN10MB;
    const network = leaves && isFrame ? findNetwork(ring.view, ring.at, ring.end) : FRAME_OTHER;
    resetPacket(pkt, ring.bytes, ring.view, network < 0 ? ring.at : network, ring.end);
    pkt.ifin = leaves ? 0 : number;
    pkt.ifout = leaves ? number : 0;
    pkt.pkttype = leaves ? PACKET_HOST : ring.pkttype;
    if ((flags & (VNET_NEEDS_CSUM | VNET_DATA_VALID)) !== 0) pkt.checksum = CHECKSUM_UNNECESSARY;
    judge.judge(pkt, network < 0 ? this.linktype : DLT_RAW);
  }

  private attach(): boolean {
    const index = deviceIndex(this.device);
    if (index !== 0 && index === this.index) return true;
    this.index = index !== 0 && bindToDevice(this.ring.fd, index) ? index : 0;
    return this.index !== 0;
  }
}
