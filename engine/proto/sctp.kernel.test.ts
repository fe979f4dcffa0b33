/**
 * Random SCTP conversations, packet by packet, through the engine and through this machine's kernel: ct state,
 * direction, status bits, reason, events, and after each packet the flow's state, tags, counters and timer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Kernel,
  type KernelEntry,
  type KernelEvent,
  type KernelVerdict,
  kernelUsable,
} from '../../tests/kernel/oracle.ts';
import { Random } from '../base/random.ts';
import * as R from '../base/reason.ts';
import { IPCT_NEW } from '../conntrack/events.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { Settings } from '../conntrack/settings.ts';
import { Firewall } from '../hook/firewall.ts';
import { ipPacket } from '../packet/build-ip.ts';
import { type SctpChunk, sctp } from '../packet/build-sctp.ts';
import { DLT_RAW } from '../packet/link.ts';
import { CTINFO_INVALID, Packet, resetPacket } from '../packet/packet.ts';
import { IPPROTO_SCTP } from '../packet/protocols.ts';
import { SCTP_STATE_NAMES, SCTP_TIMEOUTS } from './sctp-states.ts';
import { W_STATE, W_TAGS } from './sctp-words.ts';

const TALKS = 20;
const LENGTH = 16;
const CHUNKS = [0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 10, 11, 11, 13, 14, 15, 64, 192];
/** The way through an association's life: direction and chunk type. */
const LIFE = [0x01, 0x12, 0x0a, 0x1b, 0x07, 0x18, 0x0e];
/** Reasons that the kernel logs too. */
const LOGGED = new Set([R.R_SCTP_SHORT, R.R_SCTP_CRC, R.R_SCTP_CHUNKS, R.R_SCTP_VTAG, R.R_SCTP_INVALID]);
const CT_STATES = ['ESTABLISHED original', '', 'NEW original', 'ESTABLISHED reply'];

/** Timeouts far apart, so that one taken for another shows; acct tells which packets refreshed the timer. */
const SYSCTLS: Record<string, number> = { nf_conntrack_acct: 1 };
SCTP_TIMEOUTS.slice(1).forEach((name, i) => {
  SYSCTLS[name] = 1000 + 100 * i;
});

interface Talk {
  readonly port: number;
  readonly six: boolean;
  /** How many packets follow LIFE before chance takes over. */
  readonly sane: number;
  /** Few tags, so that they meet, or any. */
  readonly tags: readonly number[];
  readonly inits: boolean;
}

function makeTalk(random: Random, port: number): Talk {
  const tags = random.below(2) === 0 ? [0, 1, 2, 3] : [random.word(), random.word(), 0x80000000];
  return {
    port,
    six: random.below(4) === 0,
    sane: random.below(LIFE.length + 1),
    tags,
    inits: random.below(4) === 0,
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function address(talk: Talk, side: number): string {
  return talk.six ? `2001:db8::${side + 1}` : `10.${side}.0.1`;
}

function makeChunk(random: Random, talk: Talk, type: number): SctpChunk {
  const init = type === 1 || type === 2;
  const value = new Uint8Array(init ? 16 + 4 * random.below(2) : 4 + random.below(9)).fill(random.below(9));
  new DataView(value.buffer).setInt32(0, pick(random, talk.tags));
  const flags = random.below(3) === 0 ? 1 : 0;
  return random.below(60) === 0
    ? { type, flags, value, length: random.below(40) }
    : { type, flags, value };
}

/** The next packet of a talk. `tags` are those that the engine expects of either direction. */
function makePacket(random: Random, talk: Talk, at: number, tags: readonly number[]): Uint8Array {
  const sane = at < talk.sane;
  const dir = sane ? LIFE[at]! >> 4 : random.below(2);
  let types = [LIFE[at]! & 15];
  if (!sane) {
    const count = talk.inits ? 1 : pick(random, [1, 1, 1, 1, 2, 2, 3]);
    types = Array.from({ length: count }, () => (talk.inits ? 1 + random.below(2) : pick(random, CHUNKS)));
  }
  const right = types[0] === 1 ? 0 : tags[dir]!;
  const vtag = sane || random.below(4) !== 0 ? right : pick(random, [...talk.tags, ...tags, 0]);
  const [sport, dport] = dir === 0 ? [talk.port, 7] : [7, talk.port];
  const chunks = types.map((type) => makeChunk(random, talk, type));
  let payload = sctp({ sport: sport!, dport: dport!, vtag, chunks });
  if (!sane && random.below(25) === 0) payload = recut(random, payload);
  else if (!sane && random.below(50) === 0) payload[8]! ^= 1 << random.below(8);
  return ipPacket({ src: address(talk, dir), dst: address(talk, 1 - dir) }, IPPROTO_SCTP, payload);
}

/** Cut short, with a right CRC32c where there is room for one. */
function recut(random: Random, payload: Uint8Array): Uint8Array {
  const cut = payload.slice(0, random.below(payload.length));
  if (cut.length < 12) return cut;
  const whole = sctp({ sport: 0, dport: 0, chunks: [{ type: 0, value: 0 }] }); // 16 bytes: header and one chunk
  const view = new DataView(cut.buffer);
  const fields = { sport: view.getUint16(0), dport: view.getUint16(2), vtag: view.getInt32(4) };
  const chunks = cut.length < whole.length ? [] : [{ type: cut[12]!, flags: cut[13]!, length: view.getUint16(14), value: cut.slice(16) }];
  return sctp({ ...fields, chunks });
}
