import {
  IPPROTO_DCCP,
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { type NatRange, NF_NAT_MANIP_DST, NF_NAT_MANIP_SRC, NF_NAT_RANGE_PROTO_SPECIFIED } from './range.ts';

/** Of what a port may be chosen: `size` numbers from `min` on. */
export interface PortWindow {
  min: number;
  size: number;
}

/** For whoever needs one at a time. */
export const windowScratch: PortWindow = { min: 0, size: 0 };

/** Ports below this are of one class: 1 to 511 (as rlogin and its like had it). */
const LOW = 512;
/** Those up to here of the next: 600 to 1023. */
const RESERVED = 1024;
const RESERVED_FROM = 600;

function isIcmp(proto: number): boolean {
  return proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6;
}

/** Whether a protocol's flows are told apart by a number that translation can look at. */
export function isKeyProtocol(proto: number): boolean {
  return isIcmp(proto) || proto === IPPROTO_GRE || hasPorts(proto);
}

function hasPorts(proto: number): boolean {
  return (
    proto === IPPROTO_TCP ||
    proto === IPPROTO_UDP ||
    proto === IPPROTO_UDPLITE ||
    proto === IPPROTO_SCTP ||
    proto === IPPROTO_DCCP
  );
}

/** Whether the number stands in the upper half of a port word: a source port, and the id of ICMP both ways. */
function isUpper(proto: number, manip: number): boolean {
  return manip === NF_NAT_MANIP_SRC || isIcmp(proto);
}

/** The port, id or key of the end that is translated. @param ports as T_PORTS */
export function getKey(ports: number, proto: number, manip: number): number {
  return isUpper(proto, manip) ? ports >>> 16 : ports & 0xffff;
}

/** A port word with another such number. */
export function putKey(ports: number, proto: number, manip: number, key: number): number {
  return isUpper(proto, manip) ? (ports & 0xffff) | (key << 16) : (ports & ~0xffff) | (key & 0xffff);
}

/**
 * Of which numbers another one may be chosen. Measured: ports stay in their class, ids may be any, keys of GRE are
 * changed only where a control connection told of the flow, and destination ports only if the rule says so.
 * @param ports as T_PORTS of the original direction so far
 * @param hasMaster whether another flow told of it
 * @param out takes it
 * @returns false if there is nothing to choose
 */
export function portWindow(
  ports: number,
  proto: number,
  hasMaster: boolean,
  range: NatRange,
  manip: number,
  out: PortWindow,
): boolean {
  const isGiven = (range.flags & NF_NAT_RANGE_PROTO_SPECIFIED) !== 0;
  if (isIcmp(proto)) return isGiven ? given(range, out, false) : put(out, 0, 65535);
  if (proto === IPPROTO_GRE) {
    if (!hasMaster) return false;
    return isGiven ? given(range, out, false) : put(out, 1, 65535);
  }
  if (!hasPorts(proto)) return false;
  if (isGiven) return given(range, out, true);
  if (manip === NF_NAT_MANIP_DST) return false;
  const port = getKey(ports, proto, manip);
  if (port < LOW) return put(out, 1, LOW - 1);
  return port < RESERVED ? put(out, RESERVED_FROM, RESERVED - 1) : put(out, RESERVED, 65535);
}

function put(out: PortWindow, min: number, max: number): true {
  out.min = min;
  out.size = max - min + 1;
  return true;
}

/** @param swaps whether a range that is the wrong way round is turned */
function given({ minPort, maxPort }: NatRange, out: PortWindow, swaps: boolean): boolean {
  if (minPort <= maxPort) return put(out, minPort, maxPort);
  if (swaps) return put(out, maxPort, minPort);
  put(out, minPort, maxPort);
  return out.size > 0;
}
