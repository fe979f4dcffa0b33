import { suggest } from '../base/suggest.ts';
import { LINUX_6_18, type Profile } from './profile.ts';

/** What a sysctl's value means and which values it takes. */
export interface Sysctl {
  /** Its name without `net.netfilter.` (or in full where it is not one of those). */
  readonly name: string;
  readonly unit: 'seconds' | 'switch' | 'count' | 'bytes';
  readonly min: number;
  readonly max: number;
  /** Default of linux-6.18, measured in a fresh namespace. */
  readonly value: number;
  /** Exists only in the classic profiles. */
  readonly classic?: boolean;
}

const INT_MAX = 0x7fffffff;
/** Seconds become ticks in an int: INT_MAX / HZ, and HZ is 250 (measured). Negative ones have run out at once. */
const SECONDS_MAX = 8589934;

function seconds(name: string, value: number): Sysctl {
  const full = name.startsWith('net.') ? name : `nf_conntrack_${name}`;
  return { name: full, unit: 'seconds', min: -SECONDS_MAX, max: SECONDS_MAX, value };
}

function upTo(name: string, max: number, value: number): Sysctl {
  return { name: `nf_conntrack_${name}`, unit: max === 1 ? 'switch' : 'count', min: 0, max, value };
}

/** An unsigned long in the kernel; here it ends where a number is no longer exact. */
function bytes(name: string, value: number): Sysctl {
  return { name, unit: 'bytes', min: 0, max: Number.MAX_SAFE_INTEGER, value };
}

/** Every sysctl that changes what tracking does, with the defaults of the kernel this was measured on. */
export const SYSCTLS: readonly Sysctl[] = [
  upTo('acct', 1, 0),
  upTo('checksum', 1, 1),
  upTo('events', 2, 2),
  { name: 'nf_conntrack_expect_max', unit: 'count', min: 1, max: INT_MAX, value: 4096 },
  bytes('nf_conntrack_frag6_high_thresh', 4194304),
  bytes('nf_conntrack_frag6_low_thresh', 3145728),
  seconds('frag6_timeout', 60),
  seconds('generic_timeout', 600),
  seconds('gre_timeout', 30),
  seconds('gre_timeout_stream', 180),
  seconds('icmp_timeout', 30),
  seconds('icmpv6_timeout', 30),
  upTo('log_invalid', 255, 0),
  upTo('max', INT_MAX, 262144),
  seconds('sctp_timeout_closed', 10),
  seconds('sctp_timeout_cookie_wait', 3),
  seconds('sctp_timeout_cookie_echoed', 3),
  seconds('sctp_timeout_established', 210),
  seconds('sctp_timeout_shutdown_sent', 3),
  seconds('sctp_timeout_shutdown_recd', 3),
  seconds('sctp_timeout_shutdown_ack_sent', 3),
  seconds('sctp_timeout_heartbeat_sent', 30),
  upTo('tcp_be_liberal', 1, 0),
  upTo('tcp_ignore_invalid_rst', 1, 0),
  upTo('tcp_loose', 1, 1),
  upTo('tcp_max_retrans', 255, 3),
  seconds('tcp_timeout_syn_sent', 120),
  seconds('tcp_timeout_syn_recv', 60),
  seconds('tcp_timeout_established', 432000),
  seconds('tcp_timeout_fin_wait', 120),
  seconds('tcp_timeout_close_wait', 60),
  seconds('tcp_timeout_last_ack', 30),
  seconds('tcp_timeout_time_wait', 120),
  seconds('tcp_timeout_close', 10),
  seconds('tcp_timeout_max_retrans', 300),
  seconds('tcp_timeout_unacknowledged', 300),
  // The classic system's: helpers that come by the port alone, entries that a packet without SYN, ACK, FIN or RST made, and a state never reached.
  { ...upTo('helper', 1, 1), classic: true },
  { ...seconds('tcp_timeout_none', 1800), classic: true },
  { ...seconds('tcp_timeout_listen', 120), classic: true },
  upTo('timestamp', 1, 0),
  seconds('udp_timeout', 30),
  seconds('udp_timeout_stream', 120),
  bytes('net.ipv4.ipfrag_high_thresh', 4194304),
  bytes('net.ipv4.ipfrag_low_thresh', 3145728),
  seconds('net.ipv4.ipfrag_time', 30),
  { name: 'net.ipv4.ipfrag_max_dist', unit: 'count', min: 0, max: INT_MAX, value: 64 },
];

const BY_NAME: ReadonlyMap<string, Sysctl> = new Map(SYSCTLS.map((s) => [s.name, s]));

/** Sysctls that exist or existed but set nothing here, and why. */
const UNSETTABLE: ReadonlyMap<string, string> = new Map([
  ['nf_conntrack_buckets', 'the table grows as it fills'],
  ['nf_conntrack_count', 'it only shows how many flows there are'],
  ['nf_conntrack_helper', 'Linux 6.18 assigns helpers by rules only'],
]);

/** Prefixes of other generations, and what they are today. The longest that fits is replaced. */
const ALIASES: readonly (readonly [string, string])[] = [
  ['net.ipv4.netfilter.ip_conntrack_', 'nf_conntrack_'],
  ['net.ipv4.netfilter.ip_ct_', 'nf_conntrack_'],
  ['net.ipv4.ip_conntrack_', 'nf_conntrack_'],
  ['netfilter.ip_conntrack_', 'nf_conntrack_'],
  ['net.netfilter.nf_conntrack_', 'nf_conntrack_'],
  ['net.nf_conntrack_', 'nf_conntrack_'],
  ['ip_conntrack_', 'nf_conntrack_'],
  ['ip_ct_', 'nf_conntrack_'],
  ['ipfrag_', 'net.ipv4.ipfrag_'],
];

/** A sysctl name as users write it (dots or slashes, today's or the classic prefix) brought to ours. */
function canonical(name: string): string {
  const dotted = name.replaceAll('/', '.').replace(/^\.?(proc\.sys\.)?/, '');
  for (const [prefix, today] of ALIASES)
    if (dotted.startsWith(prefix)) return today + dotted.slice(prefix.length);
  return dotted;
}

/** A number as the kernel reads it: decimal, octal with a leading 0, hexadecimal with 0x; NaN if it is none. */
function wholeNumber(text: string): number {
  const match = /^\s*(-?)(0x[\da-f]+|\d+)\s*$/i.exec(text);
  if (match === null) return Number.NaN;
  const digits = match[2]!;
  const value = /^0\d/.test(digits) ? Number(`0o${digits}`) : Number(digits);
  return match[1] === '-' ? -value : value;
}

/** A sysctl that does not exist or a value that it does not take. The message says what was expected. */
export class SysctlError extends Error {
  override readonly name = 'SysctlError';
}

/**
 * All settings by name. What packets need is copied into plain fields by whoever needs it: see
 * {@link Settings.version}.
 */
export class Settings {
  readonly profile: Profile;
  private readonly values = new Map<string, number>();
  /** Grows with each change, so that copies made for the hot path know when they are old. */
  version = 0;

  /** @param profile whose defaults to start from */
  constructor(profile: Profile = LINUX_6_18) {
    this.profile = profile;
    for (const s of this.sysctls()) this.values.set(s.name, profile.defaults[s.name] ?? s.value);
  }

  /**
   * The value of a sysctl in the unit that the kernel shows.
   * @throws SysctlError if there is none of that name
   */
  get(name: string): number {
    return this.values.get(this.find(name).name)!;
  }

  /**
   * The name of a sysctl as {@link SYSCTLS} has it, by any name that a kernel generation gave it.
   * @throws SysctlError if there is none
   */
  nameOf(name: string): string {
    return this.find(name).name;
  }

  /** A time as milliseconds. */
  millis(name: string): number {
    return this.get(name) * 1000;
  }

  /**
   * Sets a sysctl.
   * @param name by any name that a kernel generation gave it
   * @param text the value as written
   * @throws SysctlError for an unknown name (with the nearest one) or a value that the kernel would refuse
   */
  set(name: string, text: string | number): void {
    const sysctl = this.find(name);
    const value = typeof text === 'number' ? text : wholeNumber(text);
    const { min, max } = sysctl;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new SysctlError(
        `${sysctl.name}: bad value '${text}': expected a whole number from ${min} to ${max}` +
          (sysctl.unit === 'seconds' ? ' (seconds)' : ''),
      );
    }
    this.refuseCrossing(sysctl, value);
    this.values.set(sysctl.name, value);
    this.version++;
  }

  /** The kernel refuses a low threshold above its high one (measured: EINVAL). */
  private refuseCrossing(sysctl: Sysctl, value: number): void {
    const low = sysctl.name.endsWith('_low_thresh');
    if (!low && !sysctl.name.endsWith('_high_thresh')) return;
    const other = low ? sysctl.name.replace('_low_', '_high_') : sysctl.name.replace('_high_', '_low_');
    const bound = this.values.get(other)!;
    if (low ? value > bound : value < bound)
      throw new SysctlError(
        `${sysctl.name}: bad value '${value}': expected ${low ? 'at most' : 'at least'} ${other}, which is ${bound}`,
      );
  }

  /** Every sysctl with its present value. */
  entries(): readonly { readonly sysctl: Sysctl; readonly value: number }[] {
    return this.sysctls().map((sysctl) => ({ sysctl, value: this.values.get(sysctl.name)! }));
  }

  private sysctls(): readonly Sysctl[] {
    return SYSCTLS.filter((s) => s.classic !== true || this.profile.classicProc);
  }

  private find(name: string): Sysctl {
    const sysctl = BY_NAME.get(canonical(name));
    if (sysctl !== undefined && this.values.has(sysctl.name)) return sysctl;
    const unsettable = UNSETTABLE.get(canonical(name));
    if (unsettable !== undefined) throw new SysctlError(`sysctl '${name}' cannot be set: ${unsettable}`);
    const near = suggest(canonical(name), [...this.values.keys()]);
    throw new SysctlError(`unknown sysctl '${name}'${near === undefined ? '' : `: did you mean '${near}'?`}`);
  }
}
