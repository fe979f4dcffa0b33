/** Packets as strangers' captures hold them: any link layer, any file format. */

import { PcapngWriter, PcapWriter } from '../../engine/capture/index.ts';
import { CaptureRecord } from '../../engine/capture/record.ts';
import {
  ethernetFrame,
  loopFrame,
  nullFrame,
  qinqFrame,
  sll2Frame,
  sllFrame,
  vlanFrame,
} from '../../engine/packet/build-link.ts';
import {
  DLT_EN10MB,
  DLT_LINUX_SLL,
  DLT_LINUX_SLL2,
  DLT_LOOP,
  DLT_NULL,
  DLT_RAW,
} from '../../engine/packet/link.ts';

/** A link layer: its number and how it wraps a packet that begins with its IP header. */
export interface Link {
  readonly linktype: number;
  readonly frame: (packet: Uint8Array) => Uint8Array;
}

/** Link layers by name. */
export const LINKS = {
  raw: { linktype: DLT_RAW, frame: (p) => p },
  ethernet: { linktype: DLT_EN10MB, frame: (p) => ethernetFrame(p) },
  vlan: { linktype: DLT_EN10MB, frame: (p) => vlanFrame(p, 7) },
  qinq: { linktype: DLT_EN10MB, frame: (p) => qinqFrame(p, 100, 7) },
  sll: { linktype: DLT_LINUX_SLL, frame: (p) => sllFrame(p) },
  sll2: { linktype: DLT_LINUX_SLL2, frame: (p) => sll2Frame(p) },
  null: { linktype: DLT_NULL, frame: (p) => nullFrame(p) },
  'null, big-endian': { linktype: DLT_NULL, frame: (p) => nullFrame(p, { bigEndian: true }) },
  loop: { linktype: DLT_LOOP, frame: (p) => loopFrame(p) },
} as const satisfies Readonly<Record<string, Link>>;

/** Name of a link layer. */
export type LinkName = keyof typeof LINKS;

/** A packet and when it was captured (ms since the epoch). */
export interface Captured {
  readonly bytes: Uint8Array;
  readonly at: number;
}

function recordOf(link: Link, { bytes, at }: Captured, iface = 0): CaptureRecord {
  const record = new CaptureRecord().packet(link.frame(bytes), at, link.linktype);
  record.iface = iface;
  return record;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** A pcap file. */
export function pcapFile(
  link: Link,
  packets: readonly Captured[],
  options: { readonly nanoseconds?: boolean; readonly bigEndian?: boolean } = {},
): Uint8Array {
  const writer = new PcapWriter({ linktype: link.linktype, ...options });
  return joined([writer.header(), ...packets.map((packet) => writer.record(recordOf(link, packet)))]);
}

/** A pcapng file whose packets come by turns from two interfaces: the second counts nanoseconds. */
export function pcapngFile(
  links: readonly [Link, Link],
  packets: readonly Captured[],
  bigEndian: boolean,
): Uint8Array {
  const writer = new PcapngWriter({ bigEndian, application: 'tests' });
  return joined([
    writer.header(),
    writer.interface({ linktype: links[0].linktype, name: 'outside' }),
    writer.interface({ linktype: links[1].linktype, name: 'inside', tsresol: 9 }),
    ...packets.map((packet, i) =>
      writer.record(recordOf(links[i % 2]!, packet, i % 2), i % 9 ? null : 'ninth'),
    ),
  ]);
}
