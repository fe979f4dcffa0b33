import { beforeEach, describe, expect, test } from 'vitest';
import { Firewall } from '../hook/firewall.ts';
import { tcpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_ACK, TH_RST, TH_SYN } from '../packet/tcp.ts';
import { IPCT_ASSURED, IPCT_DESTROY, IPCT_NEW, IPCT_PROTOINFO, IPCT_REPLY } from './events.ts';

const ENDS = [
  { src: '10.0.0.1', dst: '10.1.0.1', sport: 1000, dport: 80 },
  { src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: 1000 },
] as const;

let fw: Firewall;
let events: number[];

beforeEach(() => {
  events = [];
  fw = new Firewall({ sink: { event: (_, bits) => events.push(bits) } });
});

/** Sends a segment; sequence numbers: SYN 0, data from 1 on, either way. */
function segment(dir: 0 | 1, flags: number, seq: number, ack: number): number[] {
  const bytes = tcpPacket({ ...ENDS[dir], flags, seq, ack, window: 8192 });
  const pkt = new Packet();
  events = [];
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  pkt.time = 1000;
  fw.receive(pkt, DLT_RAW);
  return events;
}

// Each also against the kernel: tests/kernel/events.test.ts.
describe('events', () => {
  test('tcp: a SYN/ACK that acknowledges an ignored SYN announces SYN_RECV, even if that was the state before', () => {
    expect(segment(0, TH_SYN, 0, 0)).toEqual([IPCT_NEW | IPCT_PROTOINFO]);
    expect(segment(1, TH_SYN | TH_ACK, 0, 1)).toEqual([IPCT_REPLY | IPCT_PROTOINFO]);
    expect(segment(0, TH_SYN, 900, 0)).toEqual([]);
    expect(segment(1, TH_SYN | TH_ACK, 300, 901)).toEqual([IPCT_PROTOINFO]);
  });

  test('a flow that is made while nf_conntrack_events is 0 is told to nobody, not even when it ends', () => {
    fw.settings.set('nf_conntrack_events', 0);
    expect(segment(0, TH_SYN, 0, 0)).toEqual([]);
    fw.settings.set('nf_conntrack_events', 1);
    expect(segment(1, TH_SYN | TH_ACK, 0, 1)).toEqual([]);
    expect(segment(0, TH_RST, 1, 0)).toEqual([]);
    // Opened anew: of the old flow no DESTROY, of the new one NEW.
    expect(segment(0, TH_SYN, 900, 0)).toEqual([IPCT_NEW | IPCT_PROTOINFO]);
  });

  test('a flow that is made while nf_conntrack_events is 1 is told to its end', () => {
    segment(0, TH_SYN, 0, 0);
    fw.settings.set('nf_conntrack_events', 0);
    expect(segment(1, TH_SYN | TH_ACK, 0, 1)).toEqual([IPCT_REPLY | IPCT_PROTOINFO]);
    expect(segment(0, TH_ACK, 1, 1)).toEqual([IPCT_ASSURED | IPCT_PROTOINFO]);
    fw.conntrack.flush();
    expect(events.at(-1)).toBe(IPCT_DESTROY);
  });
});
