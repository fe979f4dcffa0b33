// Help for the tests beside it (a .mts file is in neither the engine's build nor vitest's list): packets through a
// firewall, whole or held between tracking and confirmation, with a note of every event.
import { reasonOf } from '../base/reason.ts';
import { Firewall } from '../hook/firewall.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { dissect } from '../packet/dissect.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import { type FlowRecord, readFlow } from './flow-record.ts';
import { LINUX_6_18, type Profile } from './profile.ts';
import { Settings } from './settings.ts';

const BITS = ['NEW', 'RELATED', 'DESTROY', 'REPLY', 'ASSURED', 'PROTOINFO', 'HELPER', 'MARK'];

/** One event: its bits by name, when, why, and what could be read of the flow during it. */
export interface Noted {
  readonly bits: string;
  readonly at: number;
  readonly reason: string;
  readonly flow: FlowRecord;
}

/** A firewall with a clock; time passes when a test says so. */
export class Wire {
  readonly firewall: Firewall;
  readonly ct: Conntrack;
  readonly events: Noted[] = [];
  now = 1_000_000;

  constructor(sysctls: Readonly<Record<string, number>> = {}, profile: Profile = LINUX_6_18) {
    const settings = new Settings(profile);
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    this.firewall = new Firewall({ settings, sink: this });
    this.ct = this.firewall.conntrack;
  }

  event(flow: number, events: number, at: number, reason: number): void {
    const bits = BITS.filter((_, bit) => (events & (1 << bit)) !== 0).join(' ');
    const why = reason === 0 ? '' : reasonOf(reason).name;
    this.events.push({ bits, at, reason: why, flow: readFlow(this.ct, flow) });
  }

  /** The events since the last call, as `bits at reason`; the moment counted from the start. */
  told(): string[] {
    const told = this.events.map(({ bits, at, reason }) => `${bits} ${at - 1_000_000} ${reason}`.trim());
    this.events.length = 0;
    return told;
  }

  /** A packet's whole way. */
  receive(bytes: Uint8Array): Packet {
    const pkt = packetOf(bytes);
    pkt.time = this.now;
    this.firewall.receive(pkt, DLT_RAW);
    return pkt;
  }

  /** Only the way up to tracking: the packet is under way, confirm() or abandon() ends it. */
  track(bytes: Uint8Array): Packet {
    const pkt = packetOf(bytes);
    dissect(pkt);
    pkt.time = this.now;
    this.ct.track(pkt);
    return pkt;
  }

  /** Lets so many ms pass. */
  wait(ms: number): void {
    this.now += ms;
    this.firewall.tick(this.now);
  }

  /** Every flow in the table. */
  flows(): FlowRecord[] {
    const flows: FlowRecord[] = [];
    this.ct.eachFlow((flow) => flows.push(readFlow(this.ct, flow)));
    return flows;
  }
}

/** A packet over bytes from their IP header on. */
export function packetOf(bytes: Uint8Array): Packet {
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
  return pkt;
}

/** UDP from the client, or with `back` the answer; the port tells flows apart. */
export function udp(port: number, back = false): Uint8Array {
  return back
    ? udpPacket({ src: '10.1.0.1', dst: '10.0.0.1', sport: 53, dport: port, payload: 4 })
    : udpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: port, dport: 53, payload: 4 });
}

/** The same over IPv6. */
export function udp6(port: number, back = false): Uint8Array {
  return back
    ? udpPacket({ src: 'fd00::2', dst: 'fd00::1', sport: 53, dport: port })
    : udpPacket({ src: 'fd00::1', dst: 'fd00::2', sport: port, dport: 53 });
}

/** TCP with these TH_* flags, likewise. */
export function tcp(port: number, flags: number, back = false): Uint8Array {
  return back
    ? tcpPacket({ src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: port, flags, seq: 500, ack: 101 })
    : tcpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: port, dport: 80, flags, seq: 100, ack: 501 });
}

/** A UDP flow that is ASSURED. */
export function stream(wire: Wire, port: number): void {
  wire.receive(udp(port));
  wire.receive(udp(port, true));
  wire.wait(2001);
  wire.receive(udp(port));
}
