/**
 * A helper for rsh (BSD remote shell, TCP port 514), which Linux has none for. The client begins with a decimal port and
 * a zero byte; the server then opens a second connection, for the standard error output, to that port (rcmd(3)).
 */
import {
  AF_INET,
  AF_INET6,
  bytesOf,
  type Cursor,
  destinationOf,
  EXPECT_ADDED,
  type ExpectSpec,
  expectFreePort,
  followMaster,
  HELP_ACCEPT,
  type HelpCall,
  type Helper,
  IPPROTO_TCP,
  isTranslated,
  mangleTcp,
  payloadOf,
  readDecimal,
  refuse,
  sourceOf,
  tcpSeq,
} from '@keepstate/engine';

const ORIGINAL = 0;
const REPLY = 1;

/** What is remembered of a flow: the sequence number of the client's first byte, null before it has said anything. */
interface RshData {
  first: number | null;
}

/** Reads one packet of a flow, as it leaves: addresses and ports are translated, sequence numbers are not. */
function help(call: HelpCall): number {
  const { pkt } = call;
  const at = payloadOf(call);
  if (call.dir !== ORIGINAL || at >= pkt.end) return HELP_ACCEPT;
  const data = call.ext.data as RshData;
  const seq = tcpSeq(pkt.view, pkt.l4);
  data.first ??= seq;
  // The port stands at the beginning and nowhere else. A repeated segment has to be translated again, though.
  if (seq !== data.first) return HELP_ACCEPT;
  const c: Cursor = { view: pkt.view, at, end: pkt.end };
  const port = readDecimal(c);
  // Port 0, or nothing but the zero byte: no second connection is wanted.
  if (port <= 0 || port > 0xffff || c.at >= c.end || pkt.view.getUint8(c.at) !== 0) return HELP_ACCEPT;
  return expectErrors(call, port, at, c.at - at);
}

/** Expects the connection that comes back, and under translation tells the server where to. */
function expectErrors(call: HelpCall, port: number, at: number, length: number): number {
  const spec: ExpectSpec = {
    master: call.flow,
    family: call.pkt.family,
    proto: IPPROTO_TCP,
    // Of the reply direction, which is what the server sees.
    source: sourceOf(call, REPLY),
    destination: destinationOf(call, REPLY),
    sourcePort: null,
    destinationPort: port,
  };
  if (!isTranslated(call)) return call.conntrack.expect(spec) === EXPECT_ADDED ? HELP_ACCEPT : refuse(call);
  const onMatch = followMaster(call.conntrack);
  const free = expectFreePort(call, { ...spec, onMatch, dir: REPLY, savedPort: port }, port);
  if (free === 0) return refuse(call);
  return mangleTcp(call, at, length, bytesOf(String(free))) ? HELP_ACCEPT : refuse(call);
}

export const RSH_HELPER: Helper = {
  name: 'rsh',
  proto: IPPROTO_TCP,
  families: [AF_INET, AF_INET6],
  ports: [514],
  policies: [{ name: 'errors', maxExpected: 1, timeout: 60_000 }],
  start: (): RshData => ({ first: null }),
  help,
};
