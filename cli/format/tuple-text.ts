import type { TupleRecord } from '@keepstate/engine';

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const DCCP = 33;
const GRE = 47;
const ICMPV6 = 58;
const SCTP = 132;
const UDPLITE = 136;

/**
 * What follows the addresses of a tuple in conntrack(8), with a trailing blank: ports, ICMP's fields or keys, by
 * the protocol's number. Where the kernel tracked none (DCCP is generic in Linux 6.18) the command prints zeros.
 */
export function toolPorts(protonum: number, t: TupleRecord): string {
  switch (protonum) {
    case TCP:
    case UDP:
    case DCCP:
    case SCTP:
    case UDPLITE:
      return `sport=${t.sport ?? 0} dport=${t.dport ?? 0} `;
    case ICMP:
    case ICMPV6:
      return `type=${t.type ?? 0} code=${t.code ?? 0} id=${t.id ?? 0} `;
    case GRE:
      return `srckey=0x${(t.srckey ?? 0).toString(16)} dstkey=0x${(t.dstkey ?? 0).toString(16)} `;
    default:
      return '';
  }
}

/** The same in /proc: only what the kernel's tracker has. */
export function procPorts(t: TupleRecord): string {
  if (t.sport !== undefined) return `sport=${t.sport} dport=${t.dport ?? 0} `;
  if (t.type !== undefined) return `type=${t.type} code=${t.code ?? 0} id=${t.id ?? 0} `;
  if (t.srckey !== undefined)
    return `srckey=0x${t.srckey.toString(16)} dstkey=0x${(t.dstkey ?? 0).toString(16)} `;
  return '';
}

/** `packets=N bytes=M ` of one direction, nothing where the flow does not count. */
export function countersText(
  counters: { readonly packets: number; readonly bytes: number } | undefined,
): string {
  return counters === undefined ? '' : `packets=${counters.packets} bytes=${counters.bytes} `;
}

/** Whole seconds that are left, rounded down as the kernel shows them; 0 for a flow that is just due. */
export function secondsLeft(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

/** Whole seconds from a start to a moment (both ms): `delta-time` as /proc has it. */
export function deltaTime(start: number, now: number): number {
  return Math.max(0, Math.floor((now - start) / 1000));
}

/**
 * `delta-time` as conntrack(8) has it: how often the clock's second has changed. Measured: a flow that began at
 * second 15.9 is 1 there at 16.15, while /proc still says 0.
 */
export function toolDeltaTime(start: number, now: number): number {
  return Math.max(0, Math.floor(now / 1000) - Math.floor(start / 1000));
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A time as C's ctime() prints it, in the local time zone: `Sat Nov 21 02:51:47 2026`. */
export function ctimeText(ms: number): string {
  const d = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  const day = String(d.getDate()).padStart(2);
  return `${DAYS[d.getDay()]} ${MONTHS[d.getMonth()]} ${day} ${clock} ${d.getFullYear()}`;
}
