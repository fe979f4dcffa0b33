import {
  AF_INET,
  hasPorts,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  ipv4Text,
  ipv6Text,
  protocolName,
  statusNames,
  tcpFlagNames,
} from '@keepstate/engine';
import type { PacketReport } from '../report.ts';
import type { Session } from '../session.ts';
import { familyName, JSON_VERSION } from './json-flow.ts';

/** ICMP and ICMPv6 types whose header has an id: requests and their replies. */
const WITH_ID: readonly (readonly number[])[] = [
  [0, 8, 13, 14, 15, 16, 17, 18],
  [128, 129, 139, 140],
];

// Texts that come again and again are made once: few statuses, 256 flag bytes.
const statusCache = new Map<number, string>();
const flagCache: readonly string[] = Array.from({ length: 256 }, (_, flags) =>
  JSON.stringify(flags === 0 ? [] : tcpFlagNames(flags).split(',')),
);

function statusJson(status: number): string {
  let text = statusCache.get(status);
  if (text === undefined) {
    text = JSON.stringify(statusNames(status));
    statusCache.set(status, text);
  }
  return text;
}

function quoted(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text);
}

/** A word of ours, which needs no escapes. */
function plain(word: string | null): string {
  return word === null ? 'null' : `"${word}"`;
}

function addressText(view: DataView, at: number, family: number): string {
  if (family === AF_INET) return ipv4Text(view.getInt32(at));
  return ipv6Text(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}

/** Transport fields, each with a comma in front. */
function transportFields(view: DataView, report: PacketReport): string {
  const { l4, where } = report;
  const { proto } = where;
  if (l4 < 0) return '';
  if (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6) {
    const type = view.getUint8(l4);
    const hasId = WITH_ID[proto === IPPROTO_ICMP ? 0 : 1]!.includes(type) && l4 + 6 <= where.end;
    return `,"type":${type},"code":${view.getUint8(l4 + 1)}${hasId ? `,"id":${view.getUint16(l4 + 4)}` : ''}`;
  }
  if (!hasPorts(proto)) return '';
  const ports = `,"sport":${view.getUint16(l4)},"dport":${view.getUint16(l4 + 2)}`;
  if (proto !== IPPROTO_TCP || l4 + 20 > where.end) return ports;
  return (
    `${ports},"flags":${flagCache[view.getUint8(l4 + 13)]},"seq":${view.getUint32(l4 + 4)},` +
    `"ack":${view.getUint32(l4 + 8)},"window":${view.getUint16(l4 + 14)}`
  );
}

/** What the packet's own bytes say. */
function packetFields(session: Session, report: PacketReport): string {
  if (!report.isIp)
    return '"family":null,"protocol":null,"protonum":null,"src":null,"dst":null,"length":null';
  const { view, off } = session.pkt;
  const { family, proto, end } = report.where;
  const addresses = off + (family === AF_INET ? 12 : 8);
  return (
    `"family":"${familyName(family)}","protocol":"${protocolName(proto)}","protonum":${proto},` +
    `"src":"${addressText(view, addresses, family)}",` +
    `"dst":"${addressText(view, addresses + (family === AF_INET ? 4 : 16), family)}",` +
    `"length":${end - off}${transportFields(view, report)}`
  );
}

/**
 * A packet as one line of `trace --json`, with a newline.
 * @param time seconds since the epoch as text
 * @param file name of its file, null if there is only one
 */
export function jsonPacket(
  session: Session,
  report: PacketReport,
  time: string,
  file: string | null,
): string {
  const { flow, flowProtocol, state, timeout, reason } = report;
  return (
    `{"v":${JSON_VERSION},"packet":${session.packets},"time":${time},` +
    (file === null ? '' : `"file":${quoted(file)},`) +
    `"skipped":${quoted(report.skipped)},"verdict":${plain(report.fate)},` +
    `"ctstate":${plain(report.ctstate)},"ctdir":${plain(report.direction)},` +
    `"ctstatus":${statusJson(report.ctstatus)},"flow":${flow === 0 ? 'null' : flow},"state":${plain(state)},` +
    `"tcpstate":${plain(flowProtocol === IPPROTO_TCP ? state : null)},` +
    `"sctpstate":${plain(flowProtocol === IPPROTO_SCTP ? state : null)},` +
    `"timeout":${timeout < 0 ? 'null' : Math.floor(timeout / 1000)},` +
    `"reason":${quoted(report.reasonText)},"reasonCode":${reason === null ? 'null' : reason.id},` +
    `"reasonName":${plain(reason === null ? null : reason.name)},${packetFields(session, report)}}\n`
  );
}
