/** What of a packet's fate is compared: the same form from the kernel's side and from keepstate's. */
import type { RuleOutcome, RulePacket } from './rules-types.ts';
import { HOST4, HOST6 } from './rules-world.ts';

/** The fate of one packet. */
export interface PacketView {
  /** `accept`, `drop`, `reject`; keepstate also says `queue` and `unknown`. */
  readonly verdict: string;
  /** What left by a device, in order, as hex; fields that Linux draws at random are masked. */
  readonly left: readonly string[];
  /** The kernel's log: `<4>prefix IN=…`. */
  readonly log: readonly string[];
  /** Messages to nfnetlink groups: `5:prefix`. */
  readonly groups: readonly string[];
  /** The packet's mark at its end, null if it did not come so far. */
  readonly mark: number | null;
}

const IPPROTO_ICMP = 1;

/** Whether the packet is a fragment: what becomes of those is only compared in its verdict. */
export function isFragment(bytes: Uint8Array): boolean {
  if (bytes[0]! >> 4 === 4) return (((bytes[6]! << 8) | bytes[7]!) & 0x3fff) !== 0;
  let next = bytes[6]!;
  for (let at = 40; at + 8 <= bytes.length; ) {
    if (next === 44) return true;
    if (![0, 43, 51, 60].includes(next)) return false;
    const length = next === 51 ? (bytes[at + 1]! + 2) * 4 : (bytes[at + 1]! + 1) * 8;
    next = bytes[at]!;
    at += length;
  }
  return bytes.length < 40;
}

/** Hex of a packet that left; in ICMP errors of the host the IPv4 id is random, and so is the header's checksum. */
export function leftText(bytes: Uint8Array, isAnswer: boolean): string {
  const copy = Buffer.from(bytes);
  if (isAnswer && copy[0]! >> 4 === 4 && copy[9] === IPPROTO_ICMP) {
    copy.writeUInt16BE(0, 4);
    copy.writeUInt16BE(0, 10);
  }
  return copy.toString('hex');
}

/** A line of the kernel's log without the random id of ICMP errors of this host. */
export function logText(line: string): string {
  return line.replace(
    /(IN=(?:lo)? OUT=[^[]*)ID=\d+ ((?:DF )?(?:OPT \([0-9A-F]*\) )?PROTO=ICMP TYPE=(?:3|5|11|12) )/,
    '$1ID=0 $2',
  );
}

/** Source and destination, as text, of an IP packet. */
export function endsOf(bytes: Uint8Array): readonly [string, string] {
  const text = (at: number): string => {
    if (bytes[0]! >> 4 === 4) return bytes.subarray(at, at + 4).join('.');
    const groups = Array.from({ length: 8 }, (_, i) =>
      ((bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!).toString(16),
    );
    return groups
      .join(':')
      .replace(/\b0(:0)+\b/, '')
      .replace(/^:$|^:(?!:)|(?<!:):$/g, (m) => `${m}:`);
  };
  return bytes[0]! >> 4 === 4 ? [text(12), text(16)] : [text(8), text(24)];
}

/** Whether a packet is the host's own. */
export function fromHost(bytes: Uint8Array): boolean {
  const [src] = endsOf(bytes);
  return HOST4.includes(src) || HOST6.includes(src);
}

/** Whether a packet is for the host itself, and leaves by no device. */
export function toHost(bytes: Uint8Array): boolean {
  const [, dst] = endsOf(bytes);
  return HOST4.includes(dst) || HOST6.includes(dst);
}

/** The kernel's side. */
export function kernelView(outcome: RuleOutcome, packet: RulePacket): PacketView {
  const { verdict, left, log, groups, passed } = outcome;
  const accepted = verdict === 'accept';
  // Answers pass OUTPUT; behind them may stand the packet's own last hook.
  const own = passed.filter((p) => packet.from === 'host' || p.hook !== 'output');
  const last = accepted ? own.at(-1) : undefined;
  return {
    verdict: verdict === 'refused' ? 'drop' : verdict,
    left: left.map(({ bytes }) => leftText(bytes, packet.from !== 'host' && fromHost(bytes))),
    // The packets of the oracle's raw socket belong to root; keepstate never knows whose a packet is.
    // Legacy tables trace what a rule of nft wants traced.
    log: log
      .filter((line) => !/^<\d>TRACE: /.test(line))
      .map((line) => logText(line.replace('UID=0 GID=0 ', ''))),
    groups: groups.map(({ group, prefix }) => `${group}:${prefix}`),
    mark: last === undefined ? null : last.mark,
  };
}

/** The names of the fields that differ. */
export function differing(a: PacketView, b: PacketView, packet: RulePacket): string[] {
  if (b.verdict === 'queue' || b.verdict === 'unknown') return [];
  // A REJECT whose answer the rules of OUTPUT drop looks like a DROP from outside.
  if (a.verdict === 'drop' && b.verdict === 'reject' && b.left.length === 0)
    return differing(a, { ...b, verdict: 'drop' }, packet);
  // Nor can an answer of a rule be told from one of the IP layer's own (hop limit, no route).
  if (a.verdict === 'reject' && b.verdict === 'drop' && b.left.length > 0)
    return differing(a, { ...b, verdict: 'reject' }, packet);
  if (isFragment(packet.bytes)) return a.verdict === b.verdict ? [] : ['verdict'];
  const fields = ['verdict', 'left', 'log', 'groups', 'mark'] as const;
  return fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
}
