import { IPPROTO_TCP, IPPROTO_UDP, type Packet, readFlow } from '@keepstate/engine';
import type { Session } from './session.ts';

/** A part of a payload, and what stands in its place. */
export interface Replaced {
  readonly from: string;
  readonly to: string;
  /** Whether both are bytes, two digits each, since they are no text. */
  readonly hex: boolean;
}

/** What became of the payload of a packet, and of its sequence numbers, on its way. */
export interface Rewritten {
  /** The helper of its flow; null where it has none, and a rule did it. */
  readonly helper: string | null;
  readonly replaced: readonly Replaced[];
  /** By how many bytes the payload grew. Of TCP all that follows is shifted by as much. */
  readonly longer: number;
  /** By how much its own sequence number differs from the one it came with. */
  readonly seq: number;
  /** The same of its acknowledgment number. */
  readonly ack: number;
}

const NO_BYTES = new Uint8Array(0);
const NEWLINE = 10;

/** Whether its header is there as a whole. */
function isWhole({ l4, end, proto }: Packet): boolean {
  return l4 >= 0 && end - l4 >= (proto === IPPROTO_TCP ? 20 : 8);
}

function payloadOf({ bytes, view, l4, end, proto }: Packet): Uint8Array {
  const header = proto === IPPROTO_TCP ? (view.getUint8(l4 + 12) >> 4) * 4 : 8;
  return l4 + header > end ? NO_BYTES : bytes.subarray(l4 + header, end);
}

/** Tabs, the ends of lines, and what a terminal shows. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((b) => (b >= 0x20 && b < 0x7f) || b === 9 || b === 10 || b === 13);
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== NEWLINE) continue;
    lines.push(bytes.subarray(start, i + 1));
    start = i + 1;
  }
  return start < bytes.length ? [...lines, bytes.subarray(start)] : lines;
}

const textOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (b) => String.fromCharCode(b))
    .join('')
    .trimEnd();
const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The one stretch in which bytes differ. */
function stretch(before: Uint8Array, after: Uint8Array): Replaced {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const from = hexOf(before.subarray(head, before.length - tail));
  return { from, to: hexOf(after.subarray(head, after.length - tail)), hex: true };
}

/**
 * What differs between two payloads: the lines that do if both are text of as many lines, else the bytes from the first
 * to the last that differ.
 */
export function replacedParts(before: Uint8Array, after: Uint8Array): Replaced[] {
  if (isSame(before, after)) return [];
  const [old, now] = [linesOf(before), linesOf(after)];
  if (old.length !== now.length || !isText(before) || !isText(after)) return [stretch(before, after)];
  return old.flatMap((line, i) =>
    isSame(line, now[i]!) ? [] : [{ from: textOf(line), to: textOf(now[i]!), hex: false }],
  );
}

/**
 * What helpers (or rules) did to the payload of the packet that was received last, by comparing it with what came.
 * @returns null if nothing, or if that cannot be told: of a datagram that came in fragments
 */
export function rewritten(session: Session): Rewritten | null {
  const { pkt, arrived } = session;
  if (pkt === arrived || pkt.flow === 0 || pkt.proto !== arrived.proto) return null;
  const isTcp = pkt.proto === IPPROTO_TCP;
  if (!isTcp && pkt.proto !== IPPROTO_UDP) return null;
  if (!isWhole(pkt) || !isWhole(arrived)) return null;
  const before = payloadOf(arrived);
  const after = payloadOf(pkt);
  const by = (at: number): number =>
    isTcp ? (pkt.view.getInt32(pkt.l4 + at) - arrived.view.getInt32(arrived.l4 + at)) | 0 : 0;
  const [seq, ack] = [by(4), by(8)];
  const replaced = replacedParts(before, after);
  if (replaced.length === 0 && seq === 0 && ack === 0) return null;
  const { helper } = readFlow(session.firewall.conntrack, pkt.flow);
  return { helper, replaced, longer: after.length - before.length, seq, ack };
}
