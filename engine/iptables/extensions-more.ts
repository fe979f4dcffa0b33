import type { Extension } from './extension.ts';
import { MATCH_AH, MATCH_AH6 } from './match-ah.ts';
import { MATCH_BPF } from './match-bpf.ts';
import { MATCH_CGROUP } from './match-cgroup.ts';
import { MATCH_CLUSTER } from './match-cluster.ts';
import { MATCH_CONNBYTES } from './match-connbytes.ts';
import { MATCH_CONNLABEL } from './match-connlabel.ts';
import { MATCH_CONNLIMIT } from './match-connlimit.ts';
import { MATCH_CONNMARK } from './match-connmark.ts';
import { MATCH_CPU } from './match-cpu.ts';
import { MATCH_DEVGROUP } from './match-devgroup.ts';
import { MATCH_DSCP } from './match-dscp.ts';
import { MATCH_DST } from './match-dst.ts';
import { MATCH_ECN } from './match-ecn.ts';
import { MATCH_ESP } from './match-esp.ts';
import { MATCH_EUI64 } from './match-eui64.ts';
import { MATCH_FRAG } from './match-frag.ts';
import { MATCH_HBH } from './match-hbh.ts';
import { MATCH_HELPER } from './match-helper.ts';
import { MATCH_HL } from './match-hl.ts';
import { MATCH_IPCOMP } from './match-ipcomp.ts';
import { MATCH_IPRANGE } from './match-iprange.ts';
import { MATCH_IPV6HEADER } from './match-ipv6header.ts';
import { MATCH_LENGTH } from './match-length.ts';
import { MATCH_MARK } from './match-mark.ts';
import { MATCH_MH } from './match-mh.ts';
import { MATCH_NFACCT } from './match-nfacct.ts';
import { MATCH_OSF } from './match-osf.ts';
import { MATCH_OWNER } from './match-owner.ts';
import { MATCH_PHYSDEV } from './match-physdev.ts';
import { MATCH_PKTTYPE } from './match-pkttype.ts';
import { MATCH_POLICY } from './match-policy.ts';
import { MATCH_QUOTA } from './match-quota.ts';
import { MATCH_RATEEST } from './match-rateest.ts';
import { MATCH_REALM } from './match-realm.ts';
import { MATCH_RPFILTER } from './match-rpfilter.ts';
import { MATCH_RT } from './match-rt.ts';
import { MATCH_SET } from './match-set.ts';
import { MATCH_SOCKET } from './match-socket.ts';
import { MATCH_SRH } from './match-srh.ts';
import { MATCH_STATISTIC } from './match-statistic.ts';
import { MATCH_STRING } from './match-string.ts';
import { MATCH_TCPMSS } from './match-tcpmss.ts';
import { MATCH_TIME } from './match-time.ts';
import { MATCH_TOS } from './match-tos.ts';
import { MATCH_TTL } from './match-ttl.ts';
import { MATCH_U32 } from './match-u32.ts';
import { TARGET_AUDIT } from './target-audit.ts';
import { TARGET_CHECKSUM } from './target-checksum.ts';
import { TARGET_CLASSIFY } from './target-classify.ts';
import { TARGET_CONNMARK } from './target-connmark.ts';
import { TARGET_CONNSECMARK } from './target-connsecmark.ts';
import { TARGET_CT } from './target-ct.ts';
import { TARGET_DNAT } from './target-dnat.ts';
import { TARGET_DNPT } from './target-dnpt.ts';
import { TARGET_DSCP } from './target-dscp.ts';
import { TARGET_ECN } from './target-ecn.ts';
import { TARGET_HL } from './target-hl.ts';
import { TARGET_HMARK } from './target-hmark.ts';
import { TARGET_IDLETIMER } from './target-idletimer.ts';
import { TARGET_LED } from './target-led.ts';
import { TARGET_MARK } from './target-mark.ts';
import { TARGET_MASQUERADE } from './target-masquerade.ts';
import { TARGET_NETMAP } from './target-netmap.ts';
import { TARGET_NFLOG } from './target-nflog.ts';
import { TARGET_NFQUEUE } from './target-nfqueue.ts';
import { TARGET_NOTRACK } from './target-notrack.ts';
import { TARGET_RATEEST } from './target-rateest.ts';
import { TARGET_REDIRECT } from './target-redirect.ts';
import { TARGET_SECMARK } from './target-secmark.ts';
import { TARGET_SET } from './target-set.ts';
import { TARGET_SNAT } from './target-snat.ts';
import { TARGET_SNPT } from './target-snpt.ts';
import { TARGET_SYNPROXY } from './target-synproxy.ts';
import { TARGET_TCPMSS } from './target-tcpmss.ts';
import { TARGET_TCPOPTSTRIP } from './target-tcpoptstrip.ts';
import { TARGET_TEE } from './target-tee.ts';
import { TARGET_TOS } from './target-tos.ts';
import { TARGET_TPROXY } from './target-tproxy.ts';
import { TARGET_TRACE } from './target-trace.ts';
import { TARGET_TTL } from './target-ttl.ts';

/** The matches beside the core's own. */
export const MORE_MATCHES: readonly Extension[] = [
  MATCH_AH as Extension,
  MATCH_AH6 as Extension,
  MATCH_BPF as Extension,
  MATCH_CGROUP as Extension,
  MATCH_CLUSTER as Extension,
  MATCH_CONNBYTES as Extension,
  MATCH_CONNLABEL as Extension,
  MATCH_CONNLIMIT as Extension,
  MATCH_CONNMARK as Extension,
  MATCH_CPU as Extension,
  MATCH_DEVGROUP as Extension,
  MATCH_DSCP as Extension,
  MATCH_DST as Extension,
  MATCH_ECN as Extension,
  MATCH_ESP as Extension,
  MATCH_EUI64 as Extension,
  MATCH_FRAG as Extension,
  MATCH_HBH as Extension,
  MATCH_HELPER as Extension,
  MATCH_HL as Extension,
  MATCH_IPCOMP as Extension,
  MATCH_IPRANGE as Extension,
  MATCH_IPV6HEADER as Extension,
  MATCH_LENGTH as Extension,
  MATCH_MARK as Extension,
  MATCH_MH as Extension,
  MATCH_NFACCT as Extension,
  MATCH_OSF as Extension,
  MATCH_OWNER as Extension,
  MATCH_PHYSDEV as Extension,
  MATCH_PKTTYPE as Extension,
  MATCH_POLICY as Extension,
  MATCH_QUOTA as Extension,
  MATCH_RATEEST as Extension,
  MATCH_REALM as Extension,
  MATCH_RPFILTER as Extension,
  MATCH_RT as Extension,
  MATCH_SET as Extension,
  MATCH_SOCKET as Extension,
  MATCH_SRH as Extension,
  MATCH_STATISTIC as Extension,
  MATCH_STRING as Extension,
  MATCH_TCPMSS as Extension,
  MATCH_TIME as Extension,
  MATCH_TOS as Extension,
  MATCH_TTL as Extension,
  MATCH_U32 as Extension,
];

/** The targets beside the core's own. */
export const MORE_TARGETS: readonly Extension[] = [
  TARGET_AUDIT as Extension,
  TARGET_CHECKSUM as Extension,
  TARGET_CLASSIFY as Extension,
  TARGET_CONNMARK as Extension,
  TARGET_CONNSECMARK as Extension,
  TARGET_CT as Extension,
  TARGET_DNAT as Extension,
  TARGET_DNPT as Extension,
  TARGET_DSCP as Extension,
  TARGET_ECN as Extension,
  TARGET_HL as Extension,
  TARGET_HMARK as Extension,
  TARGET_IDLETIMER as Extension,
  TARGET_LED as Extension,
  TARGET_MARK as Extension,
  TARGET_MASQUERADE as Extension,
  TARGET_NETMAP as Extension,
  TARGET_NFLOG as Extension,
  TARGET_NFQUEUE as Extension,
  TARGET_NOTRACK as Extension,
  TARGET_RATEEST as Extension,
  TARGET_REDIRECT as Extension,
  TARGET_SECMARK as Extension,
  TARGET_SET as Extension,
  TARGET_SNAT as Extension,
  TARGET_SNPT as Extension,
  TARGET_SYNPROXY as Extension,
  TARGET_TCPMSS as Extension,
  TARGET_TCPOPTSTRIP as Extension,
  TARGET_TEE as Extension,
  TARGET_TOS as Extension,
  TARGET_TPROXY as Extension,
  TARGET_TRACE as Extension,
  TARGET_TTL as Extension,
];
