/**
 * Measures what a full table does (about 15 s, and the entries slow down listings in the whole machine meanwhile):
 * node --conditions=keepstate-source --import tsx tests/kernel/clash-full-table.ts unassured|assured|mixed
 *
 * unassured: every entry may be evicted. assured: none. mixed: one in twenty; tells how far early drop looks.
 */
import { readFileSync } from 'node:fs';
import { VERDICTS } from './codes.ts';
import { EventReader } from './ctnetlink.ts';
import { readPacket, writePacket } from './libc.ts';
import { Namespace } from './namespace.ts';
import { eachAttribute, message, NetlinkSocket, NLM_F_DUMP } from './netlink.ts';
import { ACK, icmp, ip, SYN, tcp, udp } from './packets.ts';

const PROC = '/proc/sys/net/netfilter';
const CLIENT = '10.0.0.1';
const SERVER = '10.1.0.1';
const UDPLITE = 136;
const TRIES = 20;
const NAMES: ReadonlyMap<number, string> = new Map([
  [4, 'invalid'],
  [10, 'drop'],
  [11, 'early_drop'],
  [12, 'error'],
]);

const max = Number(readFileSync(`${PROC}/nf_conntrack_max`, 'latin1'));
const namespace = new Namespace({
  // events=1: entries made before anybody listens have events too
  sysctls: { nf_conntrack_events: 1, nf_conntrack_udp_timeout: 200, nf_conntrack_checksum: 0 },
  stages: true,
});
const asking = new NetlinkSocket();
const buffer = new Uint8Array(1 << 17);
let counted: ReadonlyMap<string, number> = new Map();
let fresh = 0;

function count(): number {
  return Number(readFileSync(`${PROC}/nf_conntrack_count`, 'latin1'));
}

/** Writes a packet; true if it left. */
function send(bytes: Uint8Array): boolean {
  writePacket(namespace.input, bytes);
  namespace.log.read();
  let left = false;
  while (readPacket(namespace.output, buffer) >= 0) left = true;
  return left;
}

/** Increase of the statistics since the last call. */
function statistics(): Record<string, number> {
  const sums = new Map<string, number>();
  asking.dump(message(1, 4, NLM_F_DUMP, 0, 0), 'read statistics', (received) => {
    eachAttribute(received.buffer, received.from, received.to, (type, at) => {
      const name = NAMES.get(type);
      if (name) sums.set(name, (sums.get(name) ?? 0) + received.buffer.readUInt32BE(at));
    });
  });
  const more = [...sums].map(([name, sum]) => [name, sum - (counted.get(name) ?? 0)] as const);
  counted = sums;
  return Object.fromEntries(more.filter(([, increase]) => increase > 0));
}

/** A UDP-Lite entry; it becomes ASSURED with its third packet, without UDP's two seconds. */
function entry(number: number, assured: boolean): void {
  const ports = [number & 0xffff, 1 + (number >>> 16)] as const;
  const packet = (src: string, dst: string, sport: number, dport: number): Buffer => {
    const body = Buffer.alloc(8);
    body.writeUInt16BE(sport, 0);
    body.writeUInt16BE(dport, 2);
    body.writeUInt16BE(1, 6);
    return ip(src, dst, UDPLITE, body);
  };
  const request = packet(CLIENT, SERVER, ...ports);
  send(request);
  if (!assured) return;
  send(packet(SERVER, CLIENT, ports[1], ports[0]));
  send(request);
}

function fillUp(assured: boolean): void {
  while (count() < max) entry(max + fresh++, assured);
}

const PROBES: Readonly<Record<string, (i: number) => Uint8Array>> = {
  'new UDP flow': (i) => udp('10.8.0.1', 2000 + i, SERVER, 53),
  'lone SYN/ACK': (i) => tcp('10.8.0.1', 2000 + i, SERVER, 80, SYN | ACK, 1, 1),
  'TCP without flags': (i) => tcp('10.8.0.2', 2000 + i, SERVER, 80, 0, 1, 1),
  'lone echo reply': (i) => icmp('10.8.0.1', SERVER, 0, 0, i << 16, Buffer.alloc(4)),
  'ICMP type that nothing answers': () => icmp('10.8.0.1', SERVER, 9, 0, 1, Buffer.alloc(4)),
  'unknown ICMP type': () => icmp('10.8.0.1', SERVER, 30, 0, 1, Buffer.alloc(4)),
  'known flow': () => udp(CLIENT, 60_000, SERVER, 1),
};

/** What becomes of packets while there is no room, each alike in one line. */
function probe(assured: boolean): void {
  const events = new EventReader();
  for (const [name, make] of Object.entries(PROBES)) {
    const lines = new Map<string, number>();
    for (let i = 0; i < TRIES; i++) {
      fillUp(assured);
      events.drain(() => {});
      statistics();
      const left = send(make(i));
      const verdict = VERDICTS[namespace.log.code]!.state ?? 'dropped in conntrack';
      const told: string[] = [];
      events.drain((type) => told.push(type));
      const line = `${verdict}${left ? '' : ', did not leave'} ${JSON.stringify(statistics())} ${told.join(' ')}`;
      lines.set(line, (lines.get(line) ?? 0) + 1);
    }
    console.log(`${name} (count ${count()})`);
    for (const [line, times] of lines) console.log(`  ${times}x ${line}`);
  }
  events.close();
}

/** How many entries early drop looks at, from how often it finds one among ASSURED ones. */
function reach(every: number): void {
  const tries = 2000;
  let found = 0;
  statistics();
  for (let i = 0; i < tries; i++) {
    fillUp(true);
    send(tcp(`10.8.${i >> 8}.${i & 255}`, 2000 + i, SERVER, 80, SYN | ACK, 1, 1));
    if ((statistics().early_drop ?? 0) > 0) found++;
  }
  const entries = -Math.log(1 - found / tries) * every;
  console.log(`${found} of ${tries} found room: looks at ${entries.toFixed(1)} entries`);
}

const mode = process.argv[2];
if (mode !== 'unassured' && mode !== 'assured' && mode !== 'mixed') throw new Error('which?');
send(PROBES['known flow']!(0));
for (let i = 0; count() < max; i++) entry(i, mode === 'assured' || (mode === 'mixed' && i % 20 !== 0));
console.log(`filled: ${count()} of ${max}`);
if (mode === 'mixed') reach(20);
else probe(mode === 'assured');
namespace.table.flush();
process.exit(0);
