import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { AF_INET } from '@keepstate/engine';
import { fold, pseudoSum, sum } from '../engine/packet/checksum.ts';

const BUFFER = 1 << 20;
const RECORD = 16;
const ETHERNET = 14;
/** More than any frame made here. */
const LARGEST = 2048;

/** Start of the captures: 2026-01-01T00:00:00Z, in seconds. */
const EPOCH = 1_767_225_600;

/** One datagram to be written: who to whom, and how many bytes of transport header and payload. */
export interface Datagram {
  readonly family: number;
  readonly proto: number;
  /** IPv4 address, or the last word of an IPv6 one, as a 32-bit number. */
  readonly src: number;
  readonly dst: number;
  /** Bytes of transport header and payload. */
  readonly length: number;
}

/** The file header of classic pcap 2.4, little-endian, microseconds. */
export function pcapHeader(linktype: number): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  for (const [i, word] of [0xa1b2c3d4, 0x0004_0002, 0, 0, 65535, linktype].entries())
    view.setUint32(i * 4, word, true);
  return header;
}

/** Writes a pcap file of Ethernet frames, packet by packet, with right checksums. Made under another name until it is whole. */
export class PcapFile {
  readonly view: DataView;
  private readonly path: string;
  private readonly bytes = new Uint8Array(BUFFER);
  private readonly fd: number;
  private at = 0;
  private ip = 0;
  private l4 = 0;
  private micros = 0;

  constructor(path: string) {
    this.path = path;
    this.view = new DataView(this.bytes.buffer);
    this.fd = openSync(`${path}.part`, 'w');
    const header = pcapHeader(1);
    this.bytes.set(header);
    this.at = header.length;
  }

  /**
   * Begins a frame: link and IP header. The caller then writes the transport part and calls {@link finish}.
   * @param gap microseconds since the frame before
   * @returns where in {@link view} the transport header begins; all bytes from there on are zero
   */
  begin(d: Datagram, gap: number): number {
    if (this.at + LARGEST > BUFFER) this.flush();
    const { view } = this;
    const v4 = d.family === AF_INET;
    const ip = this.at + RECORD + ETHERNET;
    const l4 = ip + (v4 ? 20 : 40);
    const end = l4 + d.length;
    this.bytes.fill(0, this.at, end);
    this.micros += gap;
    view.setUint32(this.at, EPOCH + Math.floor(this.micros / 1e6), true);
    view.setUint32(this.at + 4, this.micros % 1e6, true);
    view.setUint32(this.at + 8, end - this.at - RECORD, true);
    view.setUint32(this.at + 12, end - this.at - RECORD, true);
    view.setUint32(ip - 14, 0x02000000);
    view.setUint32(ip - 8, 0x02000000);
    view.setUint16(ip - 2, v4 ? 0x0800 : 0x86dd);
    if (v4) this.ipv4Header(ip, d);
    else this.ipv6Header(ip, d);
    this.ip = ip;
    this.l4 = l4;
    this.at = end;
    return l4;
  }

  /**
   * Ends the frame that was begun.
   * @param field where the checksum stands, counted from the transport header; -1 for none
   * @param pseudo whether it covers the pseudo header
   */
  finish(d: Datagram, field: number, pseudo: boolean): void {
    if (field < 0) return;
    const start = pseudo ? pseudoSum(this.view, this.ip, d.family, d.proto, d.length) : 0;
    const folded = fold(sum(this.view, this.l4, this.at, start)) ^ 0xffff;
    this.view.setUint16(this.l4 + field, folded === 0 ? 0xffff : folded);
  }

  /** Writes out what is left and gives the file its name. */
  close(): void {
    this.flush();
    closeSync(this.fd);
    renameSync(`${this.path}.part`, this.path);
  }

  private ipv4Header(ip: number, d: Datagram): void {
    const { view } = this;
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, 20 + d.length);
    view.setUint16(ip + 6, 0x4000);
    view.setUint16(ip + 8, (64 << 8) | d.proto);
    view.setUint32(ip + 12, d.src);
    view.setUint32(ip + 16, d.dst);
    view.setUint16(ip + 10, fold(sum(view, ip, ip + 20)) ^ 0xffff);
  }

  private ipv6Header(ip: number, d: Datagram): void {
    const { view } = this;
    view.setUint32(ip, 0x60000000);
    view.setUint16(ip + 4, d.length);
    view.setUint16(ip + 6, (d.proto << 8) | 64);
    // 2001:db8::/32, the documentation prefix (RFC 3849).
    view.setUint32(ip + 8, 0x20010db8);
    view.setUint32(ip + 20, d.src);
    view.setUint32(ip + 24, 0x20010db8);
    view.setUint32(ip + 36, d.dst);
  }

  private flush(): void {
    for (let from = 0; from < this.at; ) from += writeSync(this.fd, this.bytes, from, this.at - from);
    this.at = 0;
  }
}
