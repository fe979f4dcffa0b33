import { ipv4Text } from '../packet/address.ts';
import {
  ICMP_DEST_UNREACH,
  ICMP_ECHO,
  ICMP_ECHOREPLY,
  ICMP_FRAG_NEEDED,
  ICMP_PARAMETERPROB,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  ICMP_TIME_EXCEEDED,
} from '../packet/icmp.ts';
import { IPV4_HEADER } from '../packet/ipv4.ts';
import { IPPROTO_AH, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from '../packet/protocols.ts';
import { cut, hex, hexBytes, incomplete, type LogSource, NF_LOG_IPOPT } from './log-bits.ts';
import { logSpi, logTcp, logUdp } from './log-transport.ts';

const IPPROTO_ESP = 50;
const RESERVED = 0x8000;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const OFFSET = 0x1fff;
/** How many bytes of each ICMP type the kernel wants to see before it prints more than "incomplete". */
const ICMP_NEEDS: Readonly<Record<number, number>> = {
  [ICMP_ECHOREPLY]: 4,
  [ICMP_DEST_UNREACH]: 8 + IPV4_HEADER,
  [ICMP_SOURCE_QUENCH]: 8 + IPV4_HEADER,
  [ICMP_REDIRECT]: 8 + IPV4_HEADER,
  [ICMP_ECHO]: 4,
  [ICMP_TIME_EXCEEDED]: 8 + IPV4_HEADER,
  [ICMP_PARAMETERPROB]: 8 + IPV4_HEADER,
  13: 20,
  14: 20,
  17: 12,
  18: 12,
};

/** An error's text: the quoted packet in brackets, unless this is a quoted one itself. */
function quoted(source: LogSource, at: number, isOuter: boolean): string {
  if (!isOuter) return '';
  const text = `[${logIpv4(source, at + 8, false)}] `;
  source.isCut = false;
  return text;
}

function icmp(source: LogSource, at: number, isOuter: boolean): string {
  const { view, end } = source;
  if (at + 8 > end) return incomplete(source, at);
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  const text = `TYPE=${type} CODE=${code} `;
  const need = ICMP_NEEDS[type];
  if (need !== undefined && end - at < need) return text + incomplete(source, at);
  switch (type) {
    case ICMP_ECHO:
    case ICMP_ECHOREPLY:
      return `${text}ID=${view.getUint16(at + 4)} SEQ=${view.getUint16(at + 6)} `;
    case ICMP_PARAMETERPROB:
      return `${text}PARAMETER=${view.getUint8(at + 4)} `;
    case ICMP_REDIRECT:
      return `${text}GATEWAY=${ipv4Text(view.getInt32(at + 4))} ${quoted(source, at, isOuter)}`;
    case ICMP_DEST_UNREACH: {
      const mtu = code === ICMP_FRAG_NEEDED ? `MTU=${view.getUint16(at + 6)} ` : '';
      return text + quoted(source, at, isOuter) + mtu;
    }
    case ICMP_SOURCE_QUENCH:
    case ICMP_TIME_EXCEEDED:
      return text + quoted(source, at, isOuter);
    default:
      return text;
  }
}

function transport(source: LogSource, proto: number, at: number, isLater: boolean, isOuter: boolean): string {
  switch (proto) {
    case IPPROTO_TCP:
      return `PROTO=TCP ${isLater ? '' : logTcp(source, at)}`;
    case IPPROTO_UDP:
      return `PROTO=UDP ${isLater ? '' : logUdp(source, at)}`;
    case IPPROTO_UDPLITE:
      return `PROTO=UDPLITE ${isLater ? '' : logUdp(source, at)}`;
    case IPPROTO_ICMP:
      return `PROTO=ICMP ${isLater ? '' : icmp(source, at, isOuter)}`;
    case IPPROTO_AH:
      // Of later fragments AH alone is not named.
      return isLater ? '' : `PROTO=AH ${logSpi(source, at, 12, 4)}`;
    case IPPROTO_ESP:
      return `PROTO=ESP ${isLater ? '' : logSpi(source, at, 8, 0)}`;
    default:
      return `PROTO=${proto} `;
  }
}

/**
 * What LOG says of an IPv4 packet, from `SRC=` on.
 * @param at first byte of its header
 * @param isOuter false for one that an ICMP error quotes
 */
export function logIpv4(source: LogSource, at: number, isOuter: boolean): string {
  const { view, end, flags } = source;
  if (at + IPV4_HEADER > end) return cut(source, 'TRUNCATED');
  const tos = view.getUint8(at + 1);
  const fragment = view.getUint16(at + 6);
  const header = (view.getUint8(at) & 15) << 2;
  let text = `SRC=${ipv4Text(view.getInt32(at + 12))} DST=${ipv4Text(view.getInt32(at + 16))} `;
  text += `LEN=${view.getUint16(at + 2)} TOS=0x${hex(tos & 0x1e, 2).toUpperCase()} `;
  text += `PREC=0x${hex(tos & 0xe0, 2).toUpperCase()} TTL=${view.getUint8(at + 8)} ID=${view.getUint16(at + 4)} `;
  if ((fragment & RESERVED) !== 0) text += 'CE ';
  if ((fragment & DONT_FRAGMENT) !== 0) text += 'DF ';
  if ((fragment & MORE_FRAGMENTS) !== 0) text += 'MF ';
  if ((fragment & OFFSET) !== 0) text += `FRAG:${fragment & OFFSET} `;
  if ((flags & NF_LOG_IPOPT) !== 0 && header > IPV4_HEADER) {
    if (at + header > end) return cut(source, `${text}TRUNCATED`);
    text += `OPT (${hexBytes(view, at + IPV4_HEADER, at + header)}) `;
  }
  return text + transport(source, view.getUint8(at + 9), at + header, (fragment & OFFSET) !== 0, isOuter);
}
