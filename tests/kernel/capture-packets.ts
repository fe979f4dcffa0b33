/** The IP packets of a capture file, as the oracle takes them. */
import { readFileSync } from 'node:fs';
import { CaptureReader, CaptureRecord } from '../../engine/capture/index.ts';
import { enterLink } from '../../engine/packet/link.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';
import type { KernelPacket } from './oracle.ts';

/**
 * Reads a capture and takes the link headers off; what is not IP is left out.
 * @throws CaptureError if the file is damaged, Error for a packet that was not captured whole
 */
export function capturedPackets(file: string): KernelPacket[] {
  const reader = new CaptureReader(file);
  const record = new CaptureRecord();
  const pkt = new Packet();
  const packets: KernelPacket[] = [];
  reader.push(readFileSync(file));
  while (reader.next(record)) {
    if (record.caplen < record.origlen) throw new Error(`${file}: packet ${record.number} was cut short`);
    resetPacket(pkt, record.bytes, record.view, record.off, record.off + record.caplen);
    if (enterLink(pkt, record.linktype)) packets.push({ bytes: record.bytes.slice(pkt.off, pkt.end) });
  }
  reader.end();
  return packets;
}
