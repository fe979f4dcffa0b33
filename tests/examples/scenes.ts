/** The examples that the classic and today's documents explain, packet by packet. */
import { icmpErrorPacket, udpPacket } from '../../engine/packet/build.ts';
import type { Scene } from './scene.ts';

/** The machine with the rules, where it is no gateway. */
export const HOST = '192.0.2.10';
/** Somebody on the internet. */
export const PEER = '198.51.100.80';
/** Somebody else. */
export const STRANGER = '203.0.113.66';
/** A machine behind the gateway. */
export const INSIDE = '10.0.0.7';

function statefulClient(s: Scene): void {
  const c = s.tcp(HOST, 40000, PEER, 80);
  c.open();
  c.exchange();
  c.close();
  s.tcp(PEER, 50000, HOST, 22).client(
    'S',
    0,
    'drop',
    'a server opens a connection to the client: NEW comes in',
  );
  s.tcp(HOST, 40001, PEER, 81).server('SA', 0, 'drop', 'a SYN/ACK to nothing: INVALID');
  s.tcp(STRANGER, 50001, HOST, 40000).client(
    'A',
    0,
    'drop',
    'an ACK that belongs to nothing: NEW without SYN',
  );
  s.icmp(HOST, PEER, 8, 7, 'drop', 'the client may not ping');
}

function statefulUdp(s: Scene): void {
  s.udp(HOST, 40000, PEER, 53, 'accept', 'a question: NEW');
  s.udp(PEER, 53, HOST, 40000, 'accept', 'its answer: ESTABLISHED');
  s.udp(STRANGER, 53, HOST, 40000, 'drop', 'an answer of somebody who was not asked');
  s.udp(HOST, 40001, PEER, 5060, 'accept', 'a phone registers');
  s.wait(31);
  s.udp(PEER, 5060, HOST, 40001, 'drop', 'the call comes after the entry ran out: NEW again');
  s.udp(HOST, 40001, PEER, 5060, 'accept', 'the phone speaks up again');
  s.udp(PEER, 5060, HOST, 40001, 'accept', 'and can be called');
}

/** Request type, reply type and name of the four pairs. */
const PAIRS = [
  [8, 0, 'echo'],
  [13, 14, 'timestamp'],
  [15, 16, 'information'],
  [17, 18, 'address mask'],
] as const;

function icmpRequests(s: Scene): void {
  for (const [request, reply, name] of PAIRS) {
    s.icmp(HOST, PEER, request, 7, 'accept', `${name} request: NEW`);
    s.icmp(PEER, HOST, reply, 7, 'accept', `${name} reply: ESTABLISHED`);
    s.icmp(PEER, HOST, reply, 8, 'drop', `${name} reply to nothing: INVALID`);
    s.icmp(PEER, HOST, request, 9, 'drop', `${name} request from outside: NEW`);
  }
  const question = udpPacket({
    src: HOST,
    dst: PEER,
    sport: 40000,
    dport: 33434,
    payload: 12,
    ip: { id: 900 },
  });
  s.packet(question, 'accept', 'a datagram to a closed port: NEW');
  s.packet(
    icmpErrorPacket({ src: PEER, type: 3, code: 3, quoted: question, ip: { id: 901 } }),
    'accept',
    'port unreachable: RELATED',
  );
  const never = udpPacket({ src: HOST, dst: PEER, sport: 40001, dport: 33435, payload: 12, ip: { id: 902 } });
  s.packet(
    icmpErrorPacket({ src: PEER, type: 3, code: 3, quoted: never, ip: { id: 903 } }),
    'drop',
    'port unreachable about a datagram that was never sent: INVALID',
  );
}

function gateway(s: Scene): void {
  const c = s.tcp(INSIDE, 40000, PEER, 443);
  c.open();
  c.exchange();
  s.udp(INSIDE, 40000, PEER, 53, 'accept', 'a question from inside');
  s.udp(PEER, 53, INSIDE, 40000, 'accept', 'its answer');
  s.tcp(STRANGER, 50000, INSIDE, 22).client('S', 0, 'drop', 'a connection from outside: NEW');
  s.tcp(STRANGER, 50001, INSIDE, 443).server('SA', 0, 'drop', 'a SYN/ACK that leads nowhere: INVALID');
  c.close();
}

function newNotSyn(s: Scene): void {
  const c = s.tcp(PEER, 40000, HOST, 80);
  c.open();
  c.exchange();
  s.tcp(STRANGER, 50000, HOST, 80).client('A', 0, 'drop', 'NEW, but no SYN');
  s.tcp(STRANGER, 50001, HOST, 80).client('PA', 50, 'drop', 'NEW with data, but no SYN');
  s.tcp(STRANGER, 50002, HOST, 80).client('FA', 0, 'drop', 'FIN/ACK out of nowhere: INVALID');
  s.tcp(STRANGER, 50003, HOST, 80).client('S', 0, 'accept', 'a SYN may open a connection');
  s.tcp(STRANGER, 50004, HOST, 81).client('S', 0, 'drop', 'but not to this port');
}

function modern(s: Scene): void {
  const c = s.tcp(PEER, 40000, HOST, 443);
  c.open();
  c.exchange();
  s.tcp(PEER, 40001, HOST, 8080).client('S', 0, 'drop', 'a port that is not open');
  s.icmp(PEER, HOST, 8, 7, 'accept', 'a ping');
  s.icmp(HOST, PEER, 0, 7, 'accept', 'its reply');
  s.tcp(STRANGER, 50000, HOST, 443).client('SF', 0, 'drop', 'SYN with FIN: INVALID');
  const own = s.tcp(HOST, 41000, PEER, 25);
  own.open();
  own.close();
  c.close();
}

function sshOnly(s: Scene): void {
  const c = s.tcp(PEER, 40000, HOST, 22);
  c.open();
  c.exchange();
  s.tcp(PEER, 40001, HOST, 80).client('S', 0, 'reject', 'no web server here: answered by a reset');
  s.udp(PEER, 40000, HOST, 161, 'reject', 'nor SNMP: answered by port unreachable');
  s.udp(HOST, 40000, PEER, 123, 'accept', 'the server asks for the time');
  s.udp(PEER, 123, HOST, 40000, 'accept', 'and gets it');
  c.close();
}

function knock(s: Scene, from: string, port: number): void {
  s.tcp(from, 45000, HOST, port).client('S', 0, 'drop', `a knock at ${port}`);
}

function portKnocking(s: Scene): void {
  s.tcp(PEER, 40000, HOST, 22).client('S', 0, 'drop', 'without knocking');
  for (const port of [7000, 8000, 9000]) knock(s, PEER, port);
  s.tcp(STRANGER, 40000, HOST, 22).client('S', 0, 'drop', 'another host has not knocked');
  const c = s.tcp(PEER, 40001, HOST, 22);
  c.open();
  c.exchange();
  for (const port of [7000, 9000, 8000]) knock(s, STRANGER, port);
  s.tcp(STRANGER, 40001, HOST, 22).client('S', 0, 'drop', 'the wrong order');
  s.wait(60);
  s.tcp(PEER, 40002, HOST, 22).client('S', 0, 'drop', 'too long after the last knock');
  c.client('PA', 30, 'accept', 'the open session goes on');
}

function rateLimit(s: Scene): void {
  for (let i = 1; i <= 7; i++) {
    s.icmp(PEER, HOST, 8, 10 + i, i <= 5 ? 'accept' : 'drop', `ping ${i} at once: a burst of five passes`);
  }
  s.wait(1.2);
  s.icmp(PEER, HOST, 8, 20, 'accept', 'one more a second later');
  s.icmp(PEER, HOST, 8, 21, 'drop', 'but only one');
  for (let i = 1; i <= 5; i++) {
    const c = s.tcp(STRANGER, 50000 + i, HOST, 22);
    c.client('S', 0, i <= 3 ? 'accept' : 'drop', `attempt ${i} to log in: three a minute pass`);
  }
  s.tcp(PEER, 40000, HOST, 22).client('S', 0, 'accept', 'another host has its own count');
}

/** Containers behind docker0 and behind br-app. */
const WEB = '172.17.0.2';
const APP = '172.18.0.3';

function dockerHost(s: Scene): void {
  s.tcp(WEB, 40000, PEER, 443).client('S', 0, 'accept', 'a container opens a connection to the outside');
  s.tcp(APP, 40000, WEB, 5432).client('S', 0, 'drop', 'a container reaches for one behind the other bridge');
  s.tcp(WEB, 40001, APP, 22).client('S', 0, 'drop', 'and the other way round');
  s.tcp(STRANGER, 50000, WEB, 80).client(
    'S',
    0,
    'accept',
    'from outside to the published port, routed directly',
  );
  s.tcp(STRANGER, 50001, WEB, 22).client('S', 0, 'drop', 'to another port of the same container');
  s.tcp(STRANGER, 50002, APP, 80).client('S', 0, 'drop', 'to a container that publishes nothing');
  s.tcp(STRANGER, 50003, HOST, 22).client('S', 0, 'accept', 'to the host itself, where nothing is filtered');
}

/** A pod of this node, one of another node, the node of the client, and a service without endpoints. */
const POD = '10.244.1.5';
const FAR_POD = '10.244.2.6';
const EMPTY_SERVICE = '10.96.80.9';

function kubernetesNode(s: Scene): void {
  const c = s.tcp(FAR_POD, 40000, POD, 8080);
  c.open();
  c.exchange();
  s.tcp(POD, 40000, EMPTY_SERVICE, 80).client('S', 0, 'reject', 'a service without endpoints');
  s.tcp(HOST, 40000, EMPTY_SERVICE, 80).client('S', 0, 'reject', 'the same from the node itself');
  s.tcp(STRANGER, 50000, HOST, 30080).client('S', 0, 'reject', 'its node port from outside');
  s.tcp(STRANGER, 50001, POD, 8080).server('SA', 0, 'drop', 'a SYN/ACK to nothing: INVALID');
  s.udp(POD, 40000, FAR_POD, 53, 'accept', 'pods talk to each other');
  s.tcp(STRANGER, 50002, HOST, 22).client('S', 0, 'accept', 'the node itself is not filtered');
  c.close();
}

function ufwDefaults(s: Scene): void {
  const c = s.tcp(STRANGER, 40000, HOST, 443);
  c.open();
  c.exchange();
  s.icmp(STRANGER, HOST, 8, 7, 'accept', 'a ping');
  s.tcp(STRANGER, 40001, HOST, 8080).client('S', 0, 'drop', 'a port that is not open: dropped and logged');
  s.tcp(STRANGER, 40002, HOST, 113).client('S', 0, 'reject', 'ident is answered by a reset');
  s.tcp(HOST, 40003, STRANGER, 80).server('SA', 0, 'drop', 'a SYN/ACK to nothing: INVALID');
  s.udp(STRANGER, 137, '192.0.2.255', 137, 'drop', 'NetBIOS to everybody');
  for (let i = 1; i <= 6; i++) {
    const says = `connection ${i} to ssh: five in half a minute pass`;
    s.tcp(PEER, 41000 + i, HOST, 22).client('S', 0, i <= 5 ? 'accept' : 'reject', says);
  }
  const own = s.tcp(HOST, 42000, PEER, 25);
  own.open();
  own.close();
  c.close();
}

/** A machine in the house, and the router as the house sees it. */
const HOME = '192.168.1.7';
const ROUTER = '192.168.1.1';

function openwrt(s: Scene): void {
  s.tcp(HOME, 40000, PEER, 443).client('S', 0, 'accept', 'the house opens a connection to the internet');
  s.udp(HOME, 40000, ROUTER, 53, 'accept', 'and asks the router for a name');
  s.udp(ROUTER, 53, HOME, 40000, 'accept', 'which answers');
  s.icmp(STRANGER, HOST, 8, 7, 'accept', 'the internet may ping the router');
  s.tcp(STRANGER, 50000, HOST, 22).client('S', 0, 'reject', 'but not log in: answered by a reset');
  s.udp(STRANGER, 50000, HOST, 161, 'reject', 'nor ask for anything: answered by port unreachable');
  s.udp(STRANGER, 67, HOST, 68, 'accept', 'DHCP of the provider');
  s.tcp(STRANGER, 50001, HOME, 80).client('S', 0, 'reject', 'nor get into the house');
  s.udp(STRANGER, 500, HOME, 500, 'accept', 'but for key exchange of IPsec');
}

/** Every example of this file: the folder under examples/, and what happens in it. */
export const SCENES: Readonly<Record<string, (scene: Scene) => void>> = {
  'stateful-client': statefulClient,
  'stateful-udp': statefulUdp,
  'icmp-requests': icmpRequests,
  gateway,
  'new-not-syn': newNotSyn,
  'established-related': modern,
  'ssh-only': sshOnly,
  'port-knocking': portKnocking,
  'rate-limit': rateLimit,
  'docker-host': dockerHost,
  'kubernetes-node': kubernetesNode,
  'ufw-defaults': ufwDefaults,
  openwrt,
};
