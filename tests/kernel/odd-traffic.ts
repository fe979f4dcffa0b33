/** Traffic as no sane host sends it: errors with strange quotes, hosts that speak to themselves, zeros everywhere. */
import {
  genericPacket,
  grePacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6ErrorPacket,
  icmpv6Packet,
  pptpGrePacket,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from '../../engine/packet/build.ts';
import { icmp } from '../../engine/packet/build-icmp.ts';
import { icmpv6 } from '../../engine/packet/build-icmpv6.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import {
  authenticationHeader,
  destinationOptions,
  type ExtensionHeader,
  fragmentHeader,
  hopByHop,
  routingHeader,
} from '../../engine/packet/build-ipv6.ts';
import { sctpInit } from '../../engine/packet/build-sctp.ts';
import { TH_ACK, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import type { Dice } from '../traffic/dice.ts';
import { sourceOf } from '../traffic/look.ts';

const V4: readonly string[] = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '127.0.0.1', '0.0.0.5'];
const V6: readonly string[] = ['fd00::1', 'fd00::2', 'fd00::1', '::5', '2002:a00:1::'];
const V4_DESTINATIONS: readonly string[] = [
  ...V4,
  '255.255.255.255',
  '224.0.0.1',
  '224.0.0.9',
  '10.0.0.255',
  '0.0.0.0',
];
const V6_DESTINATIONS: readonly string[] = [...V6, 'ff02::1', 'ff02::2', 'ff02::1:3', 'ff0e::5'];
const PORTS: readonly number[] = [0, 0, 7, 7, 65535];
const ERRORS_V4: readonly number[] = [3, 3, 3, 4, 5, 11, 12];
const ERRORS_V6: readonly number[] = [1, 1, 2, 3, 4, 0, 100, 101, 127, 5];

interface Ends {
  readonly src: string;
  readonly dst: string;
}

/** Few hosts and ports, so that tuples coincide with others and with their own inverse. */
export class OddTraffic {
  private readonly dice: Dice;
  private readonly recent: Uint8Array[] = [];

  constructor(dice: Dice) {
    this.dice = dice;
  }

  /** The next packet, from its IP header on. */
  next(): Uint8Array {
    const { dice } = this;
    const packet = this.recent.length > 0 && dice.chance(50) ? this.error() : this.plain();
    if (this.recent.length < 48) this.recent.push(packet);
    else this.recent[dice.below(48)] = packet;
    return dice.chance(3) ? this.flipped(packet) : packet;
  }

  /** With one bit the other way round, behind the addresses. */
  private flipped(packet: Uint8Array): Uint8Array {
    const out = packet.slice();
    const start = packet[0]! >> 4 === 6 ? 40 : 20;
    if (out.length > start) out[this.dice.between(start, out.length - 1)]! ^= 1 << this.dice.below(8);
    return out;
  }

  private ends(): Ends {
    const { dice } = this;
    return dice.chance(33)
      ? { src: dice.pick(V6), dst: dice.pick(V6_DESTINATIONS) }
      : { src: dice.pick(V4), dst: dice.pick(V4_DESTINATIONS) };
  }

  private plain(): Uint8Array {
    const { dice } = this;
    const ends = this.ends();
    const v6 = ends.src.includes(':');
    const ports = { sport: dice.pick(PORTS), dport: dice.pick(PORTS) };
    const payload = dice.below(40);
    switch (
      dice.weighted({ udp: 4, udplite: 2, tcp: 3, sctp: 1, gre: 2, pptp: 2, echo: 4, generic: 2, swapped: 1 })
    ) {
      case 'udp':
        return udpPacket({ ...ends, ...ports, payload, ...this.extensions(v6) });
      case 'udplite':
        return udplitePacket({ ...ends, ...ports, payload, checksumAs: 'linux' });
      case 'tcp':
        return tcpPacket({
          ...ends,
          ...ports,
          flags: dice.pick([TH_SYN, TH_SYN | TH_ACK, TH_ACK, TH_RST, TH_RST | TH_ACK]),
          seq: dice.below(3),
          ack: dice.below(3),
          ...this.extensions(v6),
        });
      case 'sctp':
        return sctpPacket({ ...ends, ...ports, vtag: 0, chunks: [sctpInit({ tag: 5 })] });
      case 'gre':
        return grePacket({ ...ends, payload, ...(dice.chance(50) ? { key: dice.below(2) } : {}) });
      case 'pptp':
        return pptpGrePacket({ ...ends, callId: dice.pick([0, 0, 1, 65535]), payload });
      case 'echo': {
        const type = v6 ? dice.pick([128, 128, 129, 139, 140]) : dice.pick([8, 8, 0, 13, 14, 15, 16, 17, 18]);
        const fields = { ...ends, type, id: dice.below(2), code: dice.pick([0, 0, 0, 1, 255]), payload };
        return v6 ? icmpv6Packet(fields) : icmpPacket(fields);
      }
      case 'generic':
        return genericPacket({ ...ends, proto: dice.pick([50, 33, 0, 255, 89, 51, 4, 41]), payload });
      case 'swapped':
        // ICMP over IPv6 and the other way round.
        return v6
          ? ipPacket(ends, 1, icmp({ type: 8, id: 1, payload }))
          : ipPacket(ends, 58, icmpv6({ src: 'fd00::1', dst: 'fd00::2', type: 128, id: 1, payload }));
    }
  }

  private extensions(v6: boolean): { ip?: { extensions: ExtensionHeader[] } } {
    const { dice } = this;
    if (!v6 || dice.chance(60)) return {};
    const header = (): ExtensionHeader =>
      dice.pick([
        destinationOptions(),
        routingHeader({ segmentsLeft: 0 }),
        authenticationHeader({}),
        fragmentHeader({ offset: 0, more: false, id: dice.word() }),
        hopByHop(),
      ]);
    return { ip: { extensions: Array.from({ length: dice.between(1, 3) }, header) } };
  }

  /** An error about a packet that was sent before, its quote bent in one or two ways. */
  private error(): Uint8Array {
    const { dice } = this;
    const about = dice.pick(this.recent);
    const v6 = about[0]! >> 4 === 6;
    if (about.length < (v6 ? 40 : 20)) return this.plain();
    const quoted = v6 ? this.bentV6(about) : this.bentV4(about);
    const code = dice.below(4);
    const away = dice.chance(8);
    const sender = sourceOf(about)!;
    if (v6) {
      const src = dice.pick(['fd00::2', 'fd00::9', 'fd00::1']);
      const type = dice.pick(ERRORS_V6);
      return icmpv6ErrorPacket({ src, type, code, quoted, dst: away ? 'fd00::8' : sender });
    }
    const src = dice.pick(['10.0.0.2', '10.0.0.9', '10.0.0.1']);
    const type = dice.pick(ERRORS_V4);
    return icmpErrorPacket({ src, type, code, quoted, dst: away ? '10.0.0.8' : sender });
  }

  private bentV4(about: Uint8Array): Uint8Array {
    const { dice } = this;
    let quoted = about.slice();
    for (let n = dice.below(3); n > 0 && quoted.length >= 20; n--) {
      const view = new DataView(quoted.buffer);
      switch (
        dice.weighted({ ihl: 2, version: 2, options: 3, length: 2, fragment: 3, proto: 2, cut: 4, any: 2 })
      ) {
        case 'ihl':
          quoted[0] = (quoted[0]! & 0xf0) | dice.below(16);
          break;
        case 'version':
          quoted[0] = (quoted[0]! & 0x0f) | (dice.below(16) << 4);
          break;
        case 'options': {
          const words = dice.between(1, 10);
          quoted = Uint8Array.from([
            0x45 + words,
            ...quoted.subarray(1, 20),
            ...new Uint8Array(words * 4).fill(dice.pick([0, 1, 7])),
            ...quoted.subarray(20),
          ]);
          break;
        }
        case 'length':
          view.setUint16(2, dice.pick([0, 19, 20, 21, 28, 65535]));
          break;
        case 'fragment':
          view.setUint16(6, dice.pick([0x2000, 0x4000, 0x8000, 1, 0x2001, 0x1fff]));
          break;
        case 'proto':
          quoted[9] = dice.pick([1, 6, 17, 47, 50, 58, 132, 136, 0, 255]);
          break;
        case 'cut':
          quoted = quoted.slice(0, dice.pick([0, 8, 19, 20, 21, 23, 24, 25, 27, 28, 29, 36]));
          break;
        case 'any':
          quoted[dice.below(Math.min(quoted.length, 44))]! ^= 1 << dice.below(8);
          break;
      }
    }
    return quoted;
  }

  private bentV6(about: Uint8Array): Uint8Array {
    const { dice } = this;
    let quoted = about.slice();
    for (let n = dice.below(3); n > 0 && quoted.length >= 40; n--) {
      const view = new DataView(quoted.buffer);
      switch (dice.weighted({ version: 2, length: 2, insert: 6, proto: 2, cut: 4, any: 2 })) {
        case 'version':
          quoted[0] = (quoted[0]! & 0x0f) | (dice.below(16) << 4);
          break;
        case 'length':
          view.setUint16(4, dice.pick([0, 1, 8, 65535]));
          break;
        case 'insert': {
          const header = dice.pick([0, 60, 43, 51, 44, 44, 135, 139, 140, 59]);
          const bytes = new Uint8Array(header === 51 ? dice.pick([12, 16, 24]) : 8);
          bytes[0] = quoted[6]!;
          if (header === 44) new DataView(bytes.buffer).setUint16(2, dice.pick([0, 1, 8, 9, 0xfff8]));
          else if (header === 51) bytes[1] = bytes.length / 4 - 2;
          else bytes[1] = dice.pick([0, 0, 0, 1, 255]);
          if (header === 43) bytes[3] = dice.pick([0, 0, 1]);
          quoted = Uint8Array.from([...quoted.subarray(0, 40), ...bytes, ...quoted.subarray(40)]);
          quoted[6] = header;
          break;
        }
        case 'proto':
          quoted[6] = dice.pick([1, 6, 17, 47, 50, 58, 59, 132, 136, 0, 255, 43, 44, 60]);
          break;
        case 'cut':
          quoted = quoted.slice(0, dice.pick([0, 8, 39, 40, 41, 43, 44, 47, 48, 49, 52, 56]));
          break;
        case 'any':
          quoted[dice.below(Math.min(quoted.length, 64))]! ^= 1 << dice.below(8);
          break;
      }
    }
    return quoted;
  }
}
