import { ipv6FullText } from '../packet/address.ts';
import {
  ICMPV6_DEST_UNREACH,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PARAMPROB,
  ICMPV6_PKT_TOOBIG,
  ICMPV6_TIME_EXCEED,
} from '../packet/icmpv6.ts';
import { IPV6_HEADER } from '../packet/ipv6.ts';
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ICMPV6,
  IPPROTO_ROUTING,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { cut, hex, incomplete, type LogSource, NF_LOG_IPOPT } from './log-bits.ts';
import { logTcp, logUdp } from './log-transport.ts';

const IPPROTO_ESP = 50;

/** Headers that are stepped over in search of the transport header. */
function isExtension(next: number): boolean {
  return (
    next === IPPROTO_HOPOPTS ||
    next === IPPROTO_ROUTING ||
    next === IPPROTO_FRAGMENT ||
    next === IPPROTO_ESP ||
    next === IPPROTO_AH ||
    next === IPPROTO_DSTOPTS
  );
}

/** An error's text: the quoted packet in brackets, unless this is a quoted one itself. */
function quoted(source: LogSource, at: number, isOuter: boolean): string {
  if (!isOuter || view8(source, at) >= 128) return '';
  const text = `[${logIpv6(source, at + 8, false)}] `;
  source.isCut = false;
  return text;
}

function view8(source: LogSource, at: number): number {
  return source.view.getUint8(at);
}

function icmpv6(source: LogSource, at: number, isOuter: boolean): string {
  const { view, end } = source;
  if (at + 8 > end) return cut(source, incomplete(source, at));
  const type = view.getUint8(at);
  const text = `TYPE=${type} CODE=${view.getUint8(at + 1)} `;
  const about = quoted(source, at, isOuter);
  switch (type) {
    case ICMPV6_ECHO_REQUEST:
    case ICMPV6_ECHO_REPLY:
      return `${text}ID=${view.getUint16(at + 4)} SEQ=${view.getUint16(at + 6)} `;
    case ICMPV6_PARAMPROB:
      return `${text}POINTER=${hex(view.getUint32(at + 4), 8)} ${about}`;
    case ICMPV6_DEST_UNREACH:
    case ICMPV6_TIME_EXCEED:
      return text + about;
    case ICMPV6_PKT_TOOBIG:
      return `${text}${about}MTU=${view.getUint32(at + 4)} `;
    default:
      return text;
  }
}

/** What was said of extension headers, and where they led. */
interface Walk {
  text: string;
  at: number;
  next: number;
  /** Whether this is a later fragment. */
  isLater: boolean;
  /** Whether nothing more is to be said. */
  isDone: boolean;
}

function fragmentHeader(source: LogSource, walk: Walk): void {
  const { view, end } = source;
  if (walk.at + 8 > end) {
    walk.text += 'FRAG:TRUNCATED ';
    walk.isDone = true;
    return;
  }
  const field = view.getUint16(walk.at + 2);
  walk.text += `FRAG:${field & 0xfff8} `;
  if ((field & 1) !== 0) walk.text += 'INCOMPLETE ';
  walk.text += `ID:${hex(view.getUint32(walk.at + 4), 8)} `;
  if ((field & 0xfff8) !== 0) walk.isLater = true;
}

/** AH and ESP, of which only the options flag says more. */
function security(source: LogSource, walk: Walk, isAh: boolean): void {
  walk.text += isAh ? 'AH ' : 'ESP ';
  if (walk.isLater) {
    walk.text += ')';
    walk.isDone = true;
    return;
  }
  const need = isAh ? 12 : 8;
  if (walk.at + need > source.end) {
    walk.text += `${incomplete(source, walk.at)})`;
    walk.isDone = true;
    return;
  }
  walk.text += `SPI=0x${hex(source.view.getUint32(walk.at + (isAh ? 4 : 0)), 1)} ${isAh ? '' : ')'}`;
}

/** One extension header. */
function step(source: LogSource, walk: Walk): void {
  const { view, end, flags } = source;
  const { at, next } = walk;
  const withOptions = (flags & NF_LOG_IPOPT) !== 0;
  if (at + 2 > end) {
    walk.text += 'TRUNCATED';
    walk.isDone = true;
    return;
  }
  if (withOptions) walk.text += 'OPT ( ';
  let length = (view.getUint8(at + 1) + 1) << 3;
  if (next === IPPROTO_FRAGMENT) {
    fragmentHeader(source, walk);
    length = 8;
  } else if (next === IPPROTO_AH) {
    if (withOptions) security(source, walk, true);
    length = (view.getUint8(at + 1) + 2) << 2;
  } else if (next === IPPROTO_ESP) {
    if (withOptions) security(source, walk, false);
    walk.isDone = true;
  } else if (walk.isLater) {
    if (withOptions) walk.text += ')';
    walk.isDone = true;
  }
  if (walk.isDone) return;
  walk.next = view.getUint8(at);
  walk.at = at + length;
  if (withOptions) walk.text += ') ';
}

function transport(source: LogSource, walk: Walk, isOuter: boolean): string {
  const { at, isLater } = walk;
  switch (walk.next) {
    case IPPROTO_TCP:
      return `PROTO=TCP ${isLater ? '' : logTcp(source, at)}`;
    case IPPROTO_UDP:
      return `PROTO=UDP ${isLater ? '' : logUdp(source, at)}`;
    case IPPROTO_UDPLITE:
      return `PROTO=UDPLITE ${isLater ? '' : logUdp(source, at)}`;
    case IPPROTO_ICMPV6:
      return `PROTO=ICMPv6 ${isLater ? '' : icmpv6(source, at, isOuter)}`;
    default:
      return `PROTO=${walk.next} `;
  }
}

function addressText(view: DataView, at: number): string {
  return ipv6FullText(
    view.getInt32(at),
    view.getInt32(at + 4),
    view.getInt32(at + 8),
    view.getInt32(at + 12),
  );
}

/**
 * What LOG says of an IPv6 packet, from `SRC=` on.
 * @param at first byte of its header
 * @param isOuter false for one that an ICMPv6 error quotes
 */
export function logIpv6(source: LogSource, at: number, isOuter: boolean): string {
  const { view, end } = source;
  if (at + IPV6_HEADER > end) return cut(source, 'TRUNCATED');
  const first = view.getUint32(at);
  const walk: Walk = {
    text: '',
    at: at + IPV6_HEADER,
    next: view.getUint8(at + 6),
    isLater: false,
    isDone: false,
  };
  walk.text = `SRC=${addressText(view, at + 8)} DST=${addressText(view, at + 24)} `;
  walk.text += `LEN=${view.getUint16(at + 4) + IPV6_HEADER} TC=${(first >>> 20) & 0xff} `;
  walk.text += `HOPLIMIT=${view.getUint8(at + 7)} FLOWLBL=${first & 0xfffff} `;
  while (!walk.isDone && isExtension(walk.next)) step(source, walk);
  return walk.isDone ? cut(source, walk.text) : walk.text + transport(source, walk, isOuter);
}
