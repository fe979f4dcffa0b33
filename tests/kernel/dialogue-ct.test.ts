/** What rules say of flows and their helpers: CT, ct helper, ct timeout, ct expectation, and what comes of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareDialogue, reportDialogue } from './dialogue.ts';
import { ACK, FIN, PSH, RST, TcpTalk, udpPacket } from './dialogue-tcp.ts';
import { icmp } from './packets.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { Entry, RulePacket, Source } from './rules-types.ts';

const IN = '192.168.1.5';
const OUT = '198.51.100.7';
const IN6 = 'fd00:1::5';
const OUT6 = '2001:db8:5::1';

interface TalkOptions {
  readonly v6?: boolean;
  readonly sport?: number;
  readonly dport?: number;
  /** Where the one who opens it is. */
  readonly from?: Entry;
}

/** A connection from the inside to the outside, or the other way round. */
function talk({ v6 = false, sport = 40000, dport = 21, from = 'eth1' }: TalkOptions = {}): TcpTalk {
  const inside = v6 ? IN6 : IN;
  const outside = v6 ? OUT6 : OUT;
  const [src, dst] = from === 'eth1' ? [inside, outside] : [outside, inside];
  const to = from === 'eth1' ? 'eth0' : 'eth1';
  const client = { from, src, sport, dst, dport };
  return new TcpTalk(client, { from: to, src: dst, sport: dport, dst: src, dport: sport });
}

function opened(options: TalkOptions = {}): readonly RulePacket[] {
  return talk(options).open().packets;
}

/** An FTP connection on which the client announced a port. */
function announced(port: number, options: TalkOptions = {}): TcpTalk {
  const control = talk(options).open().say(1, '220 x\r\n').say(0, 'USER x\r\n');
  return control.say(0, options.v6 ? `EPRT |2|${IN6}|${port}|\r\n` : `EPRT |1|${IN}|${port}|\r\n`);
}

/** The server opens a data connection. */
function data(port: number, options: TalkOptions = {}): readonly RulePacket[] {
  return opened({ sport: 20, ...options, dport: port, from: 'eth0' });
}

function udp(v6 = false): readonly [RulePacket, RulePacket] {
  const [inside, outside] = v6 ? [IN6, OUT6] : [IN, OUT];
  return [
    { from: 'eth1', bytes: udpPacket(inside, 40000, outside, 53, 'question') },
    { from: 'eth0', bytes: udpPacket(outside, 53, inside, 40000, 'answer') },
  ];
}

/** The same IPv4 packet with another hop limit. */
function withTtl(bytes: Uint8Array, ttl: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[8] = ttl;
  copy.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += copy.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  copy.writeUInt16BE(~sum & 0xffff, 10);
  return copy;
}

/** "Port unreachable" about a packet. */
function unreachable(src: string, dst: string, about: Uint8Array): Buffer {
  return icmp(src, dst, 3, 3, 0, about.subarray(0, 28));
}

function nft(rule: string, objects = '', more = ''): readonly Source[] {
  return [
    {
      kind: 'nft',
      text: `table inet t {
  ct helper ftp { type "ftp" protocol tcp; }
  ${objects}
  chain c { type filter hook prerouting priority -150; policy accept
    ${rule}
  }
  ${more}
}
`,
    },
  ];
}

function raw(rules: string, kind: Source['kind'] = 'iptables-nft', more = ''): readonly Source[] {
  return [{ kind, text: `*raw\n${rules}\nCOMMIT\n${more}` }];
}

const TIMEOUT = (protocol: string, policy: string, l3 = ''): readonly Source[] =>
  nft('ct timeout set "p"', `ct timeout p { protocol ${protocol};${l3}\npolicy = { ${policy} }\n}`);
const EXPECT = (body: string, rule = 'ct expectation set "e"'): readonly Source[] =>
  nft(`tcp dport 80 ${rule} counter`, `ct expectation e { ${body} }`);

const HELPER = 'tcp dport 21 ct helper set "ftp"';
const ONE = 'protocol tcp; dport 9876; timeout 2m; size 2; l3proto ip;';
const WEB = { dport: 80 };

const CASES: Readonly<Record<string, readonly [readonly Source[], readonly RulePacket[]]>> = {
  'a ct helper object by a rule of nft': [nft(HELPER), [...announced(4000).packets, ...data(4000)]],
  'the same over IPv6': [
    nft(HELPER),
    [...announced(4000, { v6: true }).packets, ...data(4000, { v6: true })],
  ],
  'a helper for IPv4 only': [
    nft('tcp dport 21 ct helper set "f4"', 'ct helper f4 { type "ftp" protocol tcp; l3proto ip; }'),
    [...announced(4000, { v6: true }).packets, ...announced(4000).packets],
  ],
  'a helper for TCP does nothing to UDP': [nft('ct helper set "ftp"'), udp()],
  'a helper comes too late for a flow that is confirmed': [
    nft('tcp dport 21 ct state established ct helper set "ftp"'),
    announced(4000).packets,
  ],
  'the first helper stays': [
    nft(
      'tcp dport 21 ct helper set "ftp"\ntcp dport 21 ct helper set "s"',
      'ct helper s { type "sane" protocol tcp; }',
    ),
    announced(4000).packets,
  ],
  '-j CT --helper, iptables-nft': [
    raw('-A PREROUTING -p tcp --dport 21 -j CT --helper ftp'),
    [...announced(4000).packets, ...data(4000)],
  ],
  '-j CT --helper, ip6tables-nft': [
    raw('-A PREROUTING -p tcp --dport 21 -j CT --helper ftp', 'ip6tables-nft'),
    [...announced(4000, { v6: true }).packets, ...data(4000, { v6: true })],
  ],
  'the first CT rule decides, a second one does nothing': [
    raw('-A PREROUTING -p tcp -j CT --zone 3\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp'),
    announced(4000).packets,
  ],
  'a helper in a zone expects in that zone': [
    raw(
      '-A PREROUTING -p tcp -s 192.168.1.5 -j CT --helper ftp --zone 3\n-A PREROUTING -p tcp -j CT --zone 3',
    ),
    [...announced(4000).packets, ...data(4000)],
  ],
  'what is expected in one zone is new in another': [
    raw(
      '-A PREROUTING -p tcp --sport 20 -j CT --zone 4\n-A PREROUTING -p tcp -s 192.168.1.5 -j CT --helper ftp --zone 3\n-A PREROUTING -p tcp -j CT --zone 3',
    ),
    [...announced(4000).packets, ...data(4000)],
  ],
  'a zone of the original direction: answers come back in the default zone': [
    raw('-A PREROUTING -i eth1 -j CT --zone-orig 5'),
    [...talk().open().packets, ...talk({ from: 'eth0', sport: 5 }).open().packets],
  ],
  'a zone of the reply direction: answers come back in it': [
    raw('-A PREROUTING -i eth0 -j CT --zone-reply 5\n-A PREROUTING -i eth1 -j CT --zone-reply 5'),
    [...talk().open().packets, ...udp()],
  ],
  'a zone of the reply direction, and answers in the default zone': [
    raw('-A PREROUTING -i eth1 -j CT --zone-reply 5'),
    talk().open().packets,
  ],
  'two clients of one address are told apart by a zone of the original direction': [
    nft(
      '',
      '',
      'chain r { type filter hook prerouting priority -300; policy accept\niifname "eth1" ip ttl 64 ct original zone set 7\niifname "eth1" ip ttl 63 ct original zone set 8\n}',
    ),
    [
      ...udp(),
      ...udp().map(({ from, bytes }) => ({ from, bytes: withTtl(bytes, 63) })),
      ...talk({ v6: true }).open().packets,
    ],
  ],
  'what is expected in a zone of one direction': [
    raw('-A PREROUTING -p tcp -s 192.168.1.5 -j CT --helper ftp --zone-orig 3'),
    [...announced(4000).packets, ...data(4000)],
  ],
  'and by a flow that has the same zone': [
    raw(
      '-A PREROUTING -p tcp --dport 21 -j CT --helper ftp --zone-orig 3\n-A PREROUTING -p tcp --sport 20 -j CT --zone-orig 3',
    ),
    [...announced(4000).packets, ...data(4000)],
  ],
  'ct zone of each direction, and of none': [
    nft(
      'ct zone 7 log prefix "any" group 1\nct original zone 7 log prefix "original" group 1\nct reply zone 7 log prefix "reply" group 1',
      '',
      'chain r { type filter hook prerouting priority -300; policy accept\nct reply zone set 7\n}',
    ),
    talk().open().packets,
  ],
  'notrack comes too late behind a rule about tracking, and the other way round': [
    raw(
      '-A PREROUTING -p tcp -j CT --zone 3\n-A PREROUTING -p tcp -j NOTRACK\n-A PREROUTING -p udp -j NOTRACK\n-A PREROUTING -p udp -j CT --zone 3',
    ),
    [...talk().open().packets, ...udp()],
  ],
  'a packet is new already before it is tracked, once a rule said how': [
    nft(
      '',
      '',
      'chain r { type filter hook prerouting priority -300; policy accept\nmeta l4proto udp ct zone set 5\nct state new log prefix "new" group 1\nct state invalid log prefix "invalid" group 1\nct zone 5 log prefix "zone" group 1\n}',
    ),
    [...talk().open().packets, ...udp()],
  ],
  'the same of iptables': [
    raw(
      '-A PREROUTING -p udp -j CT --zone 5\n-A PREROUTING -m conntrack --ctstate NEW -j NFLOG --nflog-group 1 --nflog-prefix new\n-A PREROUTING -m conntrack --ctstate INVALID -j NFLOG --nflog-group 1 --nflog-prefix invalid',
    ),
    [...talk().open().packets, ...udp()],
  ],
  'an ICMP error about a flow with a zone of the original direction': [
    raw('-A PREROUTING -i eth1 -j CT --zone-orig 5'),
    [udp()[0], { from: 'eth0', bytes: unreachable(OUT, IN, udp()[0].bytes) }],
  ],
  'a rule gives no helper to a flow that was expected': [
    raw('-A PREROUTING -p tcp -j CT --helper ftp'),
    [...announced(4000).packets, ...data(4000)],
  ],
  'a rule of nft gives a helper to a flow that was expected': [
    nft('meta l4proto tcp ct helper set "ftp"'),
    [...announced(4000).packets, ...data(4000)],
  ],
  'an expected flow has its master’s mark': [
    nft(`${HELPER}\ntcp dport 21 ct mark set 77\ntcp dport 22 ct mark set 5`),
    [...announced(4000).packets, ...data(4000)],
  ],
  'what is announced twice is expected once': [
    nft(HELPER),
    [
      ...announced(4000).say(0, `PORT 192,168,1,5,15,160\r\n`).packets,
      ...data(4000),
      ...data(4000, { sport: 5 }),
    ],
  ],
  'a second announcement takes the place of the first': [
    nft(HELPER),
    [...announced(4000).say(0, `PORT 192,168,1,5,15,161\r\n`).packets, ...data(4000), ...data(4001)],
  ],
  'two connections may not expect the same: the second announcement is dropped': [
    nft(HELPER),
    [...announced(4000).packets, ...announced(4000, { sport: 40001 }).packets, ...data(4000)],
  ],
  'what is expected survives a FIN of the control connection': [
    nft(HELPER),
    [
      ...announced(4000)
        .ack(1)
        .send(0, FIN | ACK)
        .send(1, FIN | ACK)
        .ack(0).packets,
      ...data(4000),
    ],
  ],
  'what is expected survives a RST of the control connection': [
    nft(HELPER),
    [
      ...announced(4000)
        .ack(1)
        .send(0, RST | ACK).packets,
      ...data(4000),
    ],
  ],
  'a master that is closed stays as long as the flow that came because of it': [
    nft(
      `${HELPER}\ntcp dport 21 ct timeout set "p"`,
      'ct timeout p { protocol tcp;\npolicy = { close : 1 }\n}',
    ),
    [
      ...announced(4000).packets,
      ...data(4000),
      ...talk().raw(0, { flags: RST, seq: 1, ack: 0 }).packets,
      ...data(4000).slice(2),
    ],
  ],
  '-m helper knows flows by the helper of their master': [
    raw(
      '-A PREROUTING -p tcp --dport 21 -j CT --helper ftp',
      'iptables-nft',
      '*filter\n-A FORWARD -m helper --helper ftp -j NFLOG --nflog-group 1 --nflog-prefix data\n-A FORWARD -m helper ! --helper ftp -j NFLOG --nflog-group 1 --nflog-prefix other\nCOMMIT\n',
    ),
    [...announced(4000).packets, ...data(4000)],
  ],
  'ct helper knows flows by the helper of their master': [
    nft(
      HELPER,
      '',
      'chain f { type filter hook forward priority 0; policy accept\nct helper "ftp" log prefix "data" group 1\nct helper != "ftp" log prefix "other" group 1\n}',
    ),
    [...announced(4000).packets, ...data(4000)],
  ],
  'only the events that a rule names are told: none of expectations with --ctevents': [
    raw('-A PREROUTING -p tcp --dport 21 -j CT --helper ftp --ctevents new'),
    [...announced(4000).packets, ...data(4000)],
  ],
  'expectations are told with --expevents': [
    raw('-A PREROUTING -p tcp --dport 21 -j CT --helper ftp --expevents new'),
    [...announced(4000).packets, ...data(4000)],
  ],
  'a policy for TCP': [
    TIMEOUT(
      'tcp',
      'syn_sent : 33, syn_recv : 44, established : 555, fin_wait: 12, last_ack: 13, time_wait : 14, close : 15',
    ),
    talk()
      .open()
      .say(0, 'hello')
      .ack(1)
      .say(1, 'x')
      .ack(0)
      .send(0, FIN | ACK)
      .send(1, FIN | ACK)
      .ack(0).packets,
  ],
  'a policy for what is not acknowledged': [
    TIMEOUT('tcp', 'unack : 40, retrans : 50'),
    talk().open().say(0, 'hello').ack(1).say(1, 'x').packets,
  ],
  'a policy for a server that closes': [
    TIMEOUT('tcp', 'close_wait : 20, syn_sent2: 21, last_ack: 22'),
    talk()
      .open()
      .send(1, FIN | ACK)
      .ack(0)
      .send(0, FIN | ACK).packets,
  ],
  'a policy for a reset': [
    TIMEOUT('tcp', 'close : 20'),
    talk()
      .open()
      .send(1, RST | ACK).packets,
  ],
  'a policy for what is repeated': [
    TIMEOUT('tcp', 'retrans : 20'),
    talk().open().say(0, 'x').ack(1).ack(1).ack(1).ack(1).ack(1).packets,
  ],
  'a flow that is picked up begins with the policy’s SYN_SENT': [
    TIMEOUT('tcp', 'syn_sent : 33, established : 555'),
    talk()
      .send(0, ACK | PSH, 'mid')
      .send(1, ACK).packets,
  ],
  'or with the sysctl’s, where the policy has none': [
    TIMEOUT('tcp', 'established : 555'),
    talk()
      .send(0, ACK | PSH, 'mid')
      .send(1, ACK).packets,
  ],
  'a policy for UDP': [TIMEOUT('udp', 'unreplied : 7, replied : 9'), [...udp(), udp()[0]]],
  'a policy for UDP streams': [
    TIMEOUT('udp', 'unreplied : 7, replied : 9'),
    [...udp(), { ...udp()[0], waitMs: 2100 }],
  ],
  'a policy for UDP does nothing to TCP': [TIMEOUT('udp', 'unreplied : 7'), talk().open().packets],
  'a policy’s family makes no difference': [TIMEOUT('udp', 'unreplied : 7', 'l3proto ip;'), udp(true)],
  'a ct expectation object': [EXPECT(ONE), [...opened(WEB), ...data(9876), ...data(9876, { sport: 5556 })]],
  'a ct expectation over IPv6': [
    EXPECT(ONE.replace('ip;', 'ip6;')),
    [...opened({ ...WEB, v6: true }), ...data(9876, { v6: true })],
  ],
  'a ct expectation of IPv4 told by a flow of IPv6': [EXPECT(ONE), opened({ ...WEB, v6: true })],
  'two of one object in a rule': [
    EXPECT(ONE, 'ct expectation set "e" ct expectation set "e"'),
    [...opened(WEB), ...data(9876)],
  ],
  'more than its size end the rule': [
    EXPECT(ONE.replace('size 2', 'size 1'), 'ct expectation set "e" counter ct expectation set "e"'),
    [...opened(WEB), ...data(9876)],
  ],
  'a ct expectation with two masters: the second is dropped': [
    EXPECT(ONE),
    [...opened(WEB), ...opened({ ...WEB, sport: 40001 }), ...data(9876), ...data(9876, { sport: 5556 })],
  ],
  'a ct expectation of UDP': [
    EXPECT('protocol udp; dport 9876; timeout 30s; size 8; l3proto ip;'),
    [
      ...opened(WEB),
      { from: 'eth0', bytes: udpPacket(OUT, 77, IN, 9876, 'x') },
      { from: 'eth0', bytes: udpPacket(OUT, 78, IN, 9876, 'x') },
    ],
  ],
  'a ct expectation with a helper, which says how long it is waited for': [
    nft(
      'tcp dport 80 ct helper set "f" ct expectation set "e"',
      `ct helper f { type "ftp" protocol tcp; }\nct expectation e { ${ONE} }`,
    ),
    [...opened(WEB), ...data(9876)],
  ],
};

describe.skipIf(!rulesUsable())('what rules say of tracking', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(async () => {
    await kernel.close();
  });

  for (const [name, [sources, packets]] of Object.entries(CASES)) {
    test(name, async () => {
      expect(await reportDialogue(kernel, { sources, packets }, { each: true })).toBe(null);
    }, 30_000);
  }

  test.each(['ct helper x { type "foo" protocol tcp; }', 'ct helper x { type "irc" protocol udp; }'])(
    'the kernel refuses %s, and so does keepstate',
    async (object) => {
      const [message] = await compareDialogue(kernel, { sources: nft('', object), packets: [] });
      expect(message).toMatch(/^refused by both/);
    },
    30_000,
  );

  test('a ct expectation of no family, or without a size, is refused', async () => {
    for (const body of ['protocol tcp; dport 1; timeout 1s; size 1;', ONE.replace('size 2', 'size 0')]) {
      const [message] = await compareDialogue(kernel, { sources: EXPECT(body), packets: [] });
      expect(message).toMatch(/^refused by both/);
    }
  }, 30_000);
});
