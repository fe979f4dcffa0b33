import { CaptureRecord, PcapWriter, tcpPacket, udpPacket } from '@keepstate/engine';

/** A packet at a time. */
export interface Timed {
  /** Seconds after {@link START}. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** Bytes of it that the capture kept, all if left out. */
  readonly snap?: number;
}

/** Time of second 0 of captures that tests make (s since the epoch). */
export const START = 1_795_229_507;

const FLAGS = { SYN: 2, ACK: 16, FIN: 1, RST: 4, PSH: 8 } as const;

/** A pcap file of raw IP packets (or frames of another link type). */
export function pcap(packets: readonly Timed[], linktype = 101): Buffer {
  const writer = new PcapWriter({ linktype });
  const record = new CaptureRecord();
  const parts = packets.map(({ at, bytes, snap }) => {
    record.packet(bytes, START * 1000 + at * 1000, linktype);
    if (snap !== undefined) record.caplen = snap;
    return writer.record(record);
  });
  return Buffer.concat([writer.header(), ...parts]);
}

/** A TCP packet between a client 10.0.0.1:1000 and a server 10.0.0.2:80. */
export function segment(
  from: 'client' | 'server',
  flags: string,
  seq: number,
  ack: number,
  more: { payload?: Uint8Array; checksum?: number; port?: number } = {},
): Uint8Array {
  const bits = flags.split(' ').reduce((sum, name) => sum | FLAGS[name as keyof typeof FLAGS], 0);
  const { port = 1000, ...rest } = more;
  const client = { ip: '10.0.0.1', port };
  const server = { ip: '10.0.0.2', port: 80 };
  const [a, b] = from === 'client' ? [client, server] : [server, client];
  return tcpPacket({ src: a.ip, dst: b.ip, sport: a.port, dport: b.port, flags: bits, seq, ack, ...rest });
}

/** A whole connection: handshake, ten bytes each way, end. */
export function connection(at = 0, port = 1000): Timed[] {
  const payload = new Uint8Array(10);
  const steps: readonly Uint8Array[] = [
    segment('client', 'SYN', 1000, 0, { port }),
    segment('server', 'SYN ACK', 5000, 1001, { port }),
    segment('client', 'ACK', 1001, 5001, { port }),
    segment('client', 'PSH ACK', 1001, 5001, { port, payload }),
    segment('server', 'PSH ACK', 5001, 1011, { port, payload }),
    segment('client', 'FIN ACK', 1011, 5011, { port }),
    segment('server', 'FIN ACK', 5011, 1012, { port }),
    segment('client', 'ACK', 1012, 5012, { port }),
  ];
  return steps.map((bytes, i) => ({ at: at + i / 8, bytes }));
}

/** A UDP packet from one host to another. */
export function datagram(src: string, dst: string, sport: number, dport: number): Uint8Array {
  return udpPacket({ src, dst, sport, dport, payload: new Uint8Array(5) });
}
