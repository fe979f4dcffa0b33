/** Plays an rsh session through a gateway that masquerades, without the helper and with it. */
import { readFileSync } from 'node:fs';
import {
  DLT_RAW,
  Firewall,
  type Helper,
  IPPROTO_TCP,
  Packet,
  packetText,
  parseHostFile,
  Ruleset,
  readFlow,
  setPacket,
  TH_ACK,
  TH_SYN,
  tcpPacket,
} from '@keepstate/engine';
import { RSH_HELPER } from './rsh.ts';

const HERE = new URL('.', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, HERE), 'utf8');
}

const CLIENT = { src: '10.0.0.7', dst: '198.51.100.1', sport: 1023, dport: 514 };
const SERVER = { src: '198.51.100.1', dst: '203.0.113.1', sport: 514, dport: 1023 };
const ERRORS = { src: '198.51.100.1', dst: '203.0.113.1', sport: 1022, dport: 1020 };

/** Who sends what. */
const SESSION: readonly (readonly [device: string, bytes: Uint8Array])[] = [
  ['lan', tcpPacket({ ...CLIENT, flags: TH_SYN, seq: 100 })],
  ['wan', tcpPacket({ ...SERVER, flags: TH_SYN | TH_ACK, seq: 500, ack: 101 })],
  ['lan', tcpPacket({ ...CLIENT, flags: TH_ACK, seq: 101, ack: 501 })],
  [
    'lan',
    tcpPacket({ ...CLIENT, flags: TH_ACK, seq: 101, ack: 501, payload: new TextEncoder().encode('1020\0') }),
  ],
  ['wan', tcpPacket({ ...ERRORS, flags: TH_SYN, seq: 900 })],
];

/** What becomes of each packet, and the flows there are in the end, as lines. */
export function play(helpers: readonly Helper[]): string[] {
  const host = parseHostFile(read('host.yaml'), 'host.yaml');
  const rules = new Ruleset({ helpers: [RSH_HELPER] });
  for (const error of rules.load({ name: 'rules.nft', text: read('rules.nft') })) throw error;
  const firewall = new Firewall({ host, rules: rules.tables(), helpers });
  const pkt = new Packet();
  const lines = SESSION.map(([device, bytes], i) => {
    setPacket(pkt, bytes);
    pkt.ifin = host.deviceNamed(device)!.index;
    firewall.receive(pkt, DLT_RAW, i * 10);
    // The packet is as it leaves: translated.
    return `${firewall.outcome.verdict.padEnd(7)}${packetText(pkt)}`;
  });
  const { conntrack } = firewall;
  conntrack.eachFlow((flow) => {
    const { original, reply, protonum, master, helper } = readFlow(conntrack, flow);
    if (protonum !== IPPROTO_TCP) return;
    const end = (address: string, port: number | undefined): string => `${address}:${port}`;
    const ways = [original, reply].map((t) => `${end(t.src, t.sport)} > ${end(t.dst, t.dport)}`);
    const notes = `${helper === null ? '' : ` helper ${helper}`}${master === null ? '' : ' expected'}`;
    lines.push(`flow ${ways.join(', answers ')}${notes}`);
  });
  return lines;
}

/** The whole output. */
export function report(): string {
  return ['Without the helper:', ...play([]), '', 'With it:', ...play([RSH_HELPER]), ''].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').pop()!))
  process.stdout.write(report());
