/** The first packets of one flow of each kind, from both sides, for scripts of held packets. */
import type { Ends } from '../../engine/packet/build-bytes.ts';
import { gre, pptpGre } from '../../engine/packet/build-gre.ts';
import { icmp } from '../../engine/packet/build-icmp.ts';
import { icmpv6 } from '../../engine/packet/build-icmpv6.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import { sctp, sctpInit } from '../../engine/packet/build-sctp.ts';
import { tcp } from '../../engine/packet/build-tcp.ts';
import { udp, udplite } from '../../engine/packet/build-udp.ts';

/** A kind of flow: makes one of its first packets. */
export interface Kind {
  readonly name: string;
  readonly six: boolean;
  /**
   * A packet that may open the flow; each side's stands in the other's reply tuple.
   * @param side 0 the client, 1 the server
   * @param size bytes of payload, to tell packets apart by their length
   */
  packet(side: 0 | 1, size: number): Uint8Array;
}

const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const ECHO_REQUEST6 = 128;
const ECHO_REPLY6 = 129;
const SYN = 2;
const ACK = 16;
const INIT_TAG = 77;

type Body = (ends: Ends, side: 0 | 1, size: number) => Uint8Array;

const ports = (side: 0 | 1): { sport: number; dport: number } =>
  side === 0 ? { sport: 1000, dport: 53 } : { sport: 53, dport: 1000 };

/** Protocol number and transport part by kind; of ICMP the server's packet is an answer, which opens nothing. */
const BODIES: Readonly<Record<string, readonly [number, Body]>> = {
  tcp: [6, (ends, side, size) => tcp({ ...ends, ...ports(side), flags: SYN, seq: 100, payload: size })],
  'tcp picked up': [
    6,
    (ends, side, size) => tcp({ ...ends, ...ports(side), flags: ACK, seq: 100, ack: 100, payload: size }),
  ],
  udp: [17, (ends, side, size) => udp({ ...ends, ...ports(side), payload: size })],
  udplite: [
    136,
    (ends, side, size) => udplite({ ...ends, ...ports(side), payload: size, checksumAs: 'linux' }),
  ],
  icmp: [1, (_, side, size) => icmp({ type: side === 0 ? ECHO_REQUEST : ECHO_REPLY, id: 7, payload: size })],
  icmpv6: [
    58,
    (ends, side, size) =>
      icmpv6({ ...ends, type: side === 0 ? ECHO_REQUEST6 : ECHO_REPLY6, id: 7, payload: size }),
  ],
  gre: [47, (_, __, size) => gre({ payload: size })],
  'gre version 1': [47, (_, __, size) => pptpGre({ callId: 9, payload: size })],
  sctp: [
    132,
    (_, side, size) =>
      sctp({
        ...ports(side),
        chunks: [sctpInit({ tag: INIT_TAG + side, parameters: new Uint8Array((size + 3) & ~3) })],
      }),
  ],
  'protocol 50': [50, (_, __, size) => new Uint8Array(size + 8)],
};

/** All kinds, over both families; ICMP and ICMPv6 over their own. */
export const KINDS: readonly Kind[] = Object.entries(BODIES).flatMap(([name, [proto, body]]) =>
  [false, true]
    .filter((six) => (six ? name !== 'icmp' : name !== 'icmpv6'))
    .map((six): Kind => {
      const hosts = six ? ['2001:db8:1::1', '2001:db8:2::1'] : ['10.0.0.1', '10.1.0.1'];
      return {
        name: `${name} over ${six ? 'IPv6' : 'IPv4'}`,
        six,
        packet(side, size) {
          const ends = { src: hosts[side]!, dst: hosts[1 - side]! };
          return ipPacket(ends, proto, body(ends, side, size));
        },
      };
    }),
);
