import { EXPECT_ADDED, type ExpectSpec } from '../conntrack/expectation.ts';
import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import { followMaster } from '../nat/follow.ts';
import { isTranslated, mangleUdp } from '../nat/mangle.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { destinationOf, sourceOf } from './flow-ends.ts';
import { bytesOf, type Cursor, findByte, findBytes, payloadOf, readDecimal } from './payload.ts';
import { refuse } from './refuse.ts';

const NEWLINE = 0x0a;
const CONNECT: Uint8Array = bytesOf('CONNECT ');
/** The streams a client opens ports for, in the order in which they are looked for (measured). */
const STREAMS: readonly Uint8Array[] = ['DATA ', 'MESG ', 'INDEX ', 'STATE '].map(bytesOf);
/** A port is read no further than this many digits, and modulo 65536 (measured). */
const PORT_DIGITS = 5;
/** How long the control flow lives on after each answer (master_timeout, ms): clients may take their time. */
const MASTER_TIMEOUT = 300_000;

/**
 * The answer's line `CONNECT DATA 50000 MESG 50001 INDEX 50002` names ports of the answering host. Measured: the first
 * such line is read, each stream once; a bad port ends the reading.
 */
function help(call: HelpCall): number {
  if (call.dir === 0) return HELP_ACCEPT;
  call.conntrack.prolong(call.flow, MASTER_TIMEOUT);
  const { pkt } = call;
  const at = payloadOf(call);
  const connect = findBytes(pkt.view, at, pkt.end, CONNECT);
  if (connect < 0) return HELP_ACCEPT;
  const start = connect + CONNECT.length;
  const newline = findByte(pkt.view, start, pkt.end, NEWLINE);
  if (newline < 0) return HELP_ACCEPT;
  return readStreams(call, start - pkt.off, newline - pkt.off);
}

/**
 * @param start first byte behind `CONNECT `, counted from the IP header: the packet may move
 * @param stop the newline; it stays where it was even if a port before it changes its length, which may cost the last
 *   port a digit (measured)
 */
function readStreams(call: HelpCall, start: number, stop: number): number {
  const { pkt } = call;
  let isRefused = false;
  for (const stream of STREAMS) {
    const end = Math.min(pkt.off + stop, pkt.end);
    const at = findBytes(pkt.view, pkt.off + start, end, stream);
    if (at < 0) continue;
    const first = at + stream.length;
    const c: Cursor = { view: pkt.view, at: first, end: Math.min(first + PORT_DIGITS, end) };
    const port = readDecimal(c, 0x10000);
    if (port <= 0) break;
    const isExpected = expectStream(call, port, first, c.at - first);
    // Measured: all are tried. One that cannot be expected drops the packet; under translation the last one decides.
    isRefused = !isExpected || (isRefused && !isTranslated(call));
  }
  return isRefused ? refuse(call) : HELP_ACCEPT;
}

/** @returns false if the packet is to be dropped */
function expectStream(call: HelpCall, port: number, at: number, length: number): boolean {
  const spec: ExpectSpec = {
    master: call.flow,
    family: call.pkt.family,
    proto: IPPROTO_TCP,
    source: sourceOf(call, 0),
    destination: destinationOf(call, 0),
    sourcePort: null,
    destinationPort: port,
  };
  if (!isTranslated(call)) return call.conntrack.expect(spec) === EXPECT_ADDED;
  const onMatch = followMaster(call.conntrack);
  const free = expectFreePort(call, { ...spec, onMatch, dir: 0, savedPort: port }, port);
  return free !== 0 && mangleUdp(call, at, length, bytesOf(String(free)));
}

/** Amanda, the network backup: its streams go to ports that the client names. */
export const AMANDA_HELPER: Helper = {
  name: 'amanda',
  proto: IPPROTO_UDP,
  families: [AF_INET, AF_INET6],
  ports: [10080],
  policies: [{ name: 'amanda', maxExpected: 4, timeout: 180_000 }],
  help,
};
