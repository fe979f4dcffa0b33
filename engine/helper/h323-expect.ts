/** Flows that H.323 messages tell of, with and without translation. All return false if the packet must be dropped. */
import { EXPECT_ADDED, EXPECT_BUSY, EXPECT_PERMANENT, type ExpectSpec } from '../conntrack/expectation.ts';
import type { HelpCall, Helper } from '../conntrack/helper.ts';
import { expectFreePort } from '../nat/expect-port.ts';
import { followMaster } from '../nat/follow.ts';
import { isTranslated } from '../nat/mangle.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { destinationOf, sourceOf } from './flow-ends.ts';
import { type H323Address, writeAddress } from './h323-address.ts';
import type { H323State } from './h323-state.ts';
import { sameAddress } from './payload.ts';

/** Channels whose RTP ports are remembered for translation; further ones are left alone (measured). */
const CHANNELS = 4;

/** Whether an address is the one of who sends the packet, with a port: only such are read. */
export function isSenders(call: HelpCall, address: H323Address | null): address is H323Address {
  return address !== null && address.port !== 0 && sameAddress(address.words, sourceOf(call, call.dir));
}

/** Whether addresses in the payload are to be translated too. Measured: Linux does so for IPv4 alone. */
export function isShown(call: HelpCall): boolean {
  return call.pkt.family === AF_INET && isTranslated(call);
}

/** Whether others know the sender by another address than its own. */
export function isHidden(call: HelpCall): boolean {
  return isShown(call) && !sameAddress(sourceOf(call, call.dir), shownAddress(call));
}

/** The address that others know the sender by. */
export function shownAddress(call: HelpCall): readonly number[] {
  return destinationOf(call, 1 - call.dir);
}

/** A flow that the other end opens to the sender; its port is left open. */
function fromOtherEnd(call: HelpCall, proto: number, destinationPort: number): ExpectSpec {
  return {
    master: call.flow,
    family: call.pkt.family,
    proto,
    source: sourceOf(call, 1 - call.dir),
    destination: shownAddress(call),
    sourcePort: null,
    destinationPort,
  };
}

function translated(call: HelpCall, port: number): Pick<ExpectSpec, 'onMatch' | 'dir' | 'savedPort'> {
  return { onMatch: followMaster(call.conntrack), dir: 1 - call.dir, savedPort: port };
}

/**
 * Expects a connection for signalling, whose port is remembered: the next message that tells of it finds it again.
 * @param isNat whether its port is translated
 */
export function expectSignalling(
  call: HelpCall,
  address: H323Address,
  isNat: boolean,
  more: { readonly helper: Helper; readonly flags?: number },
): boolean {
  const { port } = address;
  const { signalPorts } = call.ext.data as H323State;
  const { dir } = call;
  const spec = { ...fromOtherEnd(call, IPPROTO_TCP, port), ...more };
  if (!isNat) return call.conntrack.expect(spec) === EXPECT_ADDED;
  const first = signalPorts[dir] === port ? signalPorts[1 - dir]! : port;
  const free = expectFreePort(call, { ...spec, ...translated(call, port) }, first);
  if (free === 0) return true;
  writeAddress(call, address, shownAddress(call), free);
  signalPorts[dir] = port;
  signalPorts[1 - dir] = free;
  return true;
}

/** T.120: any number of connections to the sender. */
export function expectData(call: HelpCall, address: H323Address): boolean {
  const { port } = address;
  const spec = { ...fromOtherEnd(call, IPPROTO_TCP, port), flags: EXPECT_PERMANENT };
  if (!isHidden(call)) return call.conntrack.expect(spec) === EXPECT_ADDED;
  const free = expectFreePort(call, { ...spec, ...translated(call, port) }, port);
  if (free !== 0) writeAddress(call, address, shownAddress(call), free);
  return true;
}

/** Expects RTP at the even port and RTCP at the odd one above it, whichever of them the address has. */
export function expectMedia(call: HelpCall, address: H323Address): boolean {
  const port = address.port & ~1;
  const spec = fromOtherEnd(call, IPPROTO_UDP, port);
  if (!isHidden(call)) return expectPair(call, spec, {}, port, port) === EXPECT_ADDED;
  const { mediaPorts } = call.ext.data as H323State;
  const { dir } = call;
  let channel = mediaPorts.find((ports) => ports[dir] === port);
  if (channel === undefined && mediaPorts.length >= CHANNELS) return true;
  // Measured: 0 ends the search, and is where it begins for port 1.
  for (let free = port; free > 0 && free < 0x10000; free += 2) {
    const verdict = expectPair(
      call,
      spec,
      { dir: 1 - dir, onMatch: followMaster(call.conntrack) },
      port,
      free,
    );
    if (verdict === EXPECT_BUSY) continue;
    if (verdict !== EXPECT_ADDED) return true;
    writeAddress(call, address, shownAddress(call), free | (address.port & 1));
    if (channel === undefined) {
      channel = [0, 0];
      mediaPorts.push(channel);
    }
    channel[dir] = port;
    channel[1 - dir] = free;
    return true;
  }
  return true;
}

/** Two neighbouring ports or none. @param port before translation */
function expectPair(
  { conntrack, ext }: HelpCall,
  spec: ExpectSpec,
  nat: Pick<ExpectSpec, 'onMatch' | 'dir'>,
  port: number,
  free: number,
): number {
  const isNat = nat.onMatch !== undefined;
  const saved = (savedPort: number): Partial<ExpectSpec> => (isNat ? { ...nat, savedPort } : {});
  const first = conntrack.expect({ ...spec, ...saved(port), destinationPort: free });
  if (first !== EXPECT_ADDED) return first;
  const rtp = ext.expectations.at(-1)!;
  const second = conntrack.expect({ ...spec, ...saved(port + 1), destinationPort: free + 1 });
  if (second !== EXPECT_ADDED) conntrack.unexpect(rtp);
  return second;
}
