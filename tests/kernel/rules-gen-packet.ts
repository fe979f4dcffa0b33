/** Packets near the values that generated rules use: conversations both ways, errors, fragments, odd headers. */
import { icmp, icmpError } from '../../engine/packet/build-icmp.ts';
import { icmpv6, icmpv6Error } from '../../engine/packet/build-icmpv6.ts';
import { type IpFields, ipPacket } from '../../engine/packet/build-ip.ts';
import {
  authenticationHeader,
  destinationOptions,
  type ExtensionHeader,
  fragmentHeader,
  hopByHop,
  routingHeader,
} from '../../engine/packet/build-ipv6.ts';
import { sctp, sctpData, sctpInit } from '../../engine/packet/build-sctp.ts';
import { type TcpOptions, tcp } from '../../engine/packet/build-tcp.ts';
import { udp, udplite } from '../../engine/packet/build-udp.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN, TH_URG } from '../../engine/packet/tcp.ts';
import type { Dice } from '../traffic/dice.ts';
import { fragmentsOf } from '../traffic/fragments.ts';
import type { Entry, RulePacket } from './rules-types.ts';
import {
  CLIENT_PORTS,
  HOST4,
  HOST6,
  INSIDE4,
  INSIDE6,
  OUTSIDE4,
  OUTSIDE6,
  PAYLOADS,
  PORTS,
} from './rules-world.ts';

/** Who speaks to whom, and where each of them stands. */
interface Pair {
  readonly v6: boolean;
  readonly src: string;
  readonly dst: string;
  readonly from: Entry;
  /** Where answers come from. */
  readonly back: Entry;
}

type Step = () => RulePacket;

const TOS: readonly number[] = [0, 0, 0, 0x08, 0x10, 0x20, 0x2e << 2, (0x2e << 2) | 3, 1, 2];
const TTL: readonly number[] = [64, 64, 64, 2, 5, 63, 65, 128, 255];
const FLAGS: readonly number[] = [
  TH_SYN,
  TH_SYN,
  TH_ACK,
  TH_SYN | TH_ACK,
  TH_RST,
  TH_RST | TH_ACK,
  TH_FIN | TH_ACK,
  TH_FIN,
  0,
  TH_FIN | TH_PUSH | TH_URG,
  TH_SYN | TH_FIN,
  TH_ACK | TH_URG,
  TH_SYN | 0xc0,
  0xff,
];
const ICMP4: readonly (readonly [number, number])[] = [
  [8, 0],
  [8, 1],
  [0, 0],
  [13, 0],
  [5, 1],
  [10, 0],
  [3, 3],
  [11, 0],
  [12, 0],
  [40, 0],
];
const ICMP6: readonly (readonly [number, number])[] = [
  [128, 0],
  [129, 0],
  [128, 1],
  [133, 0],
  [134, 0],
  [135, 0],
  [136, 0],
  [1, 4],
  [3, 0],
  [200, 7],
];

/** Draws packets. Each conversation goes on where it stood, in between others. */
export class PacketGenerator {
  private readonly dice: Dice;
  private readonly scripts: Step[][] = [];
  private readonly sent: RulePacket[] = [];
  private readonly family: 4 | 6 | 46;
  private readonly named: ReadonlySet<string>;
  private readonly dports: readonly number[];

  /**
   * @param family 4 or 6 for one family only, 46 for both
   * @param rules the ruleset's text: its addresses and ports come more often than others
   */
  constructor(dice: Dice, family: 4 | 6 | 46 = 46, rules = '') {
    this.dice = dice;
    this.family = family;
    this.named = new Set(rules.match(/[\da-f]*[.:][\da-f.:]+/g) ?? []);
    this.dports = (rules.match(/(?<=port\S* (?:@\S* )?\D*)\d+/g) ?? []).map(Number).filter((n) => n < 65536);
  }

  /** So many packets; more when the last was cut into fragments. */
  take(count: number): RulePacket[] {
    const packets: RulePacket[] = [];
    while (packets.length < count) packets.push(...this.next());
    return packets;
  }

  private next(): RulePacket[] {
    const { dice } = this;
    const packet = this.one();
    this.sent.push(packet);
    if (packet.from === 'host' || !dice.chance(3)) return [packet];
    return fragmentsOf(dice, packet.bytes).map((bytes) => ({ bytes, from: packet.from }));
  }

  private one(): RulePacket {
    const { dice, scripts } = this;
    if (scripts.length > 0 && dice.chance(55)) {
      const n = dice.below(scripts.length);
      const step = scripts[n]!.shift()!;
      if (scripts[n]!.length === 0) scripts.splice(n, 1);
      return step();
    }
    const kind = dice.weighted({ talk: 40, tcp: 20, udp: 14, icmp: 10, error: 7, sctp: 4, other: 3, odd: 2 });
    const pair = this.pair();
    switch (kind) {
      case 'talk':
        scripts.push(this.talk(pair));
        return this.one();
      case 'tcp':
        return this.segment(pair, this.ports(), dice.pick(FLAGS));
      case 'udp':
        return this.datagram(pair, this.ports());
      case 'icmp':
        return this.message(pair);
      case 'error':
        return this.sent.length === 0 ? this.message(pair) : this.error(dice.pick(this.sent));
      case 'sctp':
        return this.association(pair);
      case 'other':
        return this.packet(
          pair,
          dice.pick([2, 4, 47, 50, 51, 33, 103, 253]),
          dice.bytes(dice.pick([0, 8, 40])),
        );
      case 'odd':
        return this.packet(pair, dice.pick([1, 6, 17, 58, 132]), dice.bytes(dice.below(12)));
    }
  }

  private pair(): Pair {
    const { dice, family } = this;
    const v6 = family === 6 || (family === 46 && dice.chance(35));
    const [inside, outside, host] = v6 ? [INSIDE6, OUTSIDE6, HOST6] : [INSIDE4, OUTSIDE4, HOST4];
    const side = (entry: Entry): string => {
      const all = entry === 'eth1' ? inside : entry === 'eth0' ? outside : host;
      const named = all.filter((a) => this.named.has(a));
      return dice.pick(named.length > 0 && dice.chance(60) ? named : all);
    };
    const [from, back] = dice.pick<[Entry, Entry]>([
      ['eth1', 'eth0'],
      ['eth1', 'eth0'],
      ['eth1', 'eth0'],
      ['eth0', 'eth1'],
      ['eth0', 'eth1'],
      ['eth1', 'host'],
      ['eth0', 'host'],
      ['eth0', 'host'],
      ['host', 'eth0'],
      ['host', 'eth1'],
    ]);
    const special = !v6 && from !== 'host' && back !== 'eth1' && dice.chance(3);
    return { v6, from, back, src: side(from), dst: special ? '255.255.255.255' : side(back) };
  }

  private ports(): { sport: number; dport: number } {
    const { dice } = this;
    const near = dice.pick([0, 0, 0, 0, 0, 0, 1, -1]);
    const dport = Math.min(
      65535,
      Math.max(0, dice.pick(this.dports.length > 0 && dice.chance(60) ? this.dports : PORTS) + near),
    );
    return { sport: dice.chance(8) ? dport : dice.pick(CLIENT_PORTS), dport };
  }

  private ip({ v6, from }: Pair): IpFields {
    const { dice } = this;
    return {
      ttl: dice.pick(TTL),
      tos: dice.pick(TOS),
      id: dice.below(65536),
      df: dice.chance(40),
      ...(v6 && dice.chance(10) ? { flowLabel: dice.pick([1, 5, 0xfffff]) } : {}),
      ...(v6 && dice.chance(12) ? { extensions: this.extensions() } : {}),
      ...(!v6 && from !== 'host' && dice.chance(5) ? { options: this.options() } : {}),
    };
  }

  private options(): Uint8Array {
    return this.dice.pick([
      Uint8Array.of(1, 1, 1, 0),
      Uint8Array.of(148, 4, 0, 0),
      Uint8Array.of(148, 4, 0, 0),
      // Full: a router would write its address into an empty one.
      Uint8Array.of(7, 7, 8, 10, 9, 9, 9, 0),
    ]);
  }

  private extensions(): ExtensionHeader[] {
    const { dice } = this;
    const all = [
      hopByHop(new Uint8Array(0)),
      destinationOptions(),
      routingHeader({ segmentsLeft: 0 }),
      authenticationHeader({}),
      fragmentHeader({ offset: 0, more: false, id: 5 }),
    ];
    return all.filter(() => dice.chance(30));
  }

  private packet(pair: Pair, proto: number, payload: Uint8Array): RulePacket {
    const { src, dst, from } = pair;
    return { bytes: ipPacket({ src, dst, ip: this.ip(pair) }, proto, payload), from };
  }

  private tcpOptions(flags: number): TcpOptions {
    const { dice } = this;
    if ((flags & TH_SYN) === 0) return dice.chance(70) ? {} : { timestamps: [1, 2] };
    return {
      ...(dice.chance(70) ? { mss: dice.pick([536, 1200, 1400, 1459, 1460, 1461, 8960]) } : {}),
      ...(dice.chance(40) ? { wscale: dice.pick([0, 7, 14]) } : {}),
      ...(dice.chance(40) ? { sackPermitted: true } : {}),
      ...(dice.chance(40) ? { timestamps: [1, 0] } : {}),
    };
  }

  private segment(
    pair: Pair,
    ports: { sport: number; dport: number },
    flags: number,
    seq = this.dice.pick([0, 1, 5, 1000]),
    ack = (flags & TH_ACK) === 0 ? 0 : this.dice.pick([0, 1, 5, 1000]),
    payload = (flags & TH_SYN) !== 0 ? 0 : this.dice.pick(PAYLOADS.filter((n) => n < 1000)),
  ): RulePacket {
    const { dice } = this;
    const body = tcp({
      src: pair.src,
      dst: pair.dst,
      ...ports,
      flags,
      seq,
      ack,
      window: dice.pick([8192, 8192, 64240, 0, 1]),
      options: this.tcpOptions(flags),
      payload,
      ...(dice.chance(2) ? { checksum: 1 } : {}),
      ...(dice.chance(3) ? { urgent: 4 } : {}),
    });
    return this.packet(pair, 6, dice.chance(1) ? body.slice(0, dice.between(4, 19)) : body);
  }

  private datagram(pair: Pair, ports: { sport: number; dport: number }): RulePacket {
    const { dice } = this;
    const fields = { src: pair.src, dst: pair.dst, ...ports };
    const payload = dice.chance(40) ? dice.pick(['GET /', 'ping', 'attack at dawn']) : dice.pick(PAYLOADS);
    if (dice.chance(5)) return this.packet(pair, 136, udplite({ ...fields, payload, checksumAs: 'linux' }));
    return this.packet(pair, 17, udp({ ...fields, payload, ...(dice.chance(3) ? { checksum: 0 } : {}) }));
  }

  private message(pair: Pair): RulePacket {
    const { dice } = this;
    const [type, code] = dice.pick(pair.v6 ? ICMP6 : ICMP4);
    const fields = { type, code, id: dice.pick([1, 5]), seq: dice.below(3), payload: dice.pick([0, 8, 56]) };
    if (!pair.v6) return this.packet(pair, 1, icmp(fields));
    return this.packet(pair, 58, icmpv6({ src: pair.src, dst: pair.dst, ...fields }));
  }

  private association(pair: Pair): RulePacket {
    const { dice } = this;
    const ports = this.ports();
    const init = sctpInit({ tag: 7 });
    const chunks = dice.pick([
      [init],
      [init],
      [sctpData(4, 1)],
      [{ type: 10, value: 4 }, sctpData(4, 1)],
      [{ type: 4, value: 4 }],
      [{ type: 6, flags: 1 }],
    ]);
    const vtag = chunks[0] === init ? 0 : 7;
    return this.packet(pair, 132, sctp({ ...ports, vtag, chunks }));
  }

  /** An error about a packet that was sent, from its destination or a router on the way. */
  private error(about: RulePacket): RulePacket {
    const { dice } = this;
    const v6 = about.bytes[0]! >> 4 === 6;
    const quoted = about.bytes.slice();
    const text = (at: number): string => addressText(quoted, at, v6);
    const [sender, receiver] = v6 ? [text(8), text(24)] : [text(12), text(16)];
    const toHost = [...HOST4, ...HOST6].includes(receiver.replace(/(:0)+:/, '::'));
    const back: Entry = toHost ? 'host' : about.from === 'eth0' ? 'eth1' : 'eth0';
    const src = dice.chance(60) ? receiver : v6 ? '2001:db8:5::fe' : '198.51.100.254';
    const pair = {
      v6,
      src: back === 'host' ? (v6 ? HOST6[1]! : HOST4[1]!) : src,
      dst: sender,
      from: back,
      back,
    };
    if (receiver === '255.255.255.255') return this.message(this.pair());
    const fields = {
      type: dice.pick(v6 ? [1, 2, 3, 4] : [3, 3, 4, 5, 11, 12]),
      code: dice.below(4),
      quoted,
      rest: dice.pick([0, 1280]),
    };
    return this.packet(pair, v6 ? 58 : 1, v6 ? icmpv6Error({ ...pair, ...fields }) : icmpError(fields));
  }

  /** A conversation, one step for each packet. */
  private talk(pair: Pair): Step[] {
    const { dice } = this;
    const { src, dst, from, back, v6 } = pair;
    if (dst === '255.255.255.255') return [() => this.datagram(pair, this.ports())];
    const reply: Pair = { v6, src: dst, dst: src, from: back, back: from };
    const ports = this.ports();
    const answered = { sport: ports.dport, dport: ports.sport };
    if (dice.chance(60)) {
      const data = dice.pick([1, 20, 400]);
      return [
        () => this.segment(pair, ports, TH_SYN, 100, 0, 0),
        () => this.segment(reply, answered, TH_SYN | TH_ACK, 500, 101, 0),
        () => this.segment(pair, ports, TH_ACK, 101, 501, 0),
        () => this.segment(pair, ports, TH_ACK | TH_PUSH, 101, 501, data),
        () => this.segment(reply, answered, TH_ACK | TH_PUSH, 501, 101 + data, data),
        () => this.segment(pair, ports, TH_FIN | TH_ACK, 101 + data, 501 + data, 0),
        () => this.segment(reply, answered, TH_FIN | TH_ACK, 501 + data, 102 + data, 0),
        () => this.segment(pair, ports, TH_ACK, 102 + data, 502 + data, 0),
      ];
    }
    if (dice.chance(60)) {
      const ask: Step = () => this.datagram(pair, ports);
      const answer: Step = () => this.datagram(reply, answered);
      return dice.chance(50) ? [ask, answer, ask, answer] : [ask, ask, ask, ask];
    }
    const fields = { code: 0, id: dice.pick([1, 5]), seq: 1, payload: 8 };
    const echo = (p: Pair, type4: number, type6: number): RulePacket =>
      v6
        ? this.packet(p, 58, icmpv6({ src: p.src, dst: p.dst, type: type6, ...fields }))
        : this.packet(p, 1, icmp({ type: type4, ...fields }));
    return [() => echo(pair, 8, 128), () => echo(reply, 0, 129), () => echo(pair, 8, 128)];
  }
}

function addressText(bytes: Uint8Array, at: number, v6: boolean): string {
  if (!v6) return bytes.subarray(at, at + 4).join('.');
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(':');
}
