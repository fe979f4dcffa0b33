import { captureLimit } from './format.ts';
import { TimeScale } from './timestamp.ts';

/** Timestamps in microseconds since the epoch, what both formats have unless they say otherwise. */
export const MICROSECONDS: TimeScale = new TimeScale(6, 0);
/** Timestamps in nanoseconds since the epoch. */
export const NANOSECONDS: TimeScale = new TimeScale(9, 0);

/** An interface of a capture: the one a pcap file has, or an Interface Description Block of pcapng. */
export class CaptureInterface {
  /** Row in the reader's `interfaces`, which is what `CaptureRecord.iface` holds. */
  readonly index: number;
  /** Section of the pcapng file it belongs to, from 0. */
  readonly section: number;
  /** Its number inside the section, as packet blocks name it. */
  readonly id: number;
  /** LINKTYPE_ number of its packets. */
  readonly linktype: number;
  /** Most bytes captured of a packet; 0 = no limit. As the file says, not checked. */
  readonly snaplen: number;
  /** Most bytes captured of a packet that are believed. */
  readonly limit: number;
  /** Resolution and offset of its timestamps. */
  scale: TimeScale = MICROSECONDS;
  /** Bytes of frame check sequence at the end of each packet; -1 = the file does not say. */
  fcslen = -1;
  /** Name (pcapng if_name), `''` if the file has none. */
  name = '';
  /** Description (pcapng if_description), `''` if the file has none. */
  description = '';

  constructor(index: number, section: number, id: number, linktype: number, snaplen: number) {
    this.index = index;
    this.section = section;
    this.id = id;
    this.linktype = linktype;
    this.snaplen = snaplen;
    this.limit = captureLimit(snaplen);
  }

  /** The if_tsresol byte: timestamps count in 10^-n s, or in 2^-n s if the upper bit is set. */
  get tsresol(): number {
    return this.scale.tsresol;
  }

  /** Seconds that are added to every timestamp. */
  get tsoffset(): number {
    return this.scale.tsoffset;
  }
}
