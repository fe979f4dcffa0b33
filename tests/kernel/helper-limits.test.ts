/** How many flows may be expected, for how long, and what becomes of that when the flow that told of it goes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { compareDialogue, type Dialogue, reportDialogue } from './dialogue.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side } from './dialogue-live.ts';
import { SYN, tcpPacket, udpPacket } from './dialogue-tcp.ts';
import * as M from './h323-messages.ts';
import { helperRules, type Nat, numberOf } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

const SERVER = '198.51.100.1';
const CLIENT = '10.0.0.1';

function rules(name: string, proto: 'tcp' | 'udp', port: number, nat: Nat = 'none'): readonly Source[] {
  return [helperRules(name, proto, [port], nat)];
}

function clientSide(sport: number, dport: number, src = CLIENT): Side {
  return { from: 'eth1', src, sport, dst: SERVER, dport };
}

function opened(live: LiveDialogue, side: Side): LiveTcp {
  const tcp = new LiveTcp(live, side, 'eth0', [1000, 5000]);
  tcp.open();
  return tcp;
}

function syn(from: 'eth0' | 'eth1', src: string, sport: number, dst: string, dport: number): RulePacket {
  return { from, bytes: tcpPacket(src, sport, dst, dport, { flags: SYN, seq: 1, ack: 0 }) };
}

const offer = (src: string, port: number): string =>
  `PRIVMSG b :\x01DCC SEND f ${numberOf(src)} ${port}\x01\r\n`;

/** More clients than there may be expectations in all, each with as many as the helper lets it have. */
function full(): LiveDialogue {
  const live = new LiveDialogue(rules('irc', 'tcp', 6667));
  const first = opened(live, clientSide(4001, 6667, '10.0.3.3'));
  for (let i = 0; i < 8; i++) first.say(0, offer('10.0.3.3', 5000 + i));
  for (let n = 0; n < 512; n++) {
    const src = `10.0.${1 + (n >> 8)}.${n & 255}`;
    const tcp = opened(live, clientSide(4000, 6667, src));
    for (let i = 0; i < 8; i++) tcp.say(0, offer(src, 5000 + i));
  }
  // Who has eight gives one up for the new one, and there is room then.
  first.say(0, offer('10.0.3.3', 6000));
  const again = opened(live, clientSide(4001, 6667, '10.0.1.1'));
  again.say(0, offer('10.0.1.1', 6000));
  live.send('eth0', syn('eth0', '9.9.9.9', 2, '10.0.1.1', 5006).bytes);
  again.say(0, offer('10.0.1.1', 6001));
  return live;
}

/** A gatekeeper's endpoint that registers ever more addresses, and calls to some. */
function registrations(count: number): LiveDialogue {
  const live = new LiveDialogue(rules('RAS', 'udp', 1719));
  const side = clientSide(1719, 1719);
  for (let i = 0; i < count; i++)
    liveUdp(
      live,
      side,
      M.ras('registrationRequest', {
        callSignalAddress: [M.transport(CLIENT, 3000 + i)],
        rasAddress: [M.transport(CLIENT, 1719)],
      }),
    );
  for (const port of [3000, 3000 + count - 1])
    for (const sport of [7, 8]) live.send('eth0', syn('eth0', SERVER, sport, CLIENT, port).bytes);
  return live;
}

/** Calls with more media than the helper expects at a time. */
function channels(count: number): LiveDialogue {
  const live = new LiveDialogue(rules('Q.931', 'tcp', 1720));
  const tcp = opened(live, clientSide(4000, 1720));
  for (let i = 0; i < count; i++) {
    const at = 5000 + 100 * i;
    const fastStart = Array.from({ length: 4 }, (_, n) =>
      M.fastStart(M.openChannel(M.h2250(M.channel(CLIENT, at + 2 * n), M.channel(CLIENT, at + 2 * n + 1)))),
    );
    tcp.say(0, M.call('facility', { h245Address: M.transport(CLIENT, at + 50), fastStart }));
  }
  return live;
}

/** An H.245 connection that was told of, and more channels than it may expect. */
function control(count: number): LiveDialogue {
  const live = new LiveDialogue(rules('Q.931', 'tcp', 1720));
  const tcp = opened(live, clientSide(4000, 1720));
  tcp.say(0, M.call('alerting', { h245Address: M.transport(CLIENT, 5000) }));
  const h245 = new LiveTcp(
    live,
    { from: 'eth0', src: SERVER, sport: 2000, dst: CLIENT, dport: 5000 },
    'eth1',
    [1, 2],
  );
  h245.open();
  for (let i = 0; i < count; i++) {
    const media = M.h2250(M.channel(CLIENT, 6000 + 2 * i), M.channel(CLIENT, 6001 + 2 * i));
    h245.say(1, M.tpkt(M.h245('request', 'openLogicalChannel', M.openChannel(media))));
  }
  return live;
}

/** A backup whose answers name more streams than are expected at a time. */
function streams(nat: Nat): LiveDialogue {
  const live = new LiveDialogue(rules('amanda', 'udp', 10080, nat));
  const side = clientSide(800, 10080);
  const [came] = liveUdp(live, side, 'REQ');
  const back: Side = { from: 'eth0', src: SERVER, sport: 10080, dst: came!.src, dport: came!.sport };
  for (const at of [5000, 5001, 5100, 5200])
    liveUdp(live, back, `CONNECT DATA ${at} MESG ${at + 10} INDEX ${at + 20} STATE ${at + 30}\n`);
  for (const port of [5000, 5100, 5220, 5230])
    live.send('eth1', syn('eth1', CLIENT, port, SERVER, port).bytes);
  return live;
}

const MEDIA = ['audio', 'video', 'image'];

/** Calls whose offers and answers tell of media of all classes, never ended. */
function media(seed: number, nat: Nat): LiveDialogue {
  const dice = new Dice(seed);
  const live = new LiveDialogue(rules('sip', 'udp', 5060, nat));
  const side = clientSide(5060, 5060);
  const outer = { src: CLIENT };
  for (let i = 0; i < 14; i++) {
    const isBack = i > 0 && dice.chance(40);
    const own = isBack ? SERVER : CLIENT;
    const lines = Array.from(
      { length: dice.between(1, 4) },
      () => `m=${dice.pick(MEDIA)} ${6000 + 2 * dice.below(6)} RTP/AVP 0\r\n`,
    );
    const body = `v=0\r\no=a 1 1 IN IP4 ${own}\r\ns=-\r\nc=IN IP4 ${own}\r\nt=0 0\r\n${lines.join('')}`;
    const first = isBack ? 'SIP/2.0 200 OK' : `${dice.pick(['UPDATE', 'PRACK', 'INVITE'])} sip:a@b.c SIP/2.0`;
    const cseq = `CSeq: 1 ${dice.pick(['INVITE', 'UPDATE', 'PRACK'])}`;
    const text = `${first}\r\n${cseq}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const from: Side = isBack
      ? { from: 'eth0', src: SERVER, sport: 5060, dst: outer.src, dport: 5060 }
      : side;
    for (const came of liveUdp(live, from, text)) if (!isBack) outer.src = came.src;
  }
  return live;
}

const HOST = '203.0.113.9';

/** Two clients register; calls come to both, before and after one’s flow is deleted, and after its time. */
function called(nat: Nat): Dialogue {
  const live = new LiveDialogue(rules('sip', 'udp', 5060, nat));
  const outer = nat === 'snat' ? HOST : CLIENT;
  for (const [sport, seconds] of [
    [6000, 2],
    [6001, 60],
  ] as const) {
    const contact = `Contact: <sip:a@${CLIENT}:${sport}>;expires=${seconds}\r\n`;
    const text = `REGISTER sip:b SIP/2.0\r\nCSeq: 1 REGISTER\r\n${contact}Content-Length: 0\r\n\r\n`;
    liveUdp(live, clientSide(sport, 5060), text);
    const back: Side = { from: 'eth0', src: SERVER, sport: 5060, dst: outer, dport: sport };
    const answer = `SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@${outer}:${sport}>;expires=${seconds}\r\n\r\n`;
    liveUdp(live, back, answer);
  }
  const call = (sport: number, dport: number): RulePacket => ({
    from: 'eth0',
    bytes: udpPacket(SERVER, sport, outer, dport, 'hello'),
  });
  const packets: RulePacket[] = [...live.packets, call(7, 6000), call(8, 6000), call(7, 6001)];
  packets.push(
    { ...call(9, 6001), before: ['conntrack', '-D', '-p', 'udp', '--orig-port-src', '6001'] },
    call(7, 6001),
    { ...call(9, 6000), waitMs: 1000 },
    { ...call(10, 6000), waitMs: 1300 },
    call(7, 6000),
  );
  return { sources: live.sources, packets };
}

const OBJECT = `table inet t {
  ct expectation e { protocol udp; dport 9876; timeout 1s; size 2; l3proto ip; }
  chain c { type filter hook prerouting priority -150; policy accept
    udp dport 53 ct expectation set "e"
  }
}
`;

/** An expectation of a second, told of again and again, and those who come in time and too late. */
function seconds(): Dialogue {
  const ask = (sport: number): RulePacket => ({
    from: 'eth1',
    bytes: udpPacket(CLIENT, sport, SERVER, 53, 'q'),
  });
  const come = (sport: number): RulePacket => ({
    from: 'eth0',
    bytes: udpPacket(SERVER, sport, CLIENT, 9876, 'a'),
  });
  const packets: RulePacket[] = [ask(1), { ...ask(1), waitMs: 700 }, { ...come(1), waitMs: 700 }, come(2)];
  packets.push(ask(1), { ...come(3), waitMs: 1200 }, ask(2), come(4), come(5));
  return { sources: [{ kind: 'nft', text: OBJECT }], packets };
}

/** A flow under a policy of timeouts, with a helper; what is expected has the helper's own time. */
function underPolicy(): Dialogue {
  const text = `table inet t {
  ct helper f { type "ftp" protocol tcp; }
  ct timeout p { protocol tcp; policy = { syn_sent : 5, established : 50, close : 3 }
  }
  chain c { type filter hook prerouting priority -150; policy accept
    tcp dport 21 ct helper set "f" ct timeout set "p"
  }
}
`;
  const live = new LiveDialogue([{ kind: 'nft', text }]);
  const tcp = opened(live, clientSide(4000, 21));
  tcp.say(1, '220 x\r\n');
  tcp.say(0, 'USER x\r\n');
  tcp.say(0, 'PORT 10,0,0,1,4,1\r\n');
  live.send('eth0', syn('eth0', SERVER, 20, CLIENT, 1025).bytes);
  tcp.say(0, 'PORT 10,0,0,1,4,2\r\n');
  tcp.send(0, 4);
  live.send('eth0', syn('eth0', SERVER, 20, CLIENT, 1026).bytes);
  return live;
}

describe.skipIf(!rulesUsable())('what is expected', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(() => kernel.close());

  // The kernel warns of a full table, but not each time, and says later how often it did not.
  const forgive = (text: string): string | null => (/^packet \d+ log: /.test(text) ? null : text);
  const agrees = async (dialogue: Dialogue): Promise<void> => {
    expect(await reportDialogue(kernel, dialogue, { forgive })).toBe(null);
  };
  /** @param most how many are expected at the end */
  const reaches = async (dialogue: LiveDialogue, most: number): Promise<void> => {
    expect(dialogue.run.tables().expects.size).toBe(most);
    await agrees(dialogue);
  };

  test('in all is at most nf_conntrack_expect_max: then what tells of more is dropped', {
    timeout: 60_000,
  }, async () => {
    const dialogue = full();
    expect(dialogue.run.tables().expects.size).toBe(4096);
    // A report of so many packets would take minutes.
    expect(await compareDialogue(kernel, dialogue, { forgive })).toEqual([]);
  });
  test('because of registrations is at most 32', () => reaches(registrations(40), 32));
  test('of media of fast connect is at most 20', () => reaches(channels(5), 20));
  test('because of an H.245 connection is at most 18', () => reaches(control(14), 18));
  test.each(['none', 'snat', 'masquerade'] as const)('of streams of a backup is at most 4 (%s)', (nat) =>
    agrees(streams(nat)),
  );
  test.each(['none', 'snat'] as const)(
    'of media of calls is limited class by class (%s)',
    { timeout: 60_000 },
    async (nat) => {
      for (let seed = 1; seed <= 10; seed++) await agrees(media(seed, nat));
    },
  );
  test.each(['none', 'snat'] as const)(
    'because of a registration ends with its time, or its flow (%s)',
    { timeout: 60_000 },
    (nat) => agrees(called(nat)),
  );
  test('is waited for anew when it is told of again', () => agrees(seconds()));
  test('because of a flow under a policy is waited for as long as its helper says', () =>
    agrees(underPolicy()));
});
