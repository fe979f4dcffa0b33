import { CHECKSUM_UNNECESSARY, NF_ACCEPT, NF_STOLEN, Packet, resetPacket } from '@keepstate/engine';
import { FrameCopies } from './bridge-copies.ts';
import { BridgePort } from './bridge-port.ts';
import { BridgeTable, GROUP } from './bridge-table.ts';
import { now } from './clock.ts';
import { DLT_EN10MB, DLT_RAW, type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
import { FRAME_BAD, FRAME_OTHER, findNetwork } from './ethernet.ts';
import { InterfaceWatch } from './interface-watch.ts';
import type { PacketRing } from './ring.ts';
import type { Memory } from './ring-memory.ts';
import { mendPartial, settlePartial, VNET_DATA_VALID, VNET_HEADER, VNET_NEEDS_CSUM } from './vnet.ts';

const PACKET_HOST = 0;
const PACKET_OTHERHOST = 3;
const MAC = 6;
/** How often devices are looked at while packets never cease (ms). */
const LOOK_AROUND = 100;
/** The same where something other than a packet woke us (ms). */
const LOOK_IDLE = 5;
const NO_PIECES: readonly Uint8Array[] = [];

/** What a bridge is made of. */
export interface BridgeOptions {
  /** Names of two or more Ethernet devices, with their numbers in the host model. */
  readonly devices: ReadonlyMap<string, number>;
  /** Places of each device's ring, a power of two from 32 on; 4096 if left out. */
  readonly frames?: number;
}

/**
 * A transparent firewall between Ethernet devices. IP packets, also in VLAN tags, pass if the judge accepts them; all
 * other frames (ARP, spanning tree) pass. No frame goes back by the device that it came by. With more than two devices
 * it learns where stations are; a frame for all, or for an unknown station, is judged for each device by which it would
 * leave.
 *
 * The devices should have no addresses, and this machine must not forward between them: then it fails closed by itself,
 * since without a process nobody carries frames from one to the other. Failing open is not to be had in this mode.
 */
export class Bridge implements Driver {
  readonly mode = 'bridge';
  readonly fds: readonly number[];
  private readonly ports: BridgePort[] = [];
  private readonly watch: InterfaceWatch;
  private readonly table: BridgeTable = new BridgeTable();
  private readonly copies: FrameCopies = new FrameCopies();
  private readonly pkt: Packet = new Packet();
  /** First byte of the IP header of the frame under way. */
  private network = 0;
  /** Frames that could not leave: there is no device, or their checksum is not where one can be. */
  private unfit = 0;
  /** When the devices were looked at last. */
  private looked = 0;
  private isClosed = false;

  /** @throws DriverError if a device is missing or no Ethernet device, or for lack of a capability */
  constructor({ devices, frames = 4096 }: BridgeOptions) {
    try {
      if (devices.size < 2) throw new DriverError('a bridge needs two devices or more');
      for (const [name, number] of devices)
        this.ports.push(new BridgePort(name, number, this.ports.length, frames));
      this.watch = new InterfaceWatch();
    } catch (error) {
      for (const port of this.ports) port.close();
      this.copies.close();
      throw error;
    }
    this.fds = [this.watch.fd, ...this.ports.map(({ ring }) => ring.fd)];
  }

  get counts(): DriverCounts {
    const counts = { received: 0, sent: 0, lost: 0, unsent: this.unfit };
    for (const { ring, sender } of this.ports) {
      counts.received += ring.received;
      counts.lost += ring.lost;
      counts.sent += sender.sent;
      counts.unsent += sender.unsent;
    }
    return counts;
  }

  run(judge: Judge, most: number): number {
    if (this.isClosed) return 0;
    let total = 0;
    let got = 0;
    do {
      got = 0;
      this.pkt.time = now();
      for (let i = 0; i < this.ports.length; i++) got += this.take(this.ports[i]!, judge);
      if (got > 0) this.flush();
      for (let i = 0; i < this.ports.length; i++) this.ports[i]!.ring.release();
      total += got;
    } while (got > 0 && total < most);
    // Who was woken without there being a frame was woken by something else.
    const since = this.pkt.time - this.looked;
    if (since > LOOK_AROUND || (total === 0 && since > LOOK_IDLE)) this.lookAround(total === 0);
    return total;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const port of this.ports) port.close();
    this.watch.close();
    this.copies.close();
  }

  /** Devices may have gone, or come. @param idle whether something other than a packet woke us */
  private lookAround(idle: boolean): void {
    this.looked = this.pkt.time;
    // Asked first: what happens from now on wakes us again.
    if (!this.watch.happened() && !idle) return;
    for (const port of this.ports) if (!port.attach()) this.table.forget(port.place);
  }

  private flush(): void {
    for (let i = 0; i < this.ports.length; i++) this.ports[i]!.sender.flush();
    this.copies.clear();
  }

  /** Takes a batch of frames from a port, and queues what may go on. */
  private take(port: BridgePort, judge: Judge): number {
    const { ring } = port;
    let got = 0;
    while (ring.next()) {
      got++;
      this.frame(port, judge);
    }
    return got;
  }

  /** A frame's way through the bridge. */
  private frame(port: BridgePort, judge: Judge): void {
    const { view, at, end } = port.ring;
    this.network = findNetwork(view, at, end);
    if (this.network === FRAME_BAD || !port.isThere) return;
    if (this.ports.length === 2) {
      this.pass(port, this.ports[1 - port.place]!, judge);
      return;
    }
    const { time } = this.pkt;
    this.table.learn(view, at + MAC, port.place, time);
    const isGroup = (view.getUint8(at) & GROUP) !== 0;
    const to = isGroup ? -1 : this.table.portOf(view, at, time);
    if (to < 0) this.flood(port, judge);
    else if (to !== port.place) this.pass(port, this.ports[to]!, judge);
  }

  /**
   * Passes a frame on by one port, if it may.
   * @returns NF_*
   */
  private pass(port: BridgePort, out: BridgePort, judge: Judge): number {
    const { ring } = port;
    if (this.network === FRAME_OTHER) {
      this.queue(out, ring.memory, ring.at - VNET_HEADER, ring.end - ring.at + VNET_HEADER);
      return NF_ACCEPT;
    }
    const { pkt } = this;
    const flags = ring.view.getUint8(ring.at - VNET_HEADER);
    resetPacket(pkt, ring.bytes, ring.view, ring.at, ring.end);
    pkt.ifin = port.number;
    pkt.ifout = out.number;
    pkt.pkttype = ring.pkttype === PACKET_OTHERHOST ? PACKET_HOST : ring.pkttype;
    if ((flags & (VNET_NEEDS_CSUM | VNET_DATA_VALID)) !== 0) pkt.checksum = CHECKSUM_UNNECESSARY;
    const verdict = judge.judge(pkt, DLT_EN10MB);
    if (judge.outcome.answers.length > 0) this.answer(port, judge);
    if (verdict === NF_ACCEPT) this.leave(ring, out, judge);
    return verdict;
  }

  /** Queues an accepted packet, as the judge left it. */
  private leave(ring: PacketRing, out: BridgePort, judge: Judge): void {
    const { pkt } = this;
    if (judge.outcome.out.length > 0) {
      for (const piece of judge.outcome.out) this.make(ring, out, viewOf(piece), 0, piece.length);
      return;
    }
    const vnet = ring.at - VNET_HEADER;
    if (!settlePartial(ring.view, vnet, this.network - ring.at, pkt)) {
      this.unfit++;
    } else if (pkt.bytes === ring.bytes) {
      // From where it came, without what stood behind the IP packet.
      this.queue(out, ring.memory, vnet, pkt.end - vnet);
    } else {
      mendPartial(ring.view, vnet, this.network - ring.at, pkt);
      this.make(ring, out, pkt.view, pkt.off, pkt.end);
      this.copies.takeVnet(ring.view, vnet);
    }
  }

  /** Queues another packet behind the link header of the frame under way. */
  private make(
    ring: PacketRing,
    out: BridgePort,
    view: DataView,
    off: number,
    end: number,
    turned = false,
  ): void {
    const { copies } = this;
    if (copies.full) this.flush();
    copies.make(ring.view, ring.at, this.network, view, off, end);
    if (turned) copies.turn();
    this.queue(out, copies.memory, copies.at, copies.length);
  }

  private queue(out: BridgePort, memory: Memory, at: number, length: number): void {
    if (!out.isThere) {
      this.unfit++;
      return;
    }
    if (out.sender.full) out.sender.flush();
    out.sender.push(memory, at, length);
  }

  /** Sends what the firewall answered, to the one who sent the frame under way if it is not for another port. */
  private answer(port: BridgePort, judge: Judge): void {
    for (const { bytes, left, ifout } of judge.outcome.answers) {
      if (!left) continue;
      const out = this.ports.find(({ number }) => number === ifout) ?? port;
      this.make(port.ring, out, viewOf(bytes), 0, bytes.length, out === port);
    }
  }

  /** Passes a frame on by all other ports by which it may leave. */
  private flood(port: BridgePort, judge: Judge): void {
    let pieces: readonly Uint8Array[] = NO_PIECES;
    for (const out of this.ports) {
      if (out === port) continue;
      if (pieces.length > 0) {
        this.passPieces(port, out, judge, pieces);
        continue;
      }
      // A fragment that is held comes again in pieces, with its last one.
      if (this.pass(port, out, judge) === NF_STOLEN) return;
      if (judge.outcome.out.length > 0) pieces = [...judge.outcome.out];
    }
  }

  /** Has the fragments of a datagram judged for one more port: the engine held the others until the last one came. */
  private passPieces(port: BridgePort, out: BridgePort, judge: Judge, pieces: readonly Uint8Array[]): void {
    const { pkt } = this;
    for (const piece of pieces) {
      resetPacket(pkt, piece, viewOf(piece), 0, piece.length);
      pkt.ifin = port.number;
      pkt.ifout = out.number;
      if (judge.judge(pkt, DLT_RAW) !== NF_ACCEPT) continue;
      for (const one of judge.outcome.out) this.make(port.ring, out, viewOf(one), 0, one.length);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
