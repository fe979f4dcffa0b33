import { AF_INET, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_UDP } from '@keepstate/engine';
import type { PcapFile } from './pcap-file.ts';
import type { Ends } from './tcp-connection.ts';

/** Writes a UDP datagram of a flow. */
export function writeUdp(file: PcapFile, gap: number, ends: Ends, reply: boolean, data: number): void {
  const d = {
    family: ends.family,
    proto: IPPROTO_UDP,
    src: reply ? ends.server : ends.client,
    dst: reply ? ends.client : ends.server,
    length: 8 + data,
  };
  const l4 = file.begin(d, gap);
  file.view.setUint16(l4, reply ? ends.serverPort : ends.clientPort);
  file.view.setUint16(l4 + 2, reply ? ends.clientPort : ends.serverPort);
  file.view.setUint16(l4 + 4, 8 + data);
  file.finish(d, 6, true);
}

/** Writes an echo request or reply of either ICMP; the client's port is its id, the server's its sequence number. */
export function writeEcho(file: PcapFile, gap: number, ends: Ends, reply: boolean): void {
  const v4 = ends.family === AF_INET;
  const d = {
    family: ends.family,
    proto: v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
    src: reply ? ends.server : ends.client,
    dst: reply ? ends.client : ends.server,
    length: 8 + 56,
  };
  const l4 = file.begin(d, gap);
  const request = v4 ? 8 : 128;
  const answer = v4 ? 0 : 129;
  file.view.setUint8(l4, reply ? answer : request);
  file.view.setUint16(l4 + 4, ends.clientPort);
  file.view.setUint16(l4 + 6, ends.serverPort);
  file.finish(d, 2, !v4);
}
