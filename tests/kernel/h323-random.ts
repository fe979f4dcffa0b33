/** Random messages by the engine's own tables of ASN.1: each alternative, option and addition comes up some time. */
import type { PerChoice, PerField, PerSequence, PerType } from '../../engine/helper/per.ts';
import type { Dice } from '../traffic/dice.ts';
import { Bits, bitsFor } from './h323-encode.ts';

/** Alternatives and options that lead to what helpers read: they are taken more often. */
const LIKED =
  /^(ipAddress|iPAddress|unicastAddress|openLogicalChannel|openLogicalChannelAck|request|response|h2250|setup|connect|alerting|audioData|videoData|data|localAreaAddress|gatekeeperConfirm|registrationRe|admissionC|locationC|reverse|nonStandard|fastStart|h245|media|\w*Address$)/;
/** Of these the tables have no content (engine/helper/h225-call.ts). */
const UNKNOWN = /^cryptoTokens$/;
/** Numbers and octets that are filled with a real address. */
const PORT = /^(port|tsapIdentifier)$/;
const ADDRESS = /^(ip|network)$/;
/** How many values a message has about; behind that no option is taken. */
const VALUES = 60;
/** X.691 19.7: the number of additions is a normally small number. */
const MOST_ADDITIONS = 32;

/** Writes one message. */
export class RandomPer {
  private readonly dice: Dice;
  private readonly ip: Uint8Array;
  private port: number;
  private left: number = VALUES;

  /** @param ip octets of the speaker's IPv4 address; ports are taken from `port` upwards */
  constructor(dice: Dice, ip: Uint8Array, port: number) {
    this.dice = dice;
    this.ip = ip;
    this.port = port;
  }

  /** The octets of a random value. */
  message(type: PerType): Uint8Array {
    const out = new Bits();
    this.write(out, type, '');
    return Uint8Array.from(out.bytes);
  }

  private write(out: Bits, type: PerType, name: string): void {
    this.left--;
    switch (type.kind) {
      case 'null':
      case 'stop':
        break;
      case 'boolean':
        out.bits(this.dice.below(2), 1);
        break;
      case 'open':
        this.junk(out);
        break;
      case 'objectIdentifier': {
        const octets = this.dice.bytes(this.dice.pick([0, 1, 6]));
        out.octets(octets.length, 1);
        out.raw(octets);
        break;
      }
      case 'contained':
        this.contained(out, type.type, name);
        break;
      case 'integer':
        out.constrained(this.number(name, type.low, type.high), type.low, type.high);
        break;
      case 'string':
        this.string(out, type, name);
        break;
      case 'sequenceOf':
        this.items(out, type, name);
        break;
      case 'sequence':
        this.sequence(out, type);
        break;
      case 'choice':
        this.choice(out, type);
        break;
    }
  }

  /** What stands behind a length of its own, right or not. */
  private junk(out: Bits): void {
    const octets = this.dice.bytes(this.dice.below(4));
    out.length(this.dice.chance(95) ? octets.length : this.dice.below(200));
    out.raw(octets);
  }

  private contained(out: Bits, type: PerType, name: string): void {
    const inner = new Bits();
    this.write(inner, type, name);
    out.length(inner.bytes.length);
    out.raw(inner.bytes);
  }

  private number(name: string, low: number, high: number): number {
    if (PORT.test(name)) return this.port++;
    return this.dice.pick([low, high, low + this.dice.below(Math.min(high - low + 1, 1_000_000))]);
  }

  private string(out: Bits, type: Extract<PerType, { kind: 'string' }>, name: string): void {
    const { low, high, bits } = type;
    const length = this.dice.between(low, Math.min(high, low + 5));
    if (high >= 0x10000) out.length(length);
    else if (low !== high) out.constrained(length, low, high);
    if (low !== high ? length > 0 && high * bits >= 16 : high * bits > 16) out.align();
    if (ADDRESS.test(name) && length === this.ip.length && this.dice.chance(90)) out.raw(this.ip);
    else for (let i = 0; i < length * bits; i++) out.bits(this.dice.below(2), 1);
  }

  private items(out: Bits, type: Extract<PerType, { kind: 'sequenceOf' }>, name: string): void {
    const { low, high, item } = type;
    const count = this.left < 0 ? low : Math.min(high, low + this.dice.pick([0, 1, 1, 2]));
    if (high < 0x10000) out.constrained(count, low, high);
    else out.length(count);
    for (let i = 0; i < count; i++) this.write(out, item, name);
  }

  private sequence(out: Bits, { root, additions }: PerSequence): void {
    const isExtended =
      additions !== null && this.left > 0 && this.dice.chance(additions.length > 0 ? 40 : 15);
    if (additions !== null) out.bits(isExtended ? 1 : 0, 1);
    const options = root.filter(({ isOptional, type }) => isOptional && type.kind !== 'stop');
    const taken = options.filter(
      ({ name }) => this.left > 0 && !UNKNOWN.test(name) && this.dice.chance(LIKED.test(name) ? 60 : 35),
    );
    for (const option of options) out.bits(taken.includes(option) ? 1 : 0, 1);
    for (const field of root) {
      // Nothing behind it is read, of whatever is around it that goes on.
      if (field.type.kind === 'stop') return;
      if (!field.isOptional || taken.includes(field)) this.write(out, field.type, field.name);
    }
    if (isExtended) this.additions(out, additions);
  }

  /** As many additions as are known, more or fewer; those that are unknown are all there. */
  private additions(out: Bits, known: readonly PerField[]): void {
    const { dice } = this;
    const n = Math.max(1, known.length);
    const count = dice.pick([
      1,
      2,
      n,
      n,
      n,
      known.length + 1,
      known.length + 2,
      dice.between(1, MOST_ADDITIONS + 1),
    ]);
    const present = Array.from({ length: count }, () => dice.chance(55));
    out.small(count - 1);
    for (const bit of present) out.bits(bit ? 1 : 0, 1);
    out.align();
    for (const [i, isPresent] of present.entries()) {
      const field = known[i];
      if (field?.type.kind === 'stop') return;
      if (field === undefined) this.junk(out);
      else if (isPresent) this.addition(out, field);
    }
  }

  private addition(out: Bits, { name, type }: PerField): void {
    if (type.kind === 'open' || this.dice.chance(4)) this.junk(out);
    else this.contained(out, type, name);
  }

  private choice(out: Bits, { root, additions }: PerChoice): void {
    const { dice } = this;
    const isExtended = additions !== null && dice.chance(additions.length > 0 ? 30 : 10);
    if (additions !== null) out.bits(isExtended ? 1 : 0, 1);
    if (isExtended) {
      const index = dice.chance(75) ? dice.below(Math.max(1, additions.length)) : dice.below(12);
      out.small(index);
      const field = additions[index];
      if (field === undefined) this.junk(out);
      else if (field.type.kind !== 'stop') this.addition(out, field);
      return;
    }
    const liked = root.filter(({ name }) => LIKED.test(name));
    const field = liked.length > 0 && dice.chance(75) ? dice.pick(liked) : root[dice.below(root.length)];
    const index = field === undefined ? 0 : root.indexOf(field);
    out.bits(index, bitsFor(root.length));
    if (field !== undefined) this.write(out, field.type, field.name);
  }
}
