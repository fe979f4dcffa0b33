import { ipPacket } from '../../engine/packet/build-ip.ts';
import { type SctpChunk, sctp, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import type { Dice } from './dice.ts';

interface Association {
  readonly addresses: readonly [string, string];
  readonly port: number;
  /** Tag that each side expects in what it receives. */
  readonly tags: [number, number];
  step: number;
}

const INIT = 1;
const INIT_ACK = 2;
const COOKIE_ECHO = 10;
const COOKIE_ACK = 11;
const KINDS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 192];

/** SCTP associations between few ends: handshakes, data, shutdowns, and any chunk with any tag at any time. */
export class SctpTraffic {
  private readonly dice: Dice;
  private readonly associations: Association[];

  constructor(dice: Dice, associations = 8) {
    this.dice = dice;
    this.associations = Array.from({ length: associations }, (_, i) => this.open(i));
  }

  /** The next packet, from its IP header on. */
  next(): Uint8Array {
    const { dice } = this;
    const index = dice.below(this.associations.length);
    if (dice.chance(3)) this.associations[index] = this.open(index);
    const a = this.associations[index]!;
    return dice.chance(60) ? this.course(a) : this.any(a);
  }

  private open(index: number): Association {
    const v6 = index % 3 === 2;
    const addresses = v6 ? (['fd00:5::1', 'fd00:6::1'] as const) : (['10.5.0.1', '10.6.0.1'] as const);
    return { addresses, port: 4000 + index, tags: [this.dice.word(), this.dice.word()], step: 0 };
  }

  private course(a: Association): Uint8Array {
    const { dice } = this;
    const step = a.step++;
    if (step === 0) return this.packet(a, 0, 0, [sctpInit({ tag: a.tags[0] })]);
    if (step === 1) return this.packet(a, 1, a.tags[0], [sctpInitAck({ tag: a.tags[1] })]);
    if (step === 2) return this.packet(a, 0, a.tags[1], [{ type: COOKIE_ECHO, value: 4 }]);
    if (step === 3) return this.packet(a, 1, a.tags[0], [{ type: COOKIE_ACK }]);
    const dir = dice.below(2);
    if (step < 12)
      return this.packet(a, dir, a.tags[1 - dir]!, [{ type: dice.pick([0, 3, 4, 5]), value: 16 }]);
    if (step === 12) return this.packet(a, 0, a.tags[1], [{ type: 7, value: 4 }]);
    if (step === 13) return this.packet(a, 1, a.tags[0], [{ type: 8 }]);
    if (step > 13) a.step = 0;
    return this.packet(a, 0, a.tags[1], [{ type: 14 }]);
  }

  private any(a: Association): Uint8Array {
    const { dice } = this;
    const dir = dice.below(2);
    const chunks = Array.from({ length: dice.pick([1, 1, 1, 2, 3]) }, () => this.chunk());
    const tag = dice.pick([a.tags[1 - dir]!, a.tags[1 - dir]!, a.tags[dir]!, 0, dice.word()]);
    return this.packet(a, dir, tag, chunks);
  }

  private chunk(): SctpChunk {
    const { dice } = this;
    const type = dice.pick(KINDS);
    const flags = dice.chance(20) ? { flags: dice.pick([1, 3, 255]) } : {};
    const length = dice.chance(5) ? { length: dice.pick([0, 3, 4, 5, 100, 65535]) } : {};
    if (type === INIT) return { ...sctpInit({ tag: dice.pick([0, dice.word()]) }), ...flags, ...length };
    if (type === INIT_ACK) return { ...sctpInitAck({ tag: dice.word() }), ...flags, ...length };
    return { type, value: dice.pick([0, 4, 12, 13]), ...flags, ...length };
  }

  private packet(a: Association, dir: number, vtag: number, chunks: readonly SctpChunk[]): Uint8Array {
    const { dice } = this;
    const [src, dst] = dir === 0 ? a.addresses : [a.addresses[1], a.addresses[0]];
    const [sport, dport] = dir === 0 ? [a.port, 36412] : [36412, a.port];
    const bytes = sctp({ sport, dport, vtag, chunks, ...(dice.chance(2) ? { checksum: 1 } : {}) });
    return ipPacket({ src, dst }, 132, dice.chance(2) ? bytes.slice(0, dice.below(bytes.length)) : bytes);
  }
}
