/**
 * The classic system's facts (`classic: TOPIC: …`), each on the profiles that it concerns. Facts that need what
 * keepstate has not got yet:
 *
 * | Fact | Waits for |
 * |---|---|
 * | tracking happens in PREROUTING for what is forwarded or received, in OUTPUT for what the machine sends | hooks |
 * | PREROUTING (DNAT, mangle), FORWARD (filter), POSTROUTING (SNAT): the way of a forwarded packet | hooks, NAT |
 * | rules should drop what is INVALID | rules |
 * | an entry lets nothing through by itself: with all rules turned to deny, tracked connections stop | rules |
 * | `! --syn -m state --state NEW -j DROP` stops what does not begin with SYN, and sessions that were idle too long | iptables |
 * | a rule set that lets only ESTABLISHED in drops the answer that came too late (UDP) | rules |
 * | an ICMP reply cannot leave through a chain that lets only NEW and RELATED out: the chain's half | rules |
 * | FTP: active, passive, without the helper, the three example rule sets | FTP helper, rules |
 * | `-m state`, `-m conntrack --ctstate`, `--syn`, chains with policies; nftables' `ct state` | iptables, nft |
 * | `conntrack -L -p udp --dport 5060`, `conntrack -D …`; `conntrack -E` as a command | conntrack command |
 * | 8184 entries at 128 MB: a default made from the memory (here: the limit is set) | nothing: there is no machine to ask |
 */
import { describe, expect, test } from 'vitest';
import { icmpErrorPacket, icmpPacket, tcpPacket, udpPacket } from '../../engine/packet/build.ts';
import { fragmentIpv4 } from '../../engine/packet/build-fragment.ts';
import { CLASSIC, EVERY, Host, on, TODAY, WINDOW } from './host.ts';
import { CLIENT, SERVER, TcpTalk, UdpTalk } from './talk.ts';

describe.each(EVERY)('%s', (_name, profile) => {
  test('classic: tracking: an entry holds both socket pairs, the protocol, its state and the time left', () => {
    const host = new Host(profile);
    new TcpTalk(host, 1025, 80).client('S');
    host.wait(20);
    expect(host.flow()).toMatchObject({
      protocol: 'tcp',
      state: 'SYN_SENT',
      timeout: 100_000,
      original: { src: CLIENT, dst: SERVER, sport: 1025, dport: 80 },
      reply: { src: SERVER, dst: CLIENT, sport: 80, dport: 1025 },
    });
  });

  test('classic: tracking: rules see four states: NEW, ESTABLISHED, RELATED, INVALID', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    expect(talk.client()).toBe('NEW');
    expect(talk.server()).toBe('ESTABLISHED');
    const unreachable = { src: SERVER, type: 3, code: 3, quoted: talk.datagram(0) };
    expect(host.send(icmpErrorPacket(unreachable))).toBe('RELATED');
    expect(host.send(icmpPacket({ src: SERVER, dst: CLIENT, type: 0, id: 99 }))).toBe('INVALID');
  });

  test('classic: tracking: the SYN/ACK that answers a SYN is ESTABLISHED, before the handshake is done', () => {
    const host = new Host(profile);
    const talk = new TcpTalk(host);
    talk.client('S');
    expect(talk.server('SA')).toBe('ESTABLISHED');
    expect(host.flow().state).toBe('SYN_RECV');
  });

  test('classic: tracking: fragments are put together first: only the whole datagram has a state', () => {
    const host = new Host(profile);
    const [first, second, last] = fragmentIpv4(new UdpTalk(host).datagram(0, 100), 40);
    expect(host.send(first!)).toBe('held');
    expect(host.send(last!)).toBe('held');
    expect(host.flows()).toEqual([]);
    expect(host.send(second!)).toBe('NEW');
    expect(host.flow().original).toEqual({ src: CLIENT, dst: SERVER, sport: 1026, dport: 53 });
  });

  test('classic: tracking: an entry is made only when the first packet is let through', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    expect(host.refuse(talk.datagram(0))).toBe('NEW');
    expect(host.flows()).toEqual([]);
    expect(host.send(talk.datagram(1))).toBe('NEW');
    expect(host.flow().original.src).toBe(SERVER);
  });

  test('classic: tracking: a refused packet of a known connection leaves its entry alone', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    talk.client();
    expect(host.refuse(talk.datagram(1))).toBe('ESTABLISHED');
    expect(host.flows()).toHaveLength(1);
  });

  test('classic: tracking: each packet sets the timer back, and nothing ends while traffic flows', () => {
    const host = new Host(profile);
    const talk = new UdpTalk(host);
    talk.client();
    const id = host.flow().flowId;
    for (let i = 0; i < 3000; i++) {
      host.wait(29);
      expect(talk.client()).toBe('NEW');
    }
    expect(host.flow().flowId).toBe(id);
    expect(host.left()).toBe(30);
  });

  test('classic: tracking: an entry is gone as soon as its time has run out', () => {
    const host = new Host(profile);
    new UdpTalk(host).client();
    host.wait(29.999);
    expect(host.flows()).toHaveLength(1);
    host.wait(0.001);
    expect(host.flows()).toEqual([]);
  });

  test('classic: tracking: ip_conntrack_max limits the table', () => {
    const host = new Host(profile, { '/proc/sys/net/ipv4/ip_conntrack_max': 8184 });
    for (let port = 1; port <= 8200; port++) new UdpTalk(host, port).client();
    expect(host.flows()).toHaveLength(8184);
  });

  test('classic: tracking: limits and timeouts are set by their names in the proc file system', () => {
    const host = new Host(profile, {
      '/proc/sys/net/ipv4/ip_conntrack_max': 1,
      '/proc/sys/net/ipv4/netfilter/ip_conntrack_udp_timeout': 7,
    });
    new UdpTalk(host, 1).client();
    expect(host.left()).toBe(7);
    new UdpTalk(host, 2).client();
    expect(host.flow().original.sport).toBe(2);
  });

  test('classic: tracking: an answer to nothing is INVALID', () => {
    const host = new Host(profile);
    expect(host.send(icmpPacket({ src: SERVER, dst: CLIENT, type: 0, id: 7 }))).toBe('INVALID');
    const quoted = udpPacket({ src: CLIENT, dst: SERVER, sport: 9, dport: 9 });
    expect(host.send(icmpErrorPacket({ src: SERVER, type: 3, code: 3, quoted }))).toBe('INVALID');
    expect(host.flows()).toEqual([]);
  });

  test('classic: tracking: what is damaged is INVALID', () => {
    const host = new Host(profile);
    const ends = { src: CLIENT, dst: SERVER };
    const cut = tcpPacket({ ...ends, sport: 1, dport: 2, flags: 2, ip: { totalLength: 32 } }).slice(0, 32);
    expect(host.send(cut)).toBe('INVALID');
    expect(host.reason).toBe('tcp-short');
    expect(host.send(udpPacket({ ...ends, sport: 1, dport: 2, length: 4 }))).toBe('INVALID');
    expect(host.send(icmpPacket({ ...ends, type: 77 }))).toBe('INVALID');
    expect(host.flows()).toEqual([]);
  });
});

// Linux 2.4 looked at neither: without the extension any combination of flags has a state, and a checksum is the
// business of the two ends.
test.each([on(CLASSIC, 'NEW', 'NEW'), on(WINDOW, 'INVALID', 'NEW'), on(TODAY, 'INVALID', 'INVALID')])(
  'classic: tracking: %s: flags that make no sense and wrong checksums',
  (_name, profile, flags, checksum) => {
    const host = new Host(profile);
    const ends = { src: CLIENT, dst: SERVER, sport: 1, dport: 2 };
    expect(host.send(tcpPacket({ ...ends, flags: 0x29 }))).toBe(flags);
    expect(host.send(udpPacket({ ...ends, checksum: 1 }))).toBe(checksum);
  },
);

describe('classic: tracking: /proc/net/ip_conntrack', () => {
  const SOCKETS = `src=${CLIENT} dst=${SERVER} sport=1025 dport=80`;
  const ANSWERS = `src=${SERVER} dst=${CLIENT} sport=80 dport=1025`;

  test('classic: tracking: the table is listed as in /proc/net/ip_conntrack, with what is unreplied and assured', () => {
    const host = new Host(CLASSIC);
    const talk = new TcpTalk(host);
    talk.client('S');
    expect(host.lines()).toEqual([`tcp      6 120 SYN_SENT ${SOCKETS} [UNREPLIED] ${ANSWERS} use=1`]);
    talk.server('SA');
    expect(host.lines()).toEqual([`tcp      6 60 SYN_RECV ${SOCKETS} ${ANSWERS} use=1`]);
    talk.client('A');
    expect(host.lines()).toEqual([`tcp      6 432000 ESTABLISHED ${SOCKETS} ${ANSWERS} [ASSURED] use=1`]);
  });

  test('classic: tracking: today the table is /proc/net/nf_conntrack, with the network layer in front', () => {
    const host = new Host(TODAY);
    new TcpTalk(host).client('S');
    expect(host.lines()).toEqual([
      `ipv4     2 tcp      6 120 SYN_SENT ${SOCKETS} [UNREPLIED] ${ANSWERS} mark=0 zone=0 use=2`,
    ]);
  });
});
