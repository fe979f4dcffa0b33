// The same packets through keepstate, and what differs from what the kernel sent on.

import {
  Firewall,
  HostModel,
  Packet,
  packetText,
  parseIpAddr,
  parseIpRoute,
  Ruleset,
  readFlow,
  resetPacket,
} from '@keepstate/engine';
import { conntrackLine } from '../../../cli/format/conntrack-line.ts';
import type { Crossing, Recorded } from './record.ts';

/** LINKTYPE_ETHERNET. */
const DLT_EN10MB = 1;
const ETHERNET_HEADER = 14;

/** The router as `ip -j` describes it. */
function hostOf({ addresses, routes }: Recorded): HostModel {
  const host = new HostModel();
  parseIpAddr(host, addresses, 'addr.json');
  for (const dump of routes) parseIpRoute(host, dump, 'route.json');
  return host;
}

function rulesOf({ rules }: Recorded): Ruleset {
  const ruleset = new Ruleset();
  const errors = ruleset.load({ name: 'rules', text: rules });
  if (errors.length > 0) throw new Error(String(errors[0]));
  return ruleset;
}

/** Addresses that the router sends errors from. */
const ROUTERS: readonly string[] = [
  'c0000201',
  'c6336401',
  '20010db8000100000000000000000001',
  '20010db8000200000000000000000001',
];

/** The same packet without what the kernel draws at random where it sends one itself: IP id, flow label. */
function withoutChance(packet: Uint8Array): Uint8Array {
  const isIpv4 = packet[0]! >> 4 === 4;
  const source = Buffer.from(packet.subarray(isIpv4 ? 12 : 8, isIpv4 ? 16 : 24)).toString('hex');
  const proto = packet[isIpv4 ? 9 : 6]!;
  if (!ROUTERS.includes(source) || (proto !== 1 && proto !== 58)) return packet;
  const bytes = packet.slice();
  // With the id goes the header's checksum.
  if (isIpv4) for (const at of [4, 5, 10, 11]) bytes[at] = 0;
  else for (const at of [1, 2, 3]) bytes[at] = 0;
  return bytes;
}

/** A packet that left, as text that tells two apart: device, what it is, its bytes. */
function shown(device: string, packet: Uint8Array): string {
  const bytes = withoutChance(packet);
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  return `${device} ${packetText(pkt)} ${Buffer.from(bytes).toString('hex')}`;
}

/** The IP packet of a frame, without what pads short frames. */
function packetOf({ frame }: Crossing): Uint8Array {
  const isIpv4 = frame[12] === 0x08;
  const at = ETHERNET_HEADER;
  const length = isIpv4
    ? (frame[at + 2]! << 8) | frame[at + 3]!
    : 40 + ((frame[at + 4]! << 8) | frame[at + 5]!);
  return frame.slice(at, at + length);
}

/** What keepstate makes of a recording. */
export class Replayed {
  readonly firewall: Firewall;
  /** Every packet that left, as {@link shown} writes it. */
  readonly left: string[] = [];

  constructor(recorded: Recorded) {
    const host = hostOf(recorded);
    this.firewall = new Firewall({ host, rules: rulesOf(recorded).tables() });
    this.firewall.wantsBytes = true;
    const pkt = new Packet();
    for (const { device, at, frame } of recorded.entered) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
      resetPacket(pkt, frame, view, 0, frame.length);
      pkt.ifin = host.deviceNamed(device)!.index;
      this.firewall.receive(pkt, DLT_EN10MB, at);
      const { outcome } = this.firewall;
      const name = (index: number): string => host.device(index)?.name ?? '-';
      for (const bytes of outcome.out) this.left.push(shown(name(outcome.ifout), bytes));
      for (const answer of outcome.answers)
        if (answer.left) this.left.push(shown(name(answer.ifout), answer.bytes));
    }
  }

  /** Packets that only the kernel (`-`) or only keepstate (`+`) sent on, or more often. */
  differences(recorded: Recorded): string[] {
    const count = new Map<string, number>();
    for (const crossing of recorded.left) {
      const text = shown(crossing.device, packetOf(crossing));
      count.set(text, (count.get(text) ?? 0) + 1);
    }
    for (const text of this.left) count.set(text, (count.get(text) ?? 0) - 1);
    return [...count].filter(([, n]) => n !== 0).map(([text, n]) => `${n > 0 ? '-' : '+'} ${text}`);
  }

  /** The table as `conntrack -L` prints it, in any order, without timeouts and references. */
  table(): string[] {
    const lines: string[] = [];
    const { conntrack } = this.firewall;
    conntrack.eachFlow((flow) => lines.push(conntrackLine(readFlow(conntrack, flow), conntrack.now)));
    return lines.map(withoutTime).sort();
  }
}

/** A line of `conntrack -L` without what depends on the moment. */
export function withoutTime(line: string): string {
  return line
    .replace(/^(\S+ +\d+) \d+ /, '$1 ')
    .replace(/ use=\d+.*/, '')
    .trim();
}
