import {
  TCP_HEADER,
  TH_ACK,
  TH_CWR,
  TH_ECE,
  TH_FIN,
  TH_PUSH,
  TH_RST,
  TH_SYN,
  TH_URG,
  tcpFlags,
  tcpHeaderLength,
  tcpWindow,
} from '../packet/tcp.ts';
import { cut, hex, hexBytes, incomplete, type LogSource, NF_LOG_TCPOPT, NF_LOG_TCPSEQ } from './log-bits.ts';

/** In the order in which the kernel prints them. */
const FLAGS: readonly (readonly [number, string])[] = [
  [TH_CWR, 'CWR '],
  [TH_ECE, 'ECE '],
  [TH_URG, 'URG '],
  [TH_ACK, 'ACK '],
  [TH_PUSH, 'PSH '],
  [TH_RST, 'RST '],
  [TH_SYN, 'SYN '],
  [TH_FIN, 'FIN '],
];

function tcpOptions(source: LogSource, at: number): string {
  const length = tcpHeaderLength(source.view, at);
  if ((source.flags & NF_LOG_TCPOPT) === 0 || length <= TCP_HEADER) return '';
  if (at + length > source.end) return cut(source, 'OPT (TRUNCATED)');
  return `OPT (${hexBytes(source.view, at + TCP_HEADER, at + length)}) `;
}

/**
 * What LOG says of a TCP header, behind `PROTO=TCP `.
 * @param at first byte of the header
 */
export function logTcp(source: LogSource, at: number): string {
  const { view, end, flags } = source;
  if (at + TCP_HEADER > end) return cut(source, incomplete(source, at));
  let text = `SPT=${view.getUint16(at)} DPT=${view.getUint16(at + 2)} `;
  if ((flags & NF_LOG_TCPSEQ) !== 0) text += `SEQ=${view.getUint32(at + 4)} ACK=${view.getUint32(at + 8)} `;
  // Three reserved bits, at the place that they had among six (RFC 793); the fourth is AE now (AccECN).
  const reserved = view.getUint8(at + 12) & 15;
  text += `WINDOW=${tcpWindow(view, at)} RES=0x${hex((reserved & 14) << 2, 2)} ${(reserved & 1) !== 0 ? 'AE ' : ''}`;
  const bits = tcpFlags(view, at);
  for (const [bit, name] of FLAGS) if ((bits & bit) !== 0) text += name;
  return `${text}URGP=${view.getUint16(at + 18)} ${tcpOptions(source, at)}`;
}

/** What LOG says of a UDP or UDP-Lite header, behind `PROTO=UDP `. */
export function logUdp(source: LogSource, at: number): string {
  const { view, end } = source;
  if (at + 8 > end) return cut(source, incomplete(source, at));
  return `SPT=${view.getUint16(at)} DPT=${view.getUint16(at + 2)} LEN=${view.getUint16(at + 4)} `;
}

/** What LOG says of AH (`need` 12 bytes, SPI at 4) and ESP (8 bytes, SPI at 0). */
export function logSpi(source: LogSource, at: number, need: number, spi: number): string {
  if (at + need > source.end) return incomplete(source, at);
  return `SPI=0x${hex(source.view.getUint32(at + spi), 1)} `;
}
