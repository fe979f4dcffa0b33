/** What a kernel generation does differently, as data. Code asks for the fact, never for the version. */
export interface Profile {
  readonly name: string;
  /** One line for users. */
  readonly title: string;
  /** Sysctls whose defaults differ from linux-6.18's, by full name without `net.netfilter.`. */
  readonly defaults: Readonly<Record<string, number>>;
  /** TCP: sequence numbers and windows are followed. Without it the classic state table alone decides. */
  readonly tcpWindow: boolean;
  /** How long a UDP flow must have lived before a packet makes it a stream (ms); 0: an answer is enough. */
  readonly udpStreamAfter: number;
  /** Whether SCTP, GRE and UDP-Lite have trackers of their own; without, they are generic. */
  readonly modernTrackers: boolean;
  /** Helpers that flows get by their port alone, without a rule. */
  readonly autoHelpers: readonly string[];
  /** Lines of the table as /proc/net/ip_conntrack prints them, rather than nf_conntrack. */
  readonly classicProc: boolean;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Sources: the classic documents as told in docs/profiles.md; linux-6.18 was measured on the kernel itself.
const CLASSIC_DEFAULTS = {
  nf_conntrack_tcp_timeout_none: 30 * MINUTE,
  nf_conntrack_tcp_timeout_established: 5 * DAY,
  nf_conntrack_tcp_timeout_syn_sent: 2 * MINUTE,
  nf_conntrack_tcp_timeout_syn_recv: MINUTE,
  nf_conntrack_tcp_timeout_fin_wait: 2 * MINUTE,
  nf_conntrack_tcp_timeout_time_wait: 2 * MINUTE,
  nf_conntrack_tcp_timeout_close: 10,
  nf_conntrack_tcp_timeout_close_wait: MINUTE,
  nf_conntrack_tcp_timeout_last_ack: 30,
  nf_conntrack_tcp_timeout_listen: 2 * MINUTE,
  nf_conntrack_udp_timeout: 30,
  nf_conntrack_udp_timeout_stream: 180,
  nf_conntrack_icmp_timeout: 30,
  nf_conntrack_generic_timeout: 600,
  // The classic tracker looked at no transport checksum.
  nf_conntrack_checksum: 0,
} as const;

/** The helpers that came with the kernel; each worked as soon as its module was loaded. */
const CLASSIC_HELPERS: readonly string[] = ['amanda', 'ftp', 'irc', 'tftp'];

/** The kernel that keepstate is measured against; the default. */
export const LINUX_6_18: Profile = {
  name: 'linux-6.18',
  title: 'Linux 6.18: full window tracking (default)',
  defaults: {},
  tcpWindow: true,
  udpStreamAfter: 2000,
  modernTrackers: true,
  autoHelpers: [],
  classicProc: false,
};

/** The classic system: Linux 2.4 and iptables. */
export const LINUX_2_4: Profile = {
  name: 'linux-2.4',
  title: 'Linux 2.4: the classic system, states without windows',
  defaults: CLASSIC_DEFAULTS,
  tcpWindow: false,
  udpStreamAfter: 0,
  modernTrackers: false,
  autoHelpers: CLASSIC_HELPERS,
  classicProc: true,
};

/** The classic system with the tcp-window-tracking extension. */
export const LINUX_2_4_TCP_WINDOW: Profile = {
  name: 'linux-2.4-tcp-window',
  title: 'Linux 2.4 with the tcp-window-tracking extension',
  defaults: {
    ...CLASSIC_DEFAULTS,
    nf_conntrack_tcp_timeout_close_wait: 12 * HOUR,
    // Its documents know no shorter timer for what was not acknowledged: no less than ESTABLISHED has.
    nf_conntrack_tcp_timeout_unacknowledged: 5 * DAY,
  },
  tcpWindow: true,
  udpStreamAfter: 0,
  modernTrackers: false,
  autoHelpers: CLASSIC_HELPERS,
  classicProc: true,
};

/** Every profile, the default first. */
export const PROFILES: readonly Profile[] = [LINUX_6_18, LINUX_2_4, LINUX_2_4_TCP_WINDOW];
