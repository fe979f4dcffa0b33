/** Numbers of ctnetlink, the kernel's interface to its connection tracking (linux/netfilter/nfnetlink_conntrack.h). */

/** NFNL_SUBSYS_CTNETLINK: flows. */
export const NFNL_SUBSYS_CTNETLINK = 1;
/** NFNL_SUBSYS_CTNETLINK_EXP: expectations. */
export const NFNL_SUBSYS_CTNETLINK_EXP = 2;

/** Messages about flows: IPCTNL_MSG_CT_*. */
export const CT_NEW = 0;
export const CT_GET = 1;
export const CT_DELETE = 2;
/** A dump that sets each flow's counters to 0. */
export const CT_GET_CTRZERO = 3;
export const CT_GET_STATS_CPU = 4;
export const CT_GET_STATS = 5;
export const CT_GET_DYING = 6;
export const CT_GET_UNCONFIRMED = 7;

/** Messages about expectations: IPCTNL_MSG_EXP_*. */
export const EXP_NEW = 0;
export const EXP_GET = 1;
export const EXP_DELETE = 2;
export const EXP_GET_STATS_CPU = 3;

/** Multicast groups: NFNLGRP_CONNTRACK_*. */
export const GROUP_NEW = 1;
export const GROUP_UPDATE = 2;
export const GROUP_DESTROY = 3;
export const GROUP_EXP_NEW = 4;
export const GROUP_EXP_UPDATE = 5;
export const GROUP_EXP_DESTROY = 6;

/** Attributes of a flow: CTA_*. */
export const CTA_TUPLE_ORIG = 1;
export const CTA_TUPLE_REPLY = 2;
export const CTA_STATUS = 3;
export const CTA_PROTOINFO = 4;
export const CTA_HELP = 5;
export const CTA_NAT_SRC = 6;
export const CTA_TIMEOUT = 7;
export const CTA_MARK = 8;
export const CTA_COUNTERS_ORIG = 9;
export const CTA_COUNTERS_REPLY = 10;
export const CTA_USE = 11;
export const CTA_ID = 12;
export const CTA_NAT_DST = 13;
export const CTA_TUPLE_MASTER = 14;
export const CTA_ZONE = 18;
export const CTA_SECCTX = 19;
export const CTA_TIMESTAMP = 20;
export const CTA_MARK_MASK = 21;
export const CTA_LABELS = 22;
export const CTA_LABELS_MASK = 23;
export const CTA_STATUS_MASK = 26;

/** Parts of a tuple: CTA_TUPLE_*. */
export const CTA_TUPLE_IP = 1;
export const CTA_TUPLE_PROTO = 2;
export const CTA_TUPLE_ZONE = 3;
/** CTA_IP_*: source, destination; of IPv6 two more. */
export const CTA_IP_V4_SRC = 1;
export const CTA_IP_V4_DST = 2;
export const CTA_IP_V6_SRC = 3;
export const CTA_IP_V6_DST = 4;
/** CTA_PROTO_*; the keys of GRE go as ports. */
export const CTA_PROTO_NUM = 1;
export const CTA_PROTO_SRC_PORT = 2;
export const CTA_PROTO_DST_PORT = 3;
export const CTA_PROTO_ICMP_ID = 4;
export const CTA_PROTO_ICMP_TYPE = 5;
export const CTA_PROTO_ICMP_CODE = 6;
export const CTA_PROTO_ICMPV6_ID = 7;
export const CTA_PROTO_ICMPV6_TYPE = 8;
export const CTA_PROTO_ICMPV6_CODE = 9;

/** What a protocol adds: CTA_PROTOINFO_TCP and CTA_PROTOINFO_SCTP, the state first in both. */
export const CTA_PROTOINFO_TCP = 1;
export const CTA_PROTOINFO_SCTP = 3;
export const CTA_PROTOINFO_STATE = 1;
export const CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
export const CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;
export const CTA_PROTOINFO_SCTP_VTAG_ORIGINAL = 2;
export const CTA_PROTOINFO_SCTP_VTAG_REPLY = 3;

/** CTA_HELP_NAME. */
export const CTA_HELP_NAME = 1;

/** CTA_NAT_V4_MINIP, CTA_NAT_V6_MINIP and CTA_NAT_PROTO with CTA_PROTONAT_PORT_MIN and _MAX. */
export const CTA_NAT_V4_MINIP = 1;
export const CTA_NAT_PROTO = 3;
export const CTA_NAT_V6_MINIP = 4;
export const CTA_PROTONAT_PORT_MIN = 1;
export const CTA_PROTONAT_PORT_MAX = 2;

/** Attributes of an expectation: CTA_EXPECT_*. */
export const CTA_EXPECT_MASTER = 1;
export const CTA_EXPECT_TUPLE = 2;
export const CTA_EXPECT_MASK = 3;
export const CTA_EXPECT_TIMEOUT = 4;
export const CTA_EXPECT_ID = 5;
export const CTA_EXPECT_HELP_NAME = 6;
export const CTA_EXPECT_ZONE = 7;
export const CTA_EXPECT_FLAGS = 8;
export const CTA_EXPECT_CLASS = 9;
export const CTA_EXPECT_NAT = 10;
export const CTA_EXPECT_FN = 11;
export const CTA_EXPECT_NAT_DIR = 1;
export const CTA_EXPECT_NAT_TUPLE = 2;
