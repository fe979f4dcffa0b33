// capture/ reads and writes packet captures, pcap and pcapng, as bytes: files are opened by others, who push
// chunks of any size into a CaptureReader and take packets out of it one at a time, in one CaptureRecord that is
// filled again and again and points into the chunk, so nothing is copied or allocated per packet. input.ts carries
// over what spans two chunks, pcap-reader.ts and pcapng-reader.ts know one format each, timestamp.ts does the
// 64-bit arithmetic, and the writers make the pieces of a new file. A damaged file is a CaptureError with the
// byte at which it begins to be damaged; limits are libpcap's.

export { CaptureError } from './error.ts';
export { CaptureInterface } from './interface.ts';
export { type PcapOptions, PcapWriter } from './pcap-writer.ts';
export { type PcapngInterface, type PcapngOptions, PcapngWriter } from './pcapng-writer.ts';
export { CaptureReader } from './reader.ts';
export { CaptureRecord } from './record.ts';
export { TimeScale } from './timestamp.ts';
