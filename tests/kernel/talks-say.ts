/** Packets of the directed conversations: one way of speaking for each protocol. */
import {
  genericPacket,
  grePacket,
  icmpErrorPacket,
  icmpPacket,
  pptpGrePacket,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from '../../engine/packet/build.ts';
import { type SctpChunk, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';

interface Ends {
  readonly src: string;
  readonly dst: string;
}

/** Ways of speaking; `unreachable` is UDP that an error answers. */
export type Protocol =
  | 'udp'
  | 'udplite'
  | 'gre'
  | 'pptp'
  | 'generic'
  | 'echo'
  | 'unreachable'
  | 'sctp'
  | 'tcp';

/** Packets of two hosts, by who sends them: `0` the host that speaks first. */
export type Say = (dir: 0 | 1, what?: Readonly<Record<string, unknown>>) => Uint8Array;

const VTAGS = [0xaaaa0001, 0xbbbb0002] as const;
/** SCTP's chunks of a handshake. */
export const INIT: SctpChunk = sctpInit({ tag: VTAGS[0] });
/** INIT ACK. */
export const INIT_ACK: SctpChunk = sctpInitAck({ tag: VTAGS[1] });
/** COOKIE ECHO. */
export const COOKIE_ECHO: SctpChunk = { type: 10, value: 4 };
/** COOKIE ACK. */
export const COOKIE_ACK: SctpChunk = { type: 11 };

/** Makes the speech of two hosts; `ends[1]` is `ends[0]` the other way round. */
export const SAY: Readonly<Record<Protocol, (ends: readonly Ends[]) => Say>> = {
  udp: (ends) => (dir) => udpPacket({ ...ends[dir]!, sport: 1000, dport: 1000 }),
  udplite: (ends) => (dir) => udplitePacket({ ...ends[dir]!, sport: 1000, dport: 1000, checksumAs: 'linux' }),
  gre: (ends) => (dir) => grePacket({ ...ends[dir]!, payload: 4 }),
  pptp: (ends) => (dir, what) => pptpGrePacket({ ...ends[dir]!, callId: 1, payload: 4, ...what }),
  generic: (ends) => (dir) => genericPacket({ ...ends[dir]!, proto: 50, payload: 8 }),
  echo: (ends) => (dir) => icmpPacket({ ...ends[dir]!, type: dir === 0 ? 8 : 0, id: 1 }),
  unreachable: (ends) => (dir) =>
    dir === 0
      ? SAY.udp(ends)(0)
      : icmpErrorPacket({ src: ends[1]!.src, type: 3, code: 3, quoted: SAY.udp(ends)(0) }),
  sctp: (ends) => (dir, what) => {
    const chunk = what as unknown as SctpChunk;
    const vtag = chunk.type === INIT.type ? 0 : VTAGS[1 - dir]!;
    return sctpPacket({ ...ends[dir]!, sport: 1000, dport: 1000, vtag, chunks: [chunk] });
  },
  tcp: (ends) => (dir, what) =>
    tcpPacket({ ...ends[dir]!, sport: 1000, dport: 1000, flags: 0, window: 8192, ...what }),
};
