/** Keys of `ct`, with the kernel's numbers (enum nft_ct_keys). */
/** NFT_CT_STATE: NF_CT_STATE_BIT. */
export const NFT_CT_STATE = 0;
/** NFT_CT_DIRECTION: 0 original, 1 reply. */
export const NFT_CT_DIRECTION = 1;
/** NFT_CT_STATUS: IPS_* bits. */
export const NFT_CT_STATUS = 2;
/** NFT_CT_MARK: mark of the flow. */
export const NFT_CT_MARK = 3;
/** NFT_CT_SECMARK: security mark of the flow. */
export const NFT_CT_SECMARK = 4;
/** NFT_CT_EXPIRATION: milliseconds left. */
export const NFT_CT_EXPIRATION = 5;
/** NFT_CT_HELPER: name of the helper of the flow that expected this one. */
export const NFT_CT_HELPER = 6;
/** NFT_CT_L3PROTOCOL: address family. */
export const NFT_CT_L3PROTOCOL = 7;
/** NFT_CT_SRC: source address, of whichever family. */
export const NFT_CT_SRC = 8;
/** NFT_CT_DST: destination address. */
export const NFT_CT_DST = 9;
/** NFT_CT_PROTOCOL: transport protocol. */
export const NFT_CT_PROTOCOL = 10;
/** NFT_CT_PROTO_SRC: source port or ICMP id. */
export const NFT_CT_PROTO_SRC = 11;
/** NFT_CT_PROTO_DST: destination port, or ICMP type and code. */
export const NFT_CT_PROTO_DST = 12;
/** NFT_CT_LABELS: 128 label bits. */
export const NFT_CT_LABELS = 13;
/** NFT_CT_PKTS: packets of one or both directions. */
export const NFT_CT_PKTS = 14;
/** NFT_CT_BYTES: bytes of one or both directions. */
export const NFT_CT_BYTES = 15;
/** NFT_CT_AVGPKT: mean length of packets. */
export const NFT_CT_AVGPKT = 16;
/** NFT_CT_ZONE: zone. */
export const NFT_CT_ZONE = 17;
/** NFT_CT_EVENTMASK: which events go out. */
export const NFT_CT_EVENTMASK = 18;
/** NFT_CT_SRC_IP: IPv4 source. */
export const NFT_CT_SRC_IP = 19;
/** NFT_CT_DST_IP: IPv4 destination. */
export const NFT_CT_DST_IP = 20;
/** NFT_CT_SRC_IP6: IPv6 source. */
export const NFT_CT_SRC_IP6 = 21;
/** NFT_CT_DST_IP6: IPv6 destination. */
export const NFT_CT_DST_IP6 = 22;
/** NFT_CT_ID: number of the flow. */
export const NFT_CT_ID = 23;
