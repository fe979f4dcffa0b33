import { type Counters, ips, TCP_STATE_NAMES, type TupleRecord } from '@keepstate/engine';
import { isTimed } from '../format/conntrack-line.ts';
import { type EventTells, eventTells } from '../format/event-line.ts';
import { secondsLeft, toolDeltaTime } from '../format/tuple-text.ts';
import { SCTP_STATES } from './protocol-table.ts';
import type { Entry } from './table.ts';

/** What stands in front of the first `<flow>`. */
export const XML_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n';
/** What stands behind the last of a listing. */
export const XML_TAIL = '</conntrack>\n';

/** What of a flow is printed. */
export interface XmlOptions {
  /** Of an event; left out in listings. */
  readonly type?: 'new' | 'update' | 'destroy';
  readonly ktimestamp?: boolean;
  /** Names of its labels, if they are to be shown. */
  readonly labels?: readonly string[];
  /** Which of these an event tells. */
  readonly tells?: EventTells;
}

const DCCP = 33;
const EVENT_KINDS = { new: 'NEW', update: 'UPDATE', destroy: 'DESTROY' } as const;

/** ICMP's fields are not in the XML of 1.4.7. */
function ports(protonum: number, t: TupleRecord): string {
  if (t.srckey !== undefined) {
    return `<srckey>0x${t.srckey.toString(16)}</srckey><dstkey>0x${(t.dstkey ?? 0).toString(16)}</dstkey>`;
  }
  const shown = t.sport !== undefined || protonum === DCCP;
  return shown ? `<sport>${t.sport ?? 0}</sport><dport>${t.dport ?? 0}</dport>` : '';
}

function countersText(counters: Counters | undefined): string {
  if (counters === undefined) return '';
  return `<counters><packets>${counters.packets}</packets><bytes>${counters.bytes}</bytes></counters>`;
}

function direction(entry: Entry, dir: 'original' | 'reply', counts: boolean): string {
  const { family, protonum, protocol, zoneOriginal, zoneReply } = entry;
  const t = entry[dir];
  const zone = dir === 'original' ? zoneOriginal : zoneReply;
  return (
    `<meta direction="${dir}"><layer3 protonum="${family}" protoname="${family === 2 ? 'ipv4' : 'ipv6'}">` +
    `<src>${t.src}</src><dst>${t.dst}</dst></layer3>` +
    `<layer4 protonum="${protonum}" protoname="${protocol}">${ports(protonum, t)}</layer4>` +
    (zoneOriginal === zoneReply || zone === 0 ? '' : `<zone>${zone}</zone>`) +
    (counts ? countersText(entry.counters?.[dir]) : '') +
    '</meta>'
  );
}

/** The command has names of TCP's states only: measured, an SCTP flow shows the one with its state's number. */
function stateText({ protocol, state }: Entry): string {
  if (state === null) return '';
  const shown = protocol === 'sctp' ? (TCP_STATE_NAMES[SCTP_STATES.indexOf(state)] ?? state) : state;
  return `<state>${shown}</state>`;
}

function labelsText(names: readonly string[] | undefined): string {
  if (names === undefined || names.length === 0) return '';
  return `<labels>${names.map((name) => `<label>${name}</label>`).join('')}</labels>`;
}

/** A time in ms as nanoseconds; a double tells microseconds apart, no more. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

/** Whole seconds that it was there. With times of the kernel, what is less than 0 goes around (measured). */
function deltaText({ stamps }: Entry, start: number, now: number): string {
  if (stamps == null || stamps.stop === null) return String(toolDeltaTime(start, now));
  return String(BigInt.asUintN(64, stamps.stop - stamps.start) / 1_000_000_000n);
}

function times(entry: Entry, now: number, options: XmlOptions): string {
  const { start, stamps } = entry;
  if (start === null) return '';
  const stop = options.type === 'destroy' ? `<stop>${stamps?.stop ?? nanoseconds(now)}</stop>` : '';
  const stamp = options.ktimestamp
    ? `<timestamp><start>${stamps?.start ?? nanoseconds(start)}</start>${stop}</timestamp>`
    : '';
  return `${stamp}<deltatime>${deltaText(entry, start, now)}</deltatime>`;
}

/**
 * A flow as `conntrack -o xml` prints it (conntrack-tools 1.4.7), without a newline.
 * @param now the moment of the listing or event (ms)
 */
export function xmlFlow(entry: Entry, now: number, options: XmlOptions = {}): string {
  const { type } = options;
  const listed = type === undefined;
  const counts = listed || type === 'destroy';
  const { mark, zoneOriginal, zoneReply, status } = entry;
  const all = { timeout: isTimed(entry), mark: true };
  const tells = options.tells ?? (type === undefined ? all : eventTells(EVENT_KINDS[type], entry));
  return (
    `<flow${listed ? '' : ` type="${type}"`}>${direction(entry, 'original', counts)}` +
    `${direction(entry, 'reply', counts)}<meta direction="independent">` +
    stateText(entry) +
    (tells.timeout ? `<timeout>${secondsLeft(entry.timeout)}</timeout>` : '') +
    (tells.mark ? `<mark>${mark}</mark>` : '') +
    (entry.secctx == null ? '' : `<secctx>${entry.secctx}</secctx>`) +
    labelsText(options.labels) +
    (zoneOriginal === zoneReply && zoneOriginal !== 0 ? `<zone>${zoneOriginal}</zone>` : '') +
    (listed ? `<use>${entry.uses}</use>` : '') +
    `<id>${entry.flowId}</id>` +
    ((status & ips.IPS_ASSURED) === 0 ? '' : '<assured/>') +
    ((status & ips.IPS_SEEN_REPLY) === 0 ? '<unreplied/>' : '') +
    (counts ? times(entry, now, options) : '') +
    `</meta>${entry.helper === null ? '' : `<helper>${entry.helper}</helper>`}</flow>`
  );
}
