import { EXPECT_ADDED, type ExpectSpec } from '../conntrack/expectation.ts';
import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import { followMaster } from '../nat/follow.ts';
import { isTranslated, mangleTcp } from '../nat/mangle.ts';
import { AF_INET, IP_CT_ESTABLISHED } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { destinationOf, sourceOf } from './flow-ends.ts';
import {
  bytesOf,
  type Cursor,
  findByte,
  findBytes,
  hasBytes,
  hasWord,
  payloadOf,
  readDecimal,
} from './payload.ts';
import { refuse } from './refuse.ts';

const SPACE = 0x20;
const NEWLINE = 0x0a;
/** What may stand in front of the line (measured). */
const SKIPPED: readonly number[] = [SPACE, 0x0d, NEWLINE];
const MESSAGE: Uint8Array = bytesOf('privmsg ');
const TEXT: Uint8Array = bytesOf(' :');
/** Client-to-client protocol: a message between bytes 1. */
const DCC: Uint8Array = bytesOf('\x01DCC ');
/** DCC commands that name an address and a port (measured: RESUME and ACCEPT are not read). */
const COMMANDS: readonly Uint8Array[] = ['SEND ', 'CHAT ', 'MOVE ', 'TSEND ', 'SCHAT '].map(bytesOf);
/** The shortest DCC message that is looked at, from its byte 1 on (measured). */
const LEAST = 25;
/** Payload behind that is not looked at (measured). */
const MOST = 4095;

/** Where a direct connection is offered. */
interface Offer {
  /** Address and port in the payload, as offsets in `pkt.view`. */
  readonly start: number;
  readonly end: number;
  readonly address: number;
  readonly port: number;
}

/**
 * Finds `PRIVMSG somebody :^ADCC SEND file address port`, which must be the first line of the segment (RFC 2812; CTCP).
 * The numbers are decimal and may be too long: the kernel's integers overflow. Measured: behind another DCC command the
 * search goes on, so the offer may stand in a later line too.
 */
function findOffer(call: HelpCall): Offer | null {
  const { view } = call.pkt;
  const start = payloadOf(call);
  const end = Math.min(call.pkt.end, start + MOST);
  let at = start;
  while (at < end && SKIPPED.includes(view.getUint8(at))) at++;
  if (!hasWord(view, at, end, MESSAGE)) return null;
  at += MESSAGE.length;
  for (;;) {
    const text = findBytes(view, at, end, TEXT);
    const dcc = text + TEXT.length;
    if (text < 0 || end - dcc < LEAST || !hasBytes(view, dcc, end, DCC)) return null;
    at = dcc + DCC.length;
    const command = COMMANDS.find((name) => hasBytes(view, at, end, name));
    if (command !== undefined) return readOffer({ view, at: at + command.length, end });
  }
}

/** Reads `file address port`, with a newline somewhere behind the file. */
function readOffer(c: Cursor): Offer | null {
  const space = findByte(c.view, c.at, c.end, SPACE);
  if (space < 0 || findByte(c.view, space, c.end, NEWLINE) < 0) return null;
  const start = space + 1;
  c.at = start;
  const address = readDecimal(c);
  if (address < 0 || c.at >= c.end || c.view.getUint8(c.at) !== SPACE) return null;
  while (c.at < c.end && c.view.getUint8(c.at) === SPACE) c.at++;
  const port = readDecimal(c, 0x10000);
  return port <= 0 ? null : { start, end: c.at, address: address | 0, port };
}

/** Measured: only the client is read, and only its own address counts, before or after translation. */
function help(call: HelpCall): number {
  if (call.pkt.ctinfo !== IP_CT_ESTABLISHED) return HELP_ACCEPT;
  const offer = findOffer(call);
  if (offer === null) return HELP_ACCEPT;
  const outer = destinationOf(call, 1);
  if (offer.address !== sourceOf(call, 0)[0] && offer.address !== outer[0]) return HELP_ACCEPT;
  const spec: ExpectSpec = {
    master: call.flow,
    family: AF_INET,
    proto: IPPROTO_TCP,
    source: null,
    destination: outer,
    sourcePort: null,
    destinationPort: offer.port,
  };
  if (isTranslated(call)) return translate(call, offer, spec);
  return call.conntrack.expect(spec) === EXPECT_ADDED ? HELP_ACCEPT : refuse(call);
}

function translate(call: HelpCall, offer: Offer, spec: ExpectSpec): number {
  const onMatch = followMaster(call.conntrack);
  const port = expectFreePort(call, { ...spec, onMatch, dir: 1, savedPort: offer.port }, offer.port);
  if (port === 0) return refuse(call);
  const text = bytesOf(`${spec.destination[0]! >>> 0} ${port}`);
  return mangleTcp(call, offer.start, offer.end - offer.start, text) ? HELP_ACCEPT : refuse(call);
}

/** IRC's direct client-to-client connections (DCC). */
export const IRC_HELPER: Helper = {
  name: 'irc',
  proto: IPPROTO_TCP,
  families: [AF_INET],
  ports: [6667],
  // max_dcc_channels 8, dcc_timeout 300
  policies: [{ name: 'dcc', maxExpected: 8, timeout: 300_000 }],
  help,
};
