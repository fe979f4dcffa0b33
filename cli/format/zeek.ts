import { createHash } from 'node:crypto';
import { type FlowRecord, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from '@keepstate/engine';
import { secondsText } from '../moment.ts';
import type { ZeekConn } from './zeek-conn.ts';

/** Columns of conn.log with their types, in Zeek's order. */
const COLUMNS: readonly (readonly [name: string, type: string])[] = [
  ['ts', 'time'],
  ['uid', 'string'],
  ['id.orig_h', 'addr'],
  ['id.orig_p', 'port'],
  ['id.resp_h', 'addr'],
  ['id.resp_p', 'port'],
  ['proto', 'enum'],
  ['service', 'string'],
  ['duration', 'interval'],
  ['orig_bytes', 'count'],
  ['resp_bytes', 'count'],
  ['conn_state', 'string'],
  ['local_orig', 'bool'],
  ['local_resp', 'bool'],
  ['missed_bytes', 'count'],
  ['history', 'string'],
  ['orig_pkts', 'count'],
  ['orig_ip_bytes', 'count'],
  ['resp_pkts', 'count'],
  ['resp_ip_bytes', 'count'],
  ['tunnel_parents', 'set[string]'],
];
const COMMUNITY_COLUMN = ['community_id', 'string'] as const;

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A date as Zeek writes it in #open and #close, UTC: `2026-11-21-02-51-47`. */
function dateText(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[T:]/g, '-');
}

/** A uid in Zeek's form: `C` and 17 letters. The same for the same flow of the same capture, seed and order. */
export function zeekUid(seed: number, flowId: number, first: number): string {
  const hash = createHash('sha1').update(`keepstate ${seed} ${flowId} ${first}`).digest();
  let uid = 'C';
  for (let i = 0; i < 17; i++) uid += LETTERS[hash[i]! % LETTERS.length];
  return uid;
}

/**
 * The head of a conn.log, with newlines.
 * @param open time of the first packet (ms): the log is the capture's, so its times are too
 */
export function zeekHead(open: number, communityId: boolean): string {
  const columns = communityId ? [...COLUMNS, COMMUNITY_COLUMN] : COLUMNS;
  return [
    '#separator \\x09',
    '#set_separator\t,',
    '#empty_field\t(empty)',
    '#unset_field\t-',
    '#path\tconn',
    `#open\t${dateText(open)}`,
    `#fields\t${columns.map(([name]) => name).join('\t')}`,
    `#types\t${columns.map(([, type]) => type).join('\t')}`,
    '',
  ].join('\n');
}

/** The last line of a conn.log, with a newline. */
export function zeekTail(close: number): string {
  return `#close\t${dateText(close)}\n`;
}

function zeekProtocol(protonum: number): string {
  if (protonum === IPPROTO_TCP) return 'tcp';
  if (protonum === IPPROTO_UDP) return 'udp';
  return protonum === IPPROTO_ICMP || protonum === IPPROTO_ICMPV6 ? 'icmp' : 'unknown_transport';
}

/** Ports; for ICMP the type and the type that answers it. */
function zeekPorts(flow: FlowRecord): readonly [number, number] {
  const { original, reply } = flow;
  if (original.type !== undefined) return [original.type, reply.type ?? original.code ?? 0];
  return [original.sport ?? 0, original.dport ?? 0];
}

/**
 * A connection as a line of conn.log, with a newline.
 * @param uid see {@link zeekUid}
 * @param communityId its Community ID, null to leave the column out
 */
export function zeekLine(conn: ZeekConn, flow: FlowRecord, uid: string, communityId: string | null): string {
  const { orig, resp } = conn;
  const [origPort, respPort] = zeekPorts(flow);
  // Zeek tells duration and sizes only of connections that lasted.
  const lasted = conn.last > conn.first;
  const known = zeekProtocol(conn.protonum) !== 'unknown_transport';
  const size = (n: number): string => (lasted && known ? String(n) : '-');
  const fields = [
    secondsText(conn.first),
    uid,
    flow.original.src,
    origPort,
    flow.original.dst,
    respPort,
    zeekProtocol(conn.protonum),
    '-',
    lasted ? secondsText(conn.last - conn.first) : '-',
    size(conn.bytesOf(orig)),
    size(conn.bytesOf(resp)),
    conn.connState,
    '-',
    '-',
    orig.missed + resp.missed,
    conn.history === '' ? '-' : conn.history,
    orig.packets,
    orig.ipBytes,
    resp.packets,
    resp.ipBytes,
    '-',
    ...(communityId === null ? [] : [communityId]),
  ];
  return `${fields.join('\t')}\n`;
}
