import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import type { ElementContext } from './element.ts';
import type { IfaceIds } from './iface-ids.ts';
import { addressAt, deviceName, isBitmapProtocol, macAt, NO_PORT, packetPort } from './packet-key.ts';
import type { SetQuery } from './set-base.ts';

/** Reads what a packet says into the key of an element; addresses of nets stay whole. */
export class PacketReader {
  readonly key: Int32Array;
  private readonly context: ElementContext;
  private readonly ifaces: IfaceIds;
  private readonly family: number;
  private readonly isBitmap: boolean;
  /** Of hash:ip: there is no element 0. */
  private readonly refusesZero: boolean;

  constructor(context: ElementContext, ifaces: IfaceIds) {
    const { type, options } = context;
    this.context = context;
    this.ifaces = ifaces;
    this.key = new Int32Array(context.layout.width);
    this.family = type.family === 'none' ? 0 : options.addressBytes === 4 ? AF_INET : AF_INET6;
    this.isBitmap = type.method === 'bitmap';
    this.refusesZero = type.name === 'hash:ip';
  }

  /** @returns false if the packet lacks any of it: another family, no port, no hardware address, too few `src,dst` */
  read(state: HookState, query: SetQuery): boolean {
    const { parts } = this.context.type;
    if (query.dimensions < parts.length) return false;
    if (this.family !== 0 && state.pkt.family !== this.family) return false;
    for (let i = 0; i < parts.length; i++)
      if (!this.readPart(state, i, (query.directions & (1 << i)) !== 0)) return false;
    return !this.refusesZero || !this.isZero();
  }

  private readPart(state: HookState, i: number, isSrc: boolean): boolean {
    const at = this.context.layout.at[i]!;
    switch (this.context.type.parts[i]!) {
      case 'ip':
      case 'net':
        this.readAddress(state, at, addressAt(state.pkt, isSrc));
        return true;
      case 'port':
        return this.readPort(state, at, isSrc);
      case 'mac':
        // A bitmap's hardware address is no part of the key.
        return this.isBitmap || this.readMac(state, at, isSrc);
      case 'mark': {
        const { markmask } = this.context.options;
        this.key[at] = markmask === null ? state.pkt.mark : state.pkt.mark & markmask;
        return true;
      }
      default: {
        const name = deviceName(state, isSrc);
        this.key[at] = this.ifaces.idOf(name) << 1;
        return name !== '';
      }
    }
  }

  private readPort(state: HookState, at: number, isSrc: boolean): boolean {
    const port = packetPort(state.pkt, isSrc);
    if (port === NO_PORT) return false;
    this.key[at] = this.isBitmap ? port & 0xffff : port;
    return !this.isBitmap || isBitmapProtocol(port >> 16);
  }

  private readMac(state: HookState, at: number, isSrc: boolean): boolean {
    const mac = macAt(state.pkt, isSrc);
    if (mac < 0) return false;
    const high = state.pkt.view.getInt32(mac);
    const low = state.pkt.view.getUint16(mac + 4);
    this.key[at] = high;
    this.key[at + 1] = low;
    return high !== 0 || low !== 0;
  }

  private readAddress(state: HookState, at: number, from: number): void {
    const { mask } = this.context.options;
    const words = this.context.layout.addressWords;
    for (let i = 0; i < words; i++) {
      const word = state.pkt.view.getInt32(from + 4 * i);
      this.key[at + i] = mask === null ? word : word & mask[i]!;
    }
  }

  private isZero(): boolean {
    const { key } = this;
    for (let i = 0; i < key.length; i++) if (key[i] !== 0) return false;
    return true;
  }
}
