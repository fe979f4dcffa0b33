/** A gateway in a program: frames of a sandboxed guest in, what may leave out, and the answers back. */
import { readFileSync } from 'node:fs';
import {
  DLT_RAW,
  dissect,
  enterLink,
  Firewall,
  type HostModel,
  Packet,
  packetText,
  parseHostFile,
  Ruleset,
  setPacket,
  TH_SYN,
  tcpPacket,
  udpPacket,
} from '@keepstate/engine';

/** A firewall between two devices that bring IP packets as byte arrays. */
export class Gateway {
  readonly host: HostModel;
  private readonly firewall: Firewall;
  private readonly pkt: Packet = new Packet();

  /** @param rules in any of the languages, `host` as docs/rules.md describes it */
  constructor(rules: string, host: string) {
    this.host = parseHostFile(host, 'host.yaml');
    const ruleset = new Ruleset();
    for (const error of ruleset.load({ name: 'rules.nft', text: rules })) throw error;
    this.firewall = new Firewall({ host: this.host, rules: ruleset.tables() });
    // What is accepted shall stand in the packet as it leaves: translated, its hop limit taken.
    this.firewall.inPlace = true;
  }

  /**
   * Takes a packet that came by a device.
   * @param now milliseconds, of any clock that does not run backwards
   * @param send is called for every packet that leaves, with the device's name; the bytes are only valid within
   */
  receive(
    device: string,
    bytes: Uint8Array,
    now: number,
    send: (to: string, packet: Uint8Array) => void,
  ): string {
    const { pkt, firewall } = this;
    setPacket(pkt, bytes);
    pkt.ifin = this.host.deviceNamed(device)!.index;
    firewall.receive(pkt, DLT_RAW, now);
    const { outcome } = firewall;
    const name = (index: number): string => this.host.device(index)!.name;
    if (outcome.verdict === 'accept' && pkt.ifout !== 0) {
      if (outcome.out.length === 0) send(name(pkt.ifout), pkt.bytes.subarray(pkt.off, pkt.end));
      // It was too long for its next link, or came in fragments.
      for (const piece of outcome.out) send(name(pkt.ifout), piece);
    }
    for (const answer of outcome.answers) if (answer.left) send(name(answer.ifout), answer.bytes);
    return outcome.verdict;
  }
}

const GUEST = '10.0.2.15';
/** Who sends what, in order. */
const TRAFFIC: readonly (readonly [device: string, packet: Uint8Array])[] = [
  ['guest', udpPacket({ src: GUEST, dst: '192.0.2.53', sport: 5353, dport: 53 })],
  ['uplink', udpPacket({ src: '192.0.2.53', dst: '203.0.113.9', sport: 53, dport: 5353 })],
  ['guest', tcpPacket({ src: GUEST, dst: '198.51.100.1', sport: 40000, dport: 443, flags: TH_SYN, seq: 1 })],
  ['guest', tcpPacket({ src: GUEST, dst: '198.51.100.1', sport: 40001, dport: 25, flags: TH_SYN, seq: 1 })],
  ['uplink', tcpPacket({ src: '198.51.100.1', dst: GUEST, sport: 443, dport: 22, flags: TH_SYN, seq: 1 })],
];

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** One line of a packet's text. */
function textOf(bytes: Uint8Array): string {
  const pkt = new Packet();
  setPacket(pkt, bytes);
  return enterLink(pkt, DLT_RAW) && dissect(pkt) ? packetText(pkt) : 'no packet';
}

/** What becomes of the traffic, as lines. */
export function report(): string {
  const gateway = new Gateway(read('rules.nft'), read('host.yaml'));
  const lines: string[] = [];
  TRAFFIC.forEach(([device, packet], i) => {
    lines.push(`from ${device}: ${textOf(packet)}`);
    const sent: string[] = [];
    const verdict = gateway.receive(device, packet, 1000 + i * 10, (to, bytes) => {
      sent.push(`  to ${to}: ${textOf(bytes.slice())}`);
    });
    lines.push(`  ${verdict}`, ...sent);
  });
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').pop()!))
  process.stdout.write(report());
