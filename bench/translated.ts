import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { replaceChecksum } from '../engine/packet/rewrite.ts';

/** Of a pcap file: its header, and that of each packet. */
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const IP_CHECKSUM = 10;
const IP_DESTINATION = 16;
/** Where the transport checksum stands behind an IPv4 header, by protocol; it covers the address. */
const CHECKSUM: Readonly<Record<number, number>> = { 6: 16, 17: 6 };
/** The network of the captures' clients, and the one that {@link NETMAP} shows outside. */
const INSIDE = 10;
const OUTSIDE = 100;

/** Every client's address gets another first byte: translation of all flows, and of no port. */
export const NETMAP = `table ip bench_nat {
	chain post {
		type nat hook postrouting priority srcnat;
		snat ip prefix to ip saddr map { ${INSIDE}.0.0.0/8 : ${OUTSIDE}.0.0.0/8 }
	}
}
`;

/** NAT of addresses that no packet has, and a helper for a port that none has. */
export const UNUSED_NAT = `table ip bench_nat {
	ct helper ftp { type "ftp" protocol tcp; }
	chain pre { type filter hook prerouting priority filter; tcp dport 21 ct helper set "ftp"; }
	chain inward { type nat hook prerouting priority dstnat; ip daddr 203.0.113.1 tcp dport 80 dnat to 192.0.2.1; }
	chain post { type nat hook postrouting priority srcnat; ip saddr 203.0.113.0/24 masquerade; }
}
`;

/** Gives the packets to the clients the address that the outside knows. */
function show(view: DataView, frame: number): void {
  const ip = frame + ETHERNET_HEADER;
  if (view.getUint16(frame + 12) !== 0x0800 || view.getUint8(ip + IP_DESTINATION) !== INSIDE) return;
  const before = view.getInt32(ip + IP_DESTINATION);
  const after = (before & 0xffffff) | (OUTSIDE << 24);
  view.setInt32(ip + IP_DESTINATION, after);
  replaceChecksum(view, ip + IP_CHECKSUM, before, after);
  const at = CHECKSUM[view.getUint8(ip + 9)];
  const l4 = ip + ((view.getUint8(ip) & 15) << 2);
  if (at !== undefined && view.getUint16(l4 + at) !== 0) replaceChecksum(view, l4 + at, before, after);
}

/** The same in iptables. */
export const UNUSED_NAT_IPTABLES = `*raw
-A PREROUTING -p tcp --dport 21 -j CT --helper ftp
COMMIT
*nat
-A PREROUTING -d 203.0.113.1 -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1
-A POSTROUTING -s 203.0.113.0/24 -j MASQUERADE
COMMIT
`;

/**
 * A capture as a router's two sides see it that does what {@link NETMAP} says. Kept beside the original.
 * @param file one of captures.ts, small enough to be read at once
 * @returns its name
 */
export function translated(file: string): string {
  const name = file.replace(/\.pcap$/, '-translated.pcap');
  if (existsSync(name)) return name;
  const bytes = readFileSync(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = FILE_HEADER; at < bytes.length; at += RECORD_HEADER + view.getUint32(at + 8, true))
    show(view, at + RECORD_HEADER);
  writeFileSync(`${name}.part`, bytes);
  renameSync(`${name}.part`, name);
  return name;
}
