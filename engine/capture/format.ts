// Numbers of the two file formats, shared by readers and writers.
// pcap: draft-ietf-opsawg-pcap, pcap-savefile(5). pcapng: draft-ietf-opsawg-pcapng.

/** pcap magic number: timestamps in microseconds. */
export const MAGIC_MICRO = 0xa1b2c3d4;
/** pcap magic number: timestamps in nanoseconds. */
export const MAGIC_NANO = 0xa1b23c4d;
/** pcap magic number of Alexey Kuznetsov's patched libpcap: record headers of 24 bytes. */
export const MAGIC_KUZNETSOV = 0xa1b2cd34;

/** Bytes of a pcap file header. */
export const PCAP_HEADER = 24;
/** Bytes of a pcap record header; in the Kuznetsov format 8 more follow (interface, protocol, type). */
export const PCAP_RECORD_HEADER = 16;

/** pcapng block type: Section Header Block. Reads the same in both byte orders. */
export const BLOCK_SECTION = 0x0a0d0d0a;
/** pcapng block type: Interface Description Block. */
export const BLOCK_INTERFACE = 1;
/** pcapng block type: Packet Block (obsolete). */
export const BLOCK_PACKET = 2;
/** pcapng block type: Simple Packet Block. */
export const BLOCK_SIMPLE = 3;
/** pcapng block type: Enhanced Packet Block. */
export const BLOCK_ENHANCED = 6;
/** Byte-order magic inside a Section Header Block. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** pcapng option code: end of the options. */
export const OPT_END = 0;
/** pcapng option code: comment, UTF-8. */
export const OPT_COMMENT = 1;
/** pcapng Section Header Block option: the program that wrote the file, UTF-8. */
export const SHB_USERAPPL = 4;
/** pcapng Interface Description Block option: name, UTF-8. */
export const IF_NAME = 2;
/** pcapng Interface Description Block option: description, UTF-8. */
export const IF_DESCRIPTION = 3;
/** pcapng Interface Description Block option: resolution of timestamps, 1 byte. */
export const IF_TSRESOL = 9;
/** pcapng Interface Description Block option: length of the frame check sequence, 1 byte. */
export const IF_FCSLEN = 13;
/** pcapng Interface Description Block option: seconds to add to every timestamp, 8 bytes, signed. */
export const IF_TSOFFSET = 14;

/**
 * Captured bytes a record may have whatever its file's snaplen says: libpcap's MAXIMUM_SNAPLEN. Files
 * exist whose records are longer than the snaplen in their header; libpcap reads those too.
 */
export const MAX_SNAPLEN = 262_144;

/** Bytes of the largest pcapng block and of the largest packet: libpcap's limit for a block, 16 MiB. */
export const MAX_BLOCK: number = 16 * 1024 * 1024;

/**
 * The most bytes that a sound record of an interface can have captured.
 * @param snaplen the snaplen in the file; 0 and numbers above 2^31-1 mean "no limit" (as in libpcap)
 */
export function captureLimit(snaplen: number): number {
  if (snaplen > 0x7fff_ffff) return MAX_SNAPLEN;
  return Math.min(MAX_BLOCK, Math.max(MAX_SNAPLEN, snaplen));
}
