/** Random conversations of every protocol, with pauses in which timers run out or nearly do. */
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
import { type SctpChunk, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import type { Dice } from '../traffic/dice.ts';
import { hosts, type Step, type Talk } from './talk.ts';

/** Pauses in ms, on either side of 1, 2 and 3 s. */
const PAUSES: readonly number[] = [5, 5, 150, 400, 700, 900, 1150, 1600, 1900, 2200, 2800, 3200];
const SCTP_COOKIE_ECHO = 10;
const SCTP_COOKIE_ACK = 11;

/** Makes the next packet of a conversation; `dir` 1: from the host that was spoken to. */
type Speaker = (dir: number) => Uint8Array;

interface Ends {
  readonly src: string;
  readonly dst: string;
}

type Scene = (dice: Dice, ends: readonly [Ends, Ends]) => Speaker;

const PORTS: readonly (readonly [number, number])[] = [
  [1000, 53],
  [53, 1000],
];

const udp: Scene = (dice, ends) => (dir) => {
  const [sport, dport] = PORTS[dir]!;
  return udpPacket({ ...ends[dir]!, sport, dport, payload: dice.below(9) });
};

const udplite: Scene = (_, ends) => (dir) => {
  const [sport, dport] = PORTS[dir]!;
  return udplitePacket({ ...ends[dir]!, sport, dport, payload: 4, checksumAs: 'linux' });
};

const gre: Scene = (dice, ends) => (dir) => grePacket({ ...ends[dir]!, payload: 4, key: dice.below(2) });

const pptp: Scene = (dice, ends) => (dir) =>
  pptpGrePacket({ ...ends[dir]!, callId: dice.below(2), payload: 4 });

const generic: Scene = (_, ends) => (dir) => genericPacket({ ...ends[dir]!, proto: 50, payload: 8 });

const echo: Scene = (dice, ends) => (dir) => {
  const fields = { ...ends[dir]!, id: 7, seq: dice.below(9), payload: 8 };
  return fields.src.includes(':')
    ? icmpv6Packet({ ...fields, type: 128 + dir })
    : icmpPacket({ ...fields, type: dir === 0 ? 8 : 0 });
};

/** UDP about which now and then an error comes; the error must not keep the entry alive. */
const unreachable: Scene = (dice, ends) => {
  const speak = udp(dice, ends);
  let last = speak(0);
  return (dir) => {
    if (dir === 0) last = speak(0);
    else {
      const error = { src: ends[1].src, quoted: last, type: ends[1].src.includes(':') ? 1 : 3, code: 3 };
      return error.type === 1 ? icmpv6ErrorPacket(error) : icmpErrorPacket(error);
    }
    return last;
  };
};

const sctp: Scene = (dice, ends) => {
  const tags = [dice.word(), dice.word()] as const;
  const course: readonly (readonly [number, SctpChunk])[] = [
    [0, sctpInit({ tag: tags[0] })],
    [1, sctpInitAck({ tag: tags[1] })],
    [0, { type: SCTP_COOKIE_ECHO, value: 4 }],
    [1, { type: SCTP_COOKIE_ACK }],
    [0, { type: 0, value: 16 }],
    [1, { type: 3, value: 12 }],
    [dice.below(2), { type: 7, value: 4 }],
    [dice.below(2), { type: 8 }],
    [dice.below(2), { type: 14 }],
  ];
  let step = dice.chance(15) ? 4 : 0;
  return (any) => {
    let [dir, chunk] = course[Math.min(step, course.length - 1)]!;
    if (dice.chance(20)) [dir, chunk] = [any, { type: dice.pick([4, 5, 6, 9]), value: 4 }];
    // Now and then the same again: repetitions of an INIT must not refresh.
    else if (!dice.chance(25)) step++;
    const [sport, dport] = PORTS[dir]!;
    const vtag = chunk.type === 1 ? 0 : tags[1 - dir]!;
    return sctpPacket({ ...ends[dir]!, sport, dport, vtag, chunks: [chunk] });
  };
};

const tcp: Scene = (dice, ends) => {
  const next = [dice.word(), dice.word()];
  let step = dice.chance(20) ? 3 : 0;
  let last: Uint8Array | null = null;
  const segment = (dir: number, flags: number, payload = 0): Uint8Array => {
    const [sport, dport] = PORTS[dir]!;
    const seq = next[dir]!;
    const ack = (flags & TH_ACK) === 0 ? 0 : next[1 - dir]!;
    next[dir] = (seq + payload + ((flags & TH_SYN) >> 1) + (flags & TH_FIN)) >>> 0;
    last = tcpPacket({ ...ends[dir]!, sport, dport, flags, seq, ack, payload, window: 8192 });
    return last;
  };
  return (dir) => {
    if (last !== null && dice.chance(35)) return last;
    if (step === 0) {
      step = dice.chance(90) ? 1 : 0;
      return segment(0, TH_SYN);
    }
    if (step++ === 1) return segment(1, dice.chance(90) ? TH_SYN | TH_ACK : TH_RST | TH_ACK);
    if (step === 3) return segment(0, TH_ACK);
    const flags = dice.weighted({ [TH_ACK]: 14, [TH_FIN | TH_ACK]: 4, [TH_RST]: 1, [TH_SYN]: 1 });
    return segment(dir, Number(flags), Number(flags) === TH_ACK ? dice.pick([0, 0, 10, 100]) : 0);
  };
};

const SCENES: Readonly<Record<string, Scene>> = {
  udp,
  udplite,
  gre,
  pptp,
  generic,
  echo,
  unreachable,
  sctp,
  tcp,
};

/** A conversation of some protocol that begins within a second and ends before `length` ms. */
function randomTalk(dice: Dice, n: number, length: number): Talk {
  const kind = dice.weighted({
    udp: 4,
    udplite: 1,
    gre: 1,
    pptp: 1,
    generic: 1,
    echo: 2,
    unreachable: 1,
    sctp: 4,
    tcp: 8,
  });
  const [src, dst] = hosts(n, kind !== 'gre' && kind !== 'pptp' && dice.chance(30));
  const speak = SCENES[kind]!(dice, [
    { src, dst },
    { src: dst, dst: src },
  ]);
  const steps: Step[] = [];
  // A number of packets in a row, as the fourth repetition changes a timer.
  for (let at = dice.below(1000); at < length; at += dice.pick(PAUSES) + dice.below(80))
    steps.push({ at, bytes: speak(steps.length === 0 ? 0 : dice.below(2)) });
  return { name: `${kind} ${n}`, host: src, steps };
}

/** Conversations of all protocols at once, `length` ms long. */
export function randomTalks(dice: Dice, count: number, length: number): Talk[] {
  return Array.from({ length: count }, (_, n) => randomTalk(dice, n, length));
}
