/** Session descriptions under translation: where media come to from outside. */

import { EXPECT_ADDED, EXPECT_BUSY } from '../conntrack/expectation.ts';
import { HELP_ACCEPT } from '../conntrack/helper.ts';
import { bytesOf, sameAddress } from './payload.ts';
import { addressBytes, newEnd } from './sip-address.ts';
import { followSip } from './sip-follow.ts';
import { CONTENT_LENGTH, FOUND, findHeader, MISSING } from './sip-header.ts';
import { type Medium, mediumSpec } from './sip-medium.ts';
import { CANNOT, drop, type SipMessage } from './sip-message.ts';
import { CONNECTION, findSdp, MEDIA, OWNER, type SdpLine, VERSION } from './sip-sdp.ts';

const LAST_PORT = 65535;
/** `v=`, which stands in front of what {@link findSdp} finds. */
const VERSION_NAME = 2;

/** Content-Length says how long the description has become. @returns false if there is no such header */
function writeLength(message: SipMessage): boolean {
  const out = newEnd();
  if (findSdp(message, 0, VERSION, null, message.family, out) !== FOUND) return false;
  const length = message.length - out.at + VERSION_NAME;
  if (findHeader(message, 0, CONTENT_LENGTH, message.family, out) !== FOUND) return false;
  return message.replace(out.at, out.end, bytesOf(String(length)));
}

/** Writes another port of a medium. */
export function writePort(message: SipMessage, { at, end }: Medium, port: number): boolean {
  return message.replace(at, end, bytesOf(String(port))) && writeLength(message);
}

/** @returns MISSING if there is no such line, FOUND if it was changed, else it could not be */
function writeLine(message: SipMessage, from: number, kind: SdpLine, bytes: Uint8Array): number {
  const out = newEnd();
  const result = findSdp(message, from, kind, MEDIA, message.family, out);
  if (result !== FOUND) return MISSING;
  return message.replace(out.at, out.end, bytes) ? FOUND : -1;
}

/** Writes the address of a medium's own `c=` line. */
export function writeConnection(message: SipMessage, from: number, address: readonly number[]): boolean {
  return writeLine(message, from, CONNECTION, addressBytes(address, false)) === FOUND && writeLength(message);
}

/** Writes the address of the whole session's `o=` and, if there is one, `c=` line. */
export function writeSession(message: SipMessage, from: number, address: readonly number[]): boolean {
  const bytes = addressBytes(address, false);
  if (writeLine(message, from, OWNER, bytes) !== FOUND) return false;
  return writeLine(message, from, CONNECTION, bytes) >= MISSING && writeLength(message);
}

/**
 * Expects a medium at the address that the other end knows, at the same ports or the next pair that is free, and
 * writes the port where it is another.
 * @param medium its address becomes that
 */
export function translateMedia(message: SipMessage, medium: Medium, wanted: number): number {
  const { call } = message;
  const saved = medium.address;
  const outside = message.destination(true).address;
  if (!sameAddress(message.source(false).address, outside)) medium.address = outside;
  const port = expectPair(message, medium, saved, wanted);
  if (port === 0) return drop(message, CANNOT.findPorts);
  if (port === wanted || writePort(message, medium, port)) return HELP_ACCEPT;
  for (const expected of call.ext.expectations.slice(-2)) call.conntrack.unexpect(expected);
  return drop(message, CANNOT.mangle);
}

/** @returns the port of the first, 0 if there is no free pair */
function expectPair(
  message: SipMessage,
  medium: Medium,
  savedAddress: readonly number[],
  wanted: number,
): number {
  const { conntrack, ext, dir } = message.call;
  const expect = (port: number, savedPort: number): number =>
    conntrack.expect({
      ...mediumSpec(message, medium, port),
      savedAddress,
      savedPort,
      dir: 1 - dir,
      onMatch: followSip(conntrack),
    });
  for (let port = wanted; port <= LAST_PORT; port += 2) {
    const rtp = expect(port, wanted);
    if (rtp === EXPECT_BUSY) continue;
    if (rtp !== EXPECT_ADDED) return 0;
    const made = ext.expectations.at(-1)!;
    const rtcp = expect(port + 1, wanted + 1);
    if (rtcp === EXPECT_ADDED) return port;
    conntrack.unexpect(made);
    if (rtcp !== EXPECT_BUSY) return 0;
  }
  return 0;
}
