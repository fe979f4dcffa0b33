/** Keys of `meta`, with the kernel's numbers (enum nft_meta_keys). */
/** NFT_META_LEN: bytes of the packet from its network header on. */
export const NFT_META_LEN = 0;
/** NFT_META_PROTOCOL: ethertype, network order. */
export const NFT_META_PROTOCOL = 1;
/** NFT_META_PRIORITY: traffic class. */
export const NFT_META_PRIORITY = 2;
/** NFT_META_MARK: packet mark. */
export const NFT_META_MARK = 3;
/** NFT_META_IIF: number of the input device. */
export const NFT_META_IIF = 4;
/** NFT_META_OIF: number of the output device. */
export const NFT_META_OIF = 5;
/** NFT_META_IIFNAME: name of the input device. */
export const NFT_META_IIFNAME = 6;
/** NFT_META_OIFNAME: name of the output device. */
export const NFT_META_OIFNAME = 7;
/** NFT_META_IFTYPE: ARPHRD_* of the input device (meta iiftype). */
export const NFT_META_IFTYPE = 8;
/** NFT_META_OIFTYPE: ARPHRD_* of the output device. */
export const NFT_META_OIFTYPE = 9;
/** NFT_META_SKUID: user of the socket. */
export const NFT_META_SKUID = 10;
/** NFT_META_SKGID: group of the socket. */
export const NFT_META_SKGID = 11;
/** NFT_META_NFTRACE: whether the packet is traced. */
export const NFT_META_NFTRACE = 12;
/** NFT_META_RTCLASSID: realm of the route. */
export const NFT_META_RTCLASSID = 13;
/** NFT_META_SECMARK: security mark. */
export const NFT_META_SECMARK = 14;
/** NFT_META_NFPROTO: family of the hook. */
export const NFT_META_NFPROTO = 15;
/** NFT_META_L4PROTO: transport protocol. */
export const NFT_META_L4PROTO = 16;
/** NFT_META_BRI_IIFNAME: bridge of the input device. */
export const NFT_META_BRI_IIFNAME = 17;
/** NFT_META_BRI_OIFNAME: bridge of the output device. */
export const NFT_META_BRI_OIFNAME = 18;
/** NFT_META_PKTTYPE: PACKET_*. */
export const NFT_META_PKTTYPE = 19;
/** NFT_META_CPU: number of the CPU. */
export const NFT_META_CPU = 20;
/** NFT_META_IIFGROUP: group of the input device. */
export const NFT_META_IIFGROUP = 21;
/** NFT_META_OIFGROUP: group of the output device. */
export const NFT_META_OIFGROUP = 22;
/** NFT_META_CGROUP: net_cls class of the socket. */
export const NFT_META_CGROUP = 23;
/** NFT_META_PRANDOM: a random word. */
export const NFT_META_PRANDOM = 24;
/** NFT_META_SECPATH: whether IPsec was undone. */
export const NFT_META_SECPATH = 25;
/** NFT_META_IIFKIND: kind of the input device. */
export const NFT_META_IIFKIND = 26;
/** NFT_META_OIFKIND: kind of the output device. */
export const NFT_META_OIFKIND = 27;
/** NFT_META_BRI_IIFPVID: VLAN of the bridge port. */
export const NFT_META_BRI_IIFPVID = 28;
/** NFT_META_BRI_IIFVPROTO: VLAN protocol of the bridge. */
export const NFT_META_BRI_IIFVPROTO = 29;
/** NFT_META_TIME_NS: nanoseconds since 1970. */
export const NFT_META_TIME_NS = 30;
/** NFT_META_TIME_DAY: day of the week, 0 is Sunday. */
export const NFT_META_TIME_DAY = 31;
/** NFT_META_TIME_HOUR: seconds since midnight. */
export const NFT_META_TIME_HOUR = 32;
/** NFT_META_SDIF: number of the device within a VRF. */
export const NFT_META_SDIF = 33;
/** NFT_META_SDIFNAME: its name. */
export const NFT_META_SDIFNAME = 34;
/** NFT_META_BRI_BROUTE: whether a bridge routes the packet. */
export const NFT_META_BRI_BROUTE = 35;
