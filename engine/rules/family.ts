/** NFPROTO_INET: tables of both IPv4 and IPv6. */
export const NFPROTO_INET = 1;
/** NFPROTO_IPV4. */
export const NFPROTO_IPV4 = 2;
/** NFPROTO_ARP. */
export const NFPROTO_ARP = 3;
/** NFPROTO_NETDEV. */
export const NFPROTO_NETDEV = 5;
/** NFPROTO_BRIDGE. */
export const NFPROTO_BRIDGE = 7;
/** NFPROTO_IPV6. */
export const NFPROTO_IPV6 = 10;

/** NF_INET_PRE_ROUTING. */
export const NF_INET_PRE_ROUTING = 0;
/** NF_INET_LOCAL_IN. */
export const NF_INET_LOCAL_IN = 1;
/** NF_INET_FORWARD. */
export const NF_INET_FORWARD = 2;
/** NF_INET_LOCAL_OUT. */
export const NF_INET_LOCAL_OUT = 3;
/** NF_INET_POST_ROUTING. */
export const NF_INET_POST_ROUTING = 4;
/** NF_INET_INGRESS, NF_NETDEV_INGRESS: as the packet leaves the driver. */
export const NF_INGRESS = 5;
/** NF_NETDEV_EGRESS: as the packet goes to the driver. */
export const NF_EGRESS = 6;

const HOOK_NAMES = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING', 'INGRESS', 'EGRESS'];

/** A hook's name, as iptables writes it. @param hook NF_INET_*, NF_INGRESS or NF_EGRESS */
export function hookName(hook: number): string {
  return HOOK_NAMES[hook] ?? String(hook);
}

const FAMILY_WORDS: ReadonlyMap<number, string> = new Map([
  [NFPROTO_INET, 'inet'],
  [NFPROTO_IPV4, 'ip'],
  [NFPROTO_ARP, 'arp'],
  [NFPROTO_NETDEV, 'netdev'],
  [NFPROTO_BRIDGE, 'bridge'],
  [NFPROTO_IPV6, 'ip6'],
]);

/** A family's name, as nft writes it. @param family NFPROTO_* */
export function familyWord(family: number): string {
  return FAMILY_WORDS.get(family) ?? String(family);
}
