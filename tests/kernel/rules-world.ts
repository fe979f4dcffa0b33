/** The addresses, ports and names that generated rules and generated packets share, so that they meet. */

/** Hosts behind eth1. */
export const INSIDE4: readonly string[] = ['192.168.1.5', '192.168.1.6', '192.168.1.128', '10.1.2.3'];
/** Hosts behind eth0. */
export const OUTSIDE4: readonly string[] = ['198.51.100.7', '198.51.100.8', '203.0.113.9', '8.8.8.8'];
/** The firewall's own: first of eth1, then of eth0. */
export const HOST4: readonly string[] = ['192.168.1.1', '203.0.113.1', '203.0.113.2'];
export const INSIDE6: readonly string[] = ['fd00:1::5', 'fd00:1::6', 'fd00:2::80'];
export const OUTSIDE6: readonly string[] = ['2001:db8:5::1', '2001:db8:5::2', '2001:db8:1::9'];
export const HOST6: readonly string[] = ['fd00:1::1', '2001:db8:1::1'];

export const ALL4: readonly string[] = [...INSIDE4, ...OUTSIDE4, ...HOST4];
export const ALL6: readonly string[] = [...INSIDE6, ...OUTSIDE6, ...HOST6];

export const NETS4: readonly string[] = [
  '192.168.1.0/24',
  '192.168.1.0/25',
  '10.0.0.0/8',
  '198.51.100.0/24',
  '198.51.100.8/31',
  '198.51.100.4/30',
  '203.0.113.0/28',
  '8.0.0.0/5',
];
export const NETS6: readonly string[] = [
  'fd00:1::/64',
  'fd00::/8',
  '2001:db8::/32',
  '2001:db8:5::/127',
  '2001:db8:1::8/125',
  'fd00:1::4/126',
];

/** Ports of services; names as in /etc/services. */
export const PORTS: readonly number[] = [22, 53, 80, 443, 123, 67, 5060, 8080, 1024, 65535, 1, 0];
export const SERVICES: Readonly<Record<string, number>> = {
  ssh: 22,
  domain: 53,
  http: 80,
  https: 443,
  ntp: 123,
  bootps: 67,
  sip: 5060,
  'http-alt': 8080,
};
/** Ports of clients. */
export const CLIENT_PORTS: readonly number[] = [1023, 1024, 1025, 40000, 40001, 65535];

export const PAYLOADS: readonly number[] = [0, 1, 4, 12, 18, 100, 512, 1400];
