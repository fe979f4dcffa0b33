/** Conversations whose course in time is known: what each packet is, and whether the entry outlives the replay. */
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import { hosts, type Talk } from './talk.ts';
import { COOKIE_ACK, COOKIE_ECHO, INIT, INIT_ACK, type Protocol, SAY, type Say } from './talks-say.ts';

/** Timers of the directed conversations (s). 9 outlives the replay, 1 to 3 do not. */
export const DIRECTED_SYSCTLS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries({
    udp_timeout: 3,
    udp_timeout_stream: 9,
    gre_timeout: 1,
    gre_timeout_stream: 9,
    icmp_timeout: 1,
    generic_timeout: 1,
    sctp_timeout_closed: 1,
    sctp_timeout_cookie_wait: 1,
    sctp_timeout_cookie_echoed: 1,
    sctp_timeout_established: 9,
    tcp_timeout_syn_sent: 1,
    tcp_timeout_syn_recv: 1,
    tcp_timeout_established: 9,
    tcp_timeout_close: 1,
    tcp_timeout_fin_wait: 1,
    tcp_timeout_time_wait: 9,
    tcp_timeout_unacknowledged: 2,
    tcp_timeout_max_retrans: 1,
  }).map(([name, s]) => [`nf_conntrack_${name}`, s]),
);

/** How long the replay of the directed conversations takes at least (ms). */
export const DIRECTED_LENGTH = 6000;

/** [ms, direction, what the kernel says of it, fields of the packet]. */
type Line = readonly [
  at: number,
  dir: 0 | 1,
  says: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID',
  what?: Readonly<Record<string, unknown>>,
];

interface Course {
  readonly fact: string;
  readonly protocol: Protocol;
  readonly lines: readonly Line[];
  /** Whether the host's entry is there at the end. */
  readonly stays: boolean;
}

/** Sequence numbers: SYN 0, data from 1 on, either way. */
const SYN = { flags: TH_SYN, seq: 0, ack: 0 };
const SYN_ACK = { flags: TH_SYN | TH_ACK, seq: 0, ack: 1 };
const ACK = { flags: TH_ACK, seq: 1, ack: 1 };
const DATA = { ...ACK, payload: 10 };
const DATA_ACKED = { flags: TH_ACK, seq: 1, ack: 11 };

const HANDSHAKE: readonly Line[] = [
  [0, 0, 'NEW', SYN],
  [20, 1, 'ESTABLISHED', SYN_ACK],
  [40, 0, 'ESTABLISHED', ACK],
];

const COURSES: readonly Course[] = [
  {
    fact: 'udp: an answered flow that is used after 2 s becomes a stream',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [100, 1, 'ESTABLISHED'],
      [2300, 0, 'ESTABLISHED'],
    ],
    stays: true,
  },
  {
    fact: 'udp: an answered flow that is used before 2 s does not become a stream',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [100, 1, 'ESTABLISHED'],
      [1600, 0, 'ESTABLISHED'],
    ],
    stays: false,
  },
  {
    fact: 'udp: the first answer makes no stream, however late it comes',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [2500, 1, 'ESTABLISHED'],
    ],
    stays: false,
  },
  {
    fact: 'udp: the packet behind a late answer makes a stream',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [2500, 1, 'ESTABLISHED'],
      [2600, 1, 'ESTABLISHED'],
    ],
    stays: true,
  },
  {
    fact: 'udp: a flow without an answer stays NEW and keeps the short timer',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [1200, 0, 'NEW'],
      [2400, 0, 'NEW'],
      [2700, 0, 'NEW'],
    ],
    stays: false,
  },
  {
    fact: 'udp: an answer after the timer ran out is a new flow of the other host',
    protocol: 'udp',
    lines: [
      [0, 0, 'NEW'],
      [3400, 1, 'NEW'],
      [3500, 0, 'ESTABLISHED'],
    ],
    stays: true,
  },
  {
    fact: 'udplite: the third packet makes a stream at once',
    protocol: 'udplite',
    lines: [
      [0, 0, 'NEW'],
      [100, 1, 'ESTABLISHED'],
      [200, 0, 'ESTABLISHED'],
    ],
    stays: true,
  },
  {
    fact: 'gre: the third packet makes a stream at once',
    protocol: 'gre',
    lines: [
      [0, 0, 'NEW'],
      [100, 1, 'ESTABLISHED'],
      [200, 1, 'ESTABLISHED'],
    ],
    stays: true,
  },
  {
    fact: 'gre: an answered flow without a third packet keeps the short timer',
    protocol: 'gre',
    lines: [
      [0, 0, 'NEW'],
      [700, 1, 'ESTABLISHED'],
      [2200, 0, 'NEW'],
    ],
    stays: false,
  },
  {
    fact: 'gre version 1: the same call id both ways is two flows, neither of them answered',
    protocol: 'pptp',
    lines: [
      [0, 0, 'NEW'],
      [700, 1, 'NEW'],
      [1400, 0, 'NEW'],
      [1500, 1, 'NEW'],
    ],
    stays: false,
  },
  {
    fact: 'icmp: a reply after the timer ran out is INVALID, a request NEW',
    protocol: 'echo',
    lines: [
      [0, 0, 'NEW'],
      [500, 1, 'ESTABLISHED'],
      [1800, 1, 'INVALID'],
      [1900, 0, 'NEW'],
    ],
    stays: false,
  },
  {
    fact: 'icmp: every request and every reply sets the timer back to its full length',
    protocol: 'echo',
    lines: [
      [0, 0, 'NEW'],
      [700, 0, 'NEW'],
      [1400, 1, 'ESTABLISHED'],
      [2100, 1, 'ESTABLISHED'],
      [2800, 0, 'ESTABLISHED'],
    ],
    stays: false,
  },
  {
    fact: 'generic: packets of either host keep the entry, without them it is gone',
    protocol: 'generic',
    lines: [
      [0, 0, 'NEW'],
      [700, 1, 'ESTABLISHED'],
      [1400, 0, 'ESTABLISHED'],
      [2700, 0, 'NEW'],
    ],
    stays: false,
  },
  {
    fact: 'icmp: an error does not keep the flow that it is about',
    protocol: 'unreachable',
    lines: [
      [0, 0, 'NEW'],
      [2400, 1, 'RELATED'],
      [3400, 1, 'INVALID'],
    ],
    stays: false,
  },
  {
    fact: 'tcp: a repeated SYN does not keep the entry',
    protocol: 'tcp',
    lines: [
      [0, 0, 'NEW', SYN],
      [700, 0, 'NEW', SYN],
      [1400, 1, 'INVALID', SYN_ACK],
    ],
    stays: false,
  },
  {
    fact: 'tcp: a SYN that was not repeated can be answered within its time',
    protocol: 'tcp',
    lines: [
      [0, 0, 'NEW', SYN],
      [700, 1, 'ESTABLISHED', SYN_ACK],
      [1400, 0, 'ESTABLISHED', ACK],
    ],
    stays: true,
  },
  {
    fact: 'tcp: an ACK that is ignored does not keep the entry',
    protocol: 'tcp',
    lines: [
      [0, 0, 'NEW', SYN],
      [700, 1, 'ESTABLISHED', { ...ACK, ack: 77 }],
      [1400, 1, 'INVALID', SYN_ACK],
    ],
    stays: false,
  },
  {
    fact: 'tcp: an INVALID packet does not keep the entry',
    protocol: 'tcp',
    lines: [
      [0, 0, 'NEW', SYN],
      [700, 0, 'INVALID', { flags: TH_SYN | TH_FIN }],
      [1400, 1, 'INVALID', SYN_ACK],
    ],
    stays: false,
  },
  {
    fact: 'tcp: the timer is shorter while data is not acknowledged',
    protocol: 'tcp',
    lines: [...HANDSHAKE, [100, 0, 'ESTABLISHED', DATA], [2500, 0, 'NEW', DATA]],
    stays: false,
  },
  {
    fact: 'tcp: the acknowledgment restores the long timer',
    protocol: 'tcp',
    lines: [
      ...HANDSHAKE,
      [100, 0, 'ESTABLISHED', DATA],
      [1800, 1, 'ESTABLISHED', DATA_ACKED],
      [4500, 0, 'ESTABLISHED', { ...ACK, seq: 11 }],
    ],
    stays: true,
  },
  {
    fact: 'tcp: the fourth identical ACK shortens the timer',
    protocol: 'tcp',
    lines: [
      ...HANDSHAKE,
      [100, 0, 'ESTABLISHED', ACK],
      [200, 0, 'ESTABLISHED', ACK],
      [300, 0, 'ESTABLISHED', ACK],
      [1600, 0, 'NEW', ACK],
    ],
    stays: false,
  },
  {
    fact: 'tcp: the third identical ACK does not',
    protocol: 'tcp',
    lines: [
      ...HANDSHAKE,
      [100, 0, 'ESTABLISHED', ACK],
      [200, 0, 'ESTABLISHED', ACK],
      [1600, 0, 'ESTABLISHED', { ...ACK, window: 4096 }],
    ],
    stays: true,
  },
  {
    fact: 'tcp: a RST that is not believed leaves the timer of CLOSE, the next packet restores the longer one',
    protocol: 'tcp',
    lines: [
      ...HANDSHAKE,
      [100, 1, 'ESTABLISHED', { flags: TH_RST, seq: 5 }],
      [800, 0, 'ESTABLISHED', { ...ACK, ack: 5 }],
      [2500, 0, 'ESTABLISHED', { ...ACK, ack: 5 }],
    ],
    stays: true,
  },
  {
    fact: 'tcp: a RST that is not believed but is the last packet ends the entry',
    protocol: 'tcp',
    lines: [...HANDSHAKE, [100, 1, 'ESTABLISHED', { flags: TH_RST, seq: 5 }], [1500, 0, 'NEW', ACK]],
    stays: false,
  },
  {
    fact: 'tcp: a FIN shortens a timer that had longer to go',
    protocol: 'tcp',
    lines: [
      ...HANDSHAKE,
      [100, 0, 'ESTABLISHED', { ...ACK, flags: TH_FIN | TH_ACK }],
      [1500, 1, 'NEW', { ...ACK, ack: 2 }],
    ],
    stays: false,
  },
  {
    fact: 'tcp: picked up in the middle, the entry has the timer of unacknowledged data at the most',
    protocol: 'tcp',
    lines: [
      [0, 0, 'NEW', ACK],
      [1600, 0, 'NEW', DATA],
      [4000, 1, 'NEW', DATA_ACKED],
    ],
    stays: false,
  },
  {
    fact: 'sctp: a repeated INIT does not keep the entry',
    protocol: 'sctp',
    lines: [
      [0, 0, 'NEW', { ...INIT }],
      [700, 0, 'NEW', { ...INIT }],
      [1400, 1, 'INVALID', { ...INIT_ACK }],
    ],
    stays: false,
  },
  {
    fact: 'sctp: each step of the handshake has a timer of its own',
    protocol: 'sctp',
    lines: [
      [0, 0, 'NEW', { ...INIT }],
      [700, 1, 'ESTABLISHED', { ...INIT_ACK }],
      [1400, 0, 'ESTABLISHED', { ...COOKIE_ECHO }],
      [2100, 1, 'ESTABLISHED', { ...COOKIE_ACK }],
      [5000, 0, 'ESTABLISHED', { type: 4, value: 4 }],
    ],
    stays: true,
  },
  {
    fact: 'sctp: an association that was not set up in time cannot be continued',
    protocol: 'sctp',
    lines: [
      [0, 0, 'NEW', { ...INIT }],
      [700, 1, 'ESTABLISHED', { ...INIT_ACK }],
      [2100, 0, 'INVALID', { ...COOKIE_ECHO }],
    ],
    stays: false,
  },
];

/** A conversation with what is known of it. */
export interface DirectedTalk extends Talk {
  readonly says: readonly string[];
  readonly stays: boolean;
}

/** The conversations, each between two hosts of its own; names are facts. */
export const DIRECTED: readonly DirectedTalk[] = COURSES.map(({ fact, protocol, lines, stays }, n) => {
  const [src, dst] = hosts(n);
  const say: Say = SAY[protocol]([
    { src, dst },
    { src: dst, dst: src },
  ]);
  // A little apart, so that not all of them come at the same moment.
  const steps = lines.map(([at, dir, , what]) => ({ at: at + 3 * n, bytes: say(dir, what) }));
  return { name: fact, host: src, steps, says: lines.map(([, , says]) => says), stays };
});
