// Helpers of the tests in this folder.

import { reasonOf } from '../base/reason.ts';
import { ipv4 } from '../packet/build-ipv4.ts';
import { type ExtensionHeader, fragmentHeader, ipv6 } from '../packet/build-ipv6.ts';
import { dissect } from '../packet/dissect.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { Defrag, FRAG_DROP, FRAG_HELD } from './defrag.ts';

/** What became of one packet. */
export interface Outcome {
  /** The fate, and the name of the reason if there is one: `pass`, `held frag-held`, `drop frag-overlap`. */
  readonly fate: string;
  /** The packet's bytes if it passed. */
  readonly bytes: Uint8Array | undefined;
  readonly pkt: Packet;
}

/** A fragment: offset, data, "more fragments", and what differs from the defaults. */
export interface Piece {
  readonly id?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly df?: boolean;
  readonly options?: Uint8Array;
  readonly proto?: number;
  readonly src?: string;
  /** IPv6: headers before the fragment header. */
  readonly before?: readonly ExtensionHeader[];
}

/** An IPv4 fragment of 10.0.0.1. */
export function piece4(offset: number, data: Uint8Array, mf: boolean, o: Piece = {}): Uint8Array {
  return ipv4({
    src: '10.0.0.1',
    dst: '10.1.0.1',
    proto: IPPROTO_UDP,
    id: 1,
    ...o,
    offset,
    mf,
    payload: data,
  });
}

/** An IPv6 fragment of 2001:db8::1. */
export function piece6(offset: number, data: Uint8Array, more: boolean, o: Piece = {}): Uint8Array {
  const extensions = [...(o.before ?? []), fragmentHeader({ offset, more, id: o.id ?? 1 })];
  return ipv6({
    src: '2001:db8::1',
    dst: '2001:db8::2',
    proto: IPPROTO_UDP,
    ...o,
    extensions,
    payload: data,
  });
}

/** Bytes of a UDP datagram, header included: length field right, no checksum, data that never repeats soon. */
export function datagram(length: number): Uint8Array {
  const out = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  out.set([3, 0xe8, 7, 0xd0, (length >> 8) & 0xff, length & 0xff, 0, 0].slice(0, length));
  return out;
}

/** A Defrag with the kernel's default settings, or others, and one packet to send through it. */
export class Bench {
  readonly values: Map<string, number>;
  readonly settings = { version: 0, get: (name: string): number => this.values.get(name) ?? Number.NaN };
  readonly defrag: Defrag = new Defrag(this.settings);
  readonly pkt: Packet = new Packet();
  now = 0;
  /** Zone and mark of what is sent. */
  zone = 0;
  mark = 0;

  constructor(values: Readonly<Record<string, number>> = {}) {
    this.values = new Map(
      Object.entries({
        'net.ipv4.ipfrag_time': 30,
        'net.ipv4.ipfrag_high_thresh': 4194304,
        'net.ipv4.ipfrag_max_dist': 64,
        nf_conntrack_frag6_timeout: 60,
        nf_conntrack_frag6_high_thresh: 4194304,
        ...values,
      }),
    );
  }

  /** Changes a setting. */
  set(name: string, value: number): void {
    this.values.set(name, value);
    this.settings.version++;
  }

  /** Sends one packet, which stands behind some other bytes of its buffer as in a capture. */
  send(packet: Uint8Array): Outcome {
    const { pkt } = this;
    const bytes = new Uint8Array(5 + packet.length).fill(0xee);
    bytes.set(packet, 5);
    resetPacket(pkt, bytes, new DataView(bytes.buffer), 5, bytes.length);
    pkt.zone = this.zone;
    pkt.mark = this.mark;
    if (!dissect(pkt)) throw new Error(`not dissected: ${reasonOf(pkt.reason).name}`);
    const fate = this.defrag.receive(pkt, this.now);
    const reason = pkt.reason === 0 ? '' : ` ${reasonOf(pkt.reason).name}`;
    if (fate === FRAG_HELD) return { fate: `held${reason}`, bytes: undefined, pkt };
    if (fate === FRAG_DROP) return { fate: `drop${reason}`, bytes: undefined, pkt };
    return { fate: `pass${reason}`, bytes: pkt.bytes.slice(pkt.off, pkt.end), pkt };
  }

  /** Sends several, and says what became of each. */
  fates(...packets: readonly Uint8Array[]): string[] {
    return packets.map((packet) => this.send(packet).fate);
  }
}
