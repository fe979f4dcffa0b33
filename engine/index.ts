/**
 * keepstate's engine: Linux connection tracking as a library. Give a {@link Firewall} packets and the time, and
 * it gives each packet its ct state, keeps the flow table, and says why.
 */
export { SourceError, type Span } from './base/error.ts';
export { LINE_ROOM, LineWriter, Piece, PieceTable, piece } from './base/line-writer.ts';
export { PAGE_BYTES, page, pageWriter } from './base/line-writer-page.ts';
export { putMicros, putSmallRight, putUintRight } from './base/line-writer-put.ts';
export { type Effect, REASONS, type Reason, reasonOf } from './base/reason.ts';
export { reasonText, writeReason } from './base/reason-text.ts';
export { suggest } from './base/suggest.ts';
export { TCP_STATE_NAMES } from './base/tcp-state-names.ts';
export {
  CaptureError,
  CaptureReader,
  CaptureRecord,
  type PcapngOptions,
  PcapngWriter,
  type PcapOptions,
  PcapWriter,
} from './capture/index.ts';
export { Conntrack, isNewEvent } from './conntrack/conntrack.ts';
export {
  createFlow,
  type EditError,
  type FlowChange,
  type FlowSpec,
  labelsOf,
  updateFlow,
  zeroCounters,
} from './conntrack/edit.ts';
export {
  createExpectation,
  type ExpectationSpec,
  findExpectation,
  flushExpectations,
} from './conntrack/edit-expect.ts';
export type { EventSink } from './conntrack/events.ts';
export * as ipct from './conntrack/events.ts';
export { type ExpectRecord, readExpectation } from './conntrack/expect-record.ts';
export {
  EXPECT_ADDED,
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  EXPECT_USERSPACE,
  type Expectation,
  type ExpectFn,
  type ExpectFnMaker,
  type ExpectSpec,
  namedExpectFn,
} from './conntrack/expectation.ts';
export { findFlow, type TupleQuery } from './conntrack/flow-find.ts';
export { type Counters, type FlowRecord, readFlow, type TupleRecord } from './conntrack/flow-record.ts';
export { F_ID, F_KIND, F_MASTER, F_PROTO, F_STATUS, ROW_WORDS } from './conntrack/flow-table.ts';
export type { Stats } from './conntrack/flows.ts';
export {
  type ExpectPolicy,
  HELP_ACCEPT,
  HELP_DROP,
  type HelpCall,
  type Helper,
} from './conntrack/helper.ts';
export { LINUX_2_4, LINUX_2_4_TCP_WINDOW, LINUX_6_18, PROFILES, type Profile } from './conntrack/profile.ts';
export { type Restored, type RestoreOptions, restore } from './conntrack/restore.ts';
export { Settings, SYSCTLS, type Sysctl, SysctlError } from './conntrack/settings.ts';
export { Snapshot, snapshot } from './conntrack/snapshot.ts';
export { SnapshotError } from './conntrack/snapshot-format.ts';
export * as ips from './conntrack/status.ts';
export { STATUS_NAMES, statusNames } from './conntrack/status.ts';
export type { ProtoChange } from './conntrack/tracker.ts';
export { DESTINATION, destinationOf, portAt, SOURCE, sourceOf } from './helper/flow-ends.ts';
export {
  bytesOf,
  type Cursor,
  findByte,
  findBytes,
  hasBytes,
  hasWord,
  payloadOf,
  readDecimal,
  readIpv4,
  readIpv6,
} from './helper/payload.ts';
export { refuse } from './helper/refuse.ts';
export { HELPERS } from './helper/registry.ts';
export { Firewall, type FirewallOptions } from './hook/firewall.ts';
export { logLine } from './hook/log-line.ts';
export type { NatDecision, NatEnd } from './hook/nat-decision.ts';
export { NftTraceLines } from './hook/nft-trace-lines.ts';
export { type Answer, Outcome, ruleNumber, type Verdict } from './hook/outcome.ts';
export type { PacketTrace } from './hook/packet-trace.ts';
export { isRuleKind, RULE_KINDS, type RuleKind, recogniseRules } from './hook/rule-kind.ts';
export { type RuleSource, Ruleset, type RulesetOptions } from './hook/ruleset.ts';
export { verdictName } from './hook/trace-lines.ts';
export type { RuleLog } from './hook/way.ts';
export { bridgeHost, defaultHost, HostModel } from './host/model.ts';
export { parseHostFile } from './host/parse-file.ts';
export { ifaceFlag, localFlag, routeFlag } from './host/parse-flags.ts';
export { parseIpAddr, parseIpRoute } from './host/parse-ip.ts';
export { type Prefix, parsePrefix } from './host/prefix.ts';
export type { Finding, LintCode } from './lint/finding.ts';
export { expectFreePort } from './nat/expect-port.ts';
export { followMaster } from './nat/follow.ts';
export { isTranslated, mangleTcp, mangleUdp } from './nat/mangle.ts';
export { ipv4Text, ipv6FullText, ipv6Text, parseAddress } from './packet/address.ts';
export {
  genericPacket,
  grePacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6Packet,
  pptpGrePacket,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from './packet/build.ts';
export { sctpInit } from './packet/build-sctp.ts';
export { fold, pseudoSum, sctpCrc, sum } from './packet/checksum.ts';
export { type CtDirection, type CtState, ctDirectionOf, ctStateOf } from './packet/ct-state.ts';
export { dissect } from './packet/dissect.ts';
export { ICMP_PAIRS, ICMPV6_PAIRS } from './packet/icmp-pairs.ts';
export {
  DLT_EN10MB,
  DLT_IPV4,
  DLT_IPV6,
  DLT_LINUX_SLL,
  DLT_LINUX_SLL2,
  DLT_LOOP,
  DLT_NULL,
  DLT_RAW,
  enterLink,
} from './packet/link.ts';
export {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  CHECKSUM_UNNECESSARY,
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
  Packet,
  resetPacket,
  setPacket,
} from './packet/packet.ts';
export {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  protocolName,
  protocolNumber,
} from './packet/protocols.ts';
export {
  TH_ACK,
  TH_CWR,
  TH_ECE,
  TH_FIN,
  TH_PUSH,
  TH_RST,
  TH_SYN,
  TH_URG,
  tcpAck,
  tcpFlagNames,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
  tcpWindow,
} from './packet/tcp.ts';
export { packetText, writePacket } from './packet/text.ts';
export { hasPorts, Located, locate, locatePacket } from './packet/text-ip.ts';
export { NOT_PLAIN, putPlain } from './packet/text-plain.ts';
export { sctpTags } from './proto/sctp-edit.ts';
export { W_STATE as F_TCP_STATE } from './proto/tcp-words.ts';
export { type BaseChain, Chain, Rule, type RuleTable } from './rules/chain.ts';
export { familyWord, hookName } from './rules/family.ts';
export type { HookState } from './rules/hook-state.ts';
export { keyHashTables } from './rules/set-hash.ts';
export {
  NF_ACCEPT,
  NF_DROP,
  NF_QUEUE,
  NF_STOLEN,
  NF_UNKNOWN,
  NFT_CONTINUE,
  NFT_GOTO,
  NFT_JUMP,
  NFT_RETURN,
} from './rules/verdict.ts';
