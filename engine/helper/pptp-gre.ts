import { R_CALL_ENDED } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { EXPECT_ADDED, type ExpectFn, type ExpectSpec, namedExpectFn } from '../conntrack/expectation.ts';
import { F_DST, F_SRC, F_ZONES, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HelpCall } from '../conntrack/helper.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS, type Tuple } from '../conntrack/tuple.ts';
import { isTranslated } from '../nat/mangle.ts';
import {
  NF_NAT_MANIP_DST,
  NF_NAT_MANIP_SRC,
  NF_NAT_RANGE_MAP_IPS,
  NF_NAT_RANGE_PROTO_SPECIFIED,
} from '../nat/range.ts';
import { setupNat } from '../nat/setup.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_GRE } from '../packet/protocols.ts';
import { GreTracker } from '../proto/gre.ts';
import type { PptpData } from './pptp.ts';

/** One direction of the call's packets, before any translation. */
interface Way {
  readonly src: number;
  readonly dst: number;
  readonly srcKey: number;
  readonly dstKey: number;
}

/** What the client sends (0) or the server (1), as it comes in. */
function wayOf(ct: Conntrack, master: number, dir: number, srcKey: number, dstKey: number): Way {
  const src = ct.addressOf(master, dir, F_SRC)[0]!;
  const dst = ct.addressOf(master, dir, F_DST)[0]!;
  return { src, dst, srcKey, dstKey };
}

/**
 * The call is connected: whoever sends first opens its GRE flow, and the other's packets belong to it. Both are
 * expected until then.
 */
export function expectGre(call: HelpCall, data: PptpData): void {
  const { conntrack, flow } = call;
  const translated = isTranslated(call);
  const own = translated ? data.ownCallId : data.pnsCallId;
  const sent = wayOf(conntrack, flow, 0, own, data.pacCallId);
  const received = wayOf(conntrack, flow, 1, data.pacCallId, data.pnsCallId);
  const onMatch = translated ? translateGre(conntrack, data) : forgetOther(conntrack);
  const first = expectWay(call, sent, 0, translated ? data.pnsCallId : 0, onMatch);
  if (!first) return;
  if (!expectWay(call, received, 1, translated ? own : 0, onMatch)) {
    drop(conntrack, flow, sent);
    return;
  }
  const keys = keysOf(conntrack);
  if (keys === null) return;
  data.keys = keys;
  const { src, dst, srcKey, dstKey } = received;
  if (keys.add(data, 0, sent.src, sent.dst, sent.srcKey, sent.dstKey)) {
    if (keys.add(data, 1, src, dst, srcKey, dstKey)) return;
    keys.remove(data);
  }
  drop(conntrack, flow, received);
  drop(conntrack, flow, sent);
}

/** Where the call ids of a table's control connections are noted, null where GRE has no tracker of its own. */
export function keysOf(ct: Conntrack): GreTracker['keys'] | null {
  const tracker = ct.tracker(IPPROTO_GRE);
  return tracker instanceof GreTracker ? tracker.keys : null;
}

function expectWay(
  call: HelpCall,
  { src, dst, srcKey, dstKey }: Way,
  dir: number,
  savedPort: number,
  onMatch: ExpectSpec['onMatch'],
): boolean {
  const spec = {
    master: call.flow,
    family: AF_INET,
    proto: IPPROTO_GRE,
    source: [src],
    destination: [dst],
    sourcePort: srcKey,
    destinationPort: dstKey,
    onMatch: onMatch ?? null,
    dir: isTranslated(call) ? dir : 0,
    savedPort,
  };
  return call.conntrack.expect(spec) === EXPECT_ADDED;
}

/** The call has ended: its GRE flow goes, or what was expected of it. */
export function endCall({ conntrack, flow }: HelpCall, data: PptpData): void {
  data.keys?.remove(data);
  const { pnsCallId, pacCallId } = data;
  end(conntrack, flow, wayOf(conntrack, flow, 0, pnsCallId, pacCallId));
  end(conntrack, flow, wayOf(conntrack, flow, 1, pacCallId, pnsCallId));
}

function end(ct: Conntrack, master: number, way: Way): void {
  const hit = ct.get(tupleOf(ct, master, way));
  if (hit === 0) drop(ct, master, way);
  else ct.evict(hit >> 1, R_CALL_ENDED);
}

/** Expects no more what comes this way. */
function drop(ct: Conntrack, master: number, way: Way): void {
  const t = tupleOf(ct, master, way);
  const found = ct.expectations.at(t).find(({ tuple }) => tuple.every((word, i) => word === t[i]));
  if (found !== undefined) ct.unexpect(found);
}

function tupleOf(ct: Conntrack, master: number, { src, dst, srcKey, dstKey }: Way): Tuple {
  const t: Tuple = new Int32Array(TUPLE_WORDS);
  t[T_SRC] = src;
  t[T_DST] = dst;
  t[T_PORTS] = (srcKey << 16) | dstKey;
  t[T_KIND] = IPPROTO_GRE | (AF_INET << 8);
  t[T_ZONE] = ct.table.words[master * ROW_WORDS + F_ZONES]! & 0xffff;
  return t;
}

/** One direction opened the flow: the other need not be expected any more. */
export function forgetOther(ct: Conntrack): ExpectFn {
  return namedExpectFn('pptp', (_flow, { master, tuple }) => {
    const ports = tuple[T_PORTS]!;
    const other = { src: tuple[T_DST]!, dst: tuple[T_SRC]!, srcKey: ports & 0xffff, dstKey: ports >>> 16 };
    drop(ct, master, other);
  });
}

/** The same of a translated call; its flow is translated as its control connection is. */
export function translateGre(ct: Conntrack, data: PptpData): ExpectFn {
  return namedExpectFn('pptp-nat', (flow, { master, dir, savedPort }) => {
    // Measured: if the server is first, what the client would have sent stays expected.
    if (dir === 0) drop(ct, master, wayOf(ct, master, 1, data.pacCallId, data.pnsCallId));
    const key = dir === 0 ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST;
    for (const manip of [NF_NAT_MANIP_SRC, NF_NAT_MANIP_DST]) {
      const address = ct.addressOf(master, 1 - dir, manip === NF_NAT_MANIP_SRC ? F_DST : F_SRC);
      const flags = NF_NAT_RANGE_MAP_IPS | (manip === key ? NF_NAT_RANGE_PROTO_SPECIFIED : 0);
      const port = manip === key ? savedPort : 0;
      const range = { minAddress: address, maxAddress: address, minPort: port, maxPort: port, basePort: 0 };
      setupNat(ct, flow, { flags, ...range }, manip);
    }
  });
}
