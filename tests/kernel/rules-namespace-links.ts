/** Devices, addresses and routes of the ruleset oracle's namespace. */

/** The host, in lines of `ip -batch`; rules-engine.ts makes a host model of the same lines. */
export const LINKS: readonly string[] = [
  'link set dev lo up',
  'link set dev eth0 multicast off up',
  'link set dev eth1 multicast off up',
  'addr add 203.0.113.1/24 dev eth0',
  'addr add 203.0.113.2/24 dev eth0',
  'addr add 192.168.1.1/24 dev eth1',
  'addr add 2001:db8:1::1/64 dev eth0 nodad',
  'addr add fd00:1::1/64 dev eth1 nodad',
  'route add 10.0.0.0/8 dev eth1',
  'route add fd00::/16 dev eth1',
  'route add default dev eth0',
  'route add ::/0 dev eth0',
];
