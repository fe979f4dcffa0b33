import { EXPECT_ADDED } from '../conntrack/expectation.ts';
import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { AF_INET, AF_INET6, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { destinationOf, sourceOf } from './flow-ends.ts';
import { payloadOf } from './payload.ts';
import { refuse } from './refuse.ts';

/** SANE_NET_START: code 7 of the SANE network protocol ("Network protocol", procedure codes). */
const START = 7;
/** Code and handle. */
const REQUEST_BYTES = 8;
/** Status, then the port as a word. */
const REPLY_BYTES = 8;

/** What is remembered: whether the last request asked for the data port. */
interface SaneData {
  started: boolean;
}

/**
 * The answer to SANE_NET_START names the port of the data connection. Measured: a request is a segment of exactly
 * eight bytes, others change nothing; any payload of the server's uses the request up.
 */
function help(call: HelpCall): number {
  const { pkt, dir } = call;
  if (pkt.ctinfo !== IP_CT_ESTABLISHED && pkt.ctinfo !== IP_CT_ESTABLISHED_REPLY) return HELP_ACCEPT;
  const at = payloadOf(call);
  const length = pkt.end - at;
  if (length <= 0) return HELP_ACCEPT;
  const data = call.ext.data as SaneData;
  if (dir === 0) {
    if (length === REQUEST_BYTES) data.started = pkt.view.getUint32(at) === START;
    return HELP_ACCEPT;
  }
  if (!data.started) return HELP_ACCEPT;
  data.started = false;
  if (length < REPLY_BYTES || pkt.view.getUint32(at) !== 0) return HELP_ACCEPT;
  const port = pkt.view.getUint32(at + 4);
  return port > 0xffff ? HELP_ACCEPT : expectData(call, port);
}

/** The addresses are those before translation: the client's rules translate the data connection too (measured). */
function expectData(call: HelpCall, port: number): number {
  const verdict = call.conntrack.expect({
    master: call.flow,
    family: call.pkt.family,
    proto: IPPROTO_TCP,
    source: sourceOf(call, 0),
    destination: destinationOf(call, 0),
    sourcePort: null,
    destinationPort: port,
  });
  return verdict === EXPECT_ADDED ? HELP_ACCEPT : refuse(call);
}

/** SANE, network access to scanners. */
export const SANE_HELPER: Helper = {
  name: 'sane',
  proto: IPPROTO_TCP,
  families: [AF_INET, AF_INET6],
  ports: [6566],
  policies: [{ name: 'sane', maxExpected: 1, timeout: 300_000 }],
  start: (): SaneData => ({ started: false }),
  save: (data) => (data as SaneData).started,
  restore: (saved) => (typeof saved === 'boolean' ? { started: saved } : undefined),
  help,
};
