import type { Dice } from './dice.ts';
import { fragmentsOf } from './fragments.ts';
import { errorPacket, icmpPacket } from './icmp.ts';
import { extensionPacket, otherPacket } from './other.ts';
import { SctpTraffic } from './sctp.ts';
import { TcpTraffic } from './tcp.ts';
import { udpPacket } from './udp.ts';

const MEMORY = 64;

/** Everything at once: all protocols, errors about what went before, fragments, damage. */
export class MixedTraffic {
  private readonly dice: Dice;
  private readonly tcp: TcpTraffic;
  private readonly sctp: SctpTraffic;
  private readonly recent: Uint8Array[] = [];
  private readonly waiting: Uint8Array[] = [];

  constructor(dice: Dice) {
    this.dice = dice;
    this.tcp = new TcpTraffic(dice);
    this.sctp = new SctpTraffic(dice);
  }

  /** The next packet, from its IP header on. */
  next(): Uint8Array {
    const { dice } = this;
    if (this.waiting.length > 0 && dice.chance(70)) return this.waiting.shift()!;
    let packet = this.fresh();
    if (this.recent.length < MEMORY) this.recent.push(packet);
    else this.recent[dice.below(MEMORY)] = packet;
    if (dice.chance(3)) {
      this.waiting.push(...fragmentsOf(dice, packet));
      packet = this.waiting.shift() ?? packet;
    }
    return dice.chance(2) ? damaged(dice, packet) : packet;
  }

  private fresh(): Uint8Array {
    const { dice } = this;
    switch (dice.weighted({ tcp: 40, udp: 20, icmp: 10, error: 12, sctp: 8, other: 5, extension: 5 })) {
      case 'tcp':
        return this.tcp.next();
      case 'udp':
        return udpPacket(dice);
      case 'icmp':
        return icmpPacket(dice);
      case 'error':
        return this.recent.length === 0 ? icmpPacket(dice) : errorPacket(dice, dice.pick(this.recent));
      case 'sctp':
        return this.sctp.next();
      case 'other':
        return otherPacket(dice);
      case 'extension':
        return extensionPacket(dice);
    }
  }
}

/** A packet with a flipped bit, a piece missing, or bytes behind its end. */
function damaged(dice: Dice, packet: Uint8Array): Uint8Array {
  if (dice.chance(30)) return packet.slice(0, dice.between(1, packet.length));
  const out = dice.chance(20)
    ? Uint8Array.from([...packet, ...dice.bytes(dice.between(1, 20))])
    : packet.slice();
  out[dice.below(out.length)]! ^= 1 << dice.below(8);
  return out;
}
