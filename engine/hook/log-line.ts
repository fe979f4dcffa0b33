import type { Host } from '../host/host.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { hex, type LogSource, NF_LOG_MACDECODE } from './log-bits.ts';
import { logIpv4 } from './log-ipv4.ts';
import { logIpv6 } from './log-ipv6.ts';

const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const ETHERNET_HEADER = 14;
const NO_ADDRESSES: string = new Array(12).fill('00').join(':');

function macText(view: DataView, at: number, length: number): string {
  return Array.from({ length }, (_, i) => hex(view.getUint8(at + i), 2)).join(':');
}

/**
 * The link header: `MAC=` and all of it, empty for a device without one; by name with NF_LOG_MACDECODE. Nothing for
 * packets that came in by no device.
 */
function linkHeader(host: Host, pkt: Packet, flags: number): string {
  const device = host.device(pkt.ifin);
  if (device === null) return '';
  const { view, mac } = pkt;
  if ((flags & NF_LOG_MACDECODE) !== 0 && device.type === ARPHRD_ETHER) {
    if (mac < 0) return '';
    const proto = hex(view.getUint16(mac + 12), 4);
    return `MACSRC=${macText(view, mac + 6, 6)} MACDST=${macText(view, mac, 6)} MACPROTO=${proto} `;
  }
  // What comes over lo has an Ethernet header without addresses (measured).
  if (device.type === ARPHRD_LOOPBACK)
    return `MAC=${NO_ADDRESSES}:${pkt.family === AF_INET ? '08:00' : '86:dd'} `;
  const hasHeader = mac >= 0 && device.type === ARPHRD_ETHER;
  return `MAC=${hasHeader ? macText(view, mac, ETHERNET_HEADER) : ''} `;
}

/**
 * The line that Linux' LOG target and nft's log statement write to the kernel's log, byte for byte, without line end
 * (it ends in a space).
 * @param pkt with the numbers of its devices
 * @param prefix as the rule has it
 * @param flags NF_LOG_*; user and group ids are never known
 */
export function logLine(host: Host, pkt: Packet, prefix: string, flags: number): string {
  const source: LogSource = { view: pkt.view, end: pkt.end, flags, isCut: false };
  const input = host.device(pkt.ifin)?.name ?? '';
  const output = host.device(pkt.ifout)?.name ?? '';
  const packet = pkt.family === AF_INET ? logIpv4(source, pkt.off, true) : logIpv6(source, pkt.off, true);
  const mark = pkt.mark === 0 || source.isCut ? '' : `MARK=0x${hex(pkt.mark, 1)} `;
  return `${prefix}IN=${input} OUT=${output} ${linkHeader(host, pkt, flags)}${packet}${mark}`;
}
