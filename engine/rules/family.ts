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
