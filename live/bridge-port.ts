import { DriverError } from './driver.ts';
import { ARPHRD_ETHER, deviceType } from './interface.ts';
import { deviceIndex, takeError } from './libc.ts';
import { PacketRing } from './ring.ts';
import { bindToDevice } from './ring-socket.ts';
import { Sender } from './sender.ts';

/** One device of a bridge: frames come from its ring and leave by its sender. */
export class BridgePort {
  readonly name: string;
  /** Of the device in the host model. */
  readonly number: number;
  /** Its place among the ports. */
  readonly place: number;
  readonly ring: PacketRing;
  readonly sender: Sender;
  /** The kernel's number of the device, 0 while there is none. */
  private index = 0;

  /**
   * @param frames places of its ring
   * @throws DriverError, if there is no such device among the reasons
   */
  constructor(name: string, number: number, place: number, frames: number) {
    const type = deviceType(name);
    if (type !== ARPHRD_ETHER)
      throw new DriverError(`${name} is no Ethernet device (type ${type}), and cannot be bridged`);
    this.name = name;
    this.number = number;
    this.place = place;
    this.ring = new PacketRing(name, { frames, outgoing: false });
    this.sender = new Sender(this.ring.fd);
    if (this.attach()) return;
    this.close();
    throw new DriverError(`there is no network device ${name}`);
  }

  /** Whether the device is there. */
  get isThere(): boolean {
    return this.index !== 0;
  }

  /**
   * Looks for the device anew: it may have been removed, and another one of its name made. That a device is down, the
   * socket sees by itself, and goes on when it is up again.
   * @returns whether it is there
   */
  attach(): boolean {
    // Left over from when it went down; until it is taken, the descriptor counts as ready.
    takeError(this.ring.fd);
    const index = deviceIndex(this.name);
    if (index !== 0 && index === this.index) return true;
    this.index = index !== 0 && bindToDevice(this.ring.fd, index) ? index : 0;
    return this.index !== 0;
  }

  close(): void {
    this.ring.close();
    this.sender.close();
  }
}
