import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialogue, DialogueRun } from './dialogue.ts';
import { ACK, SYN, tcpPacket } from './dialogue-tcp.ts';
import { differences, many, SEED } from './helper-run.ts';
import { Chance, endsOf, helperRules, NATS, type Nat, numberOf, openTalk } from './helper-scene.ts';
import { EngineRules } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

const COUNT = 15;
const OFFER = /DCC SEND file\S* \d+ (\d+)/;

/** Parts of a line. What is right stands there more than once. */
const PREFIXES: readonly string[] = [
  ...Array<string>(6).fill('PRIVMSG bob :'),
  'privmsg #a :',
  'PrivMsg a b :',
  '  PRIVMSG b :',
  '\r\nPRIVMSG b :',
  'PRIVMSG  :',
  '\tPRIVMSG b :',
  '\vPRIVMSG b :',
  '\0PRIVMSG b :',
  'PRIVMSG :',
  'PRIVMSG b x:',
  'PRIVMSG b ::',
  'PRIVMSG b : :',
  'PRIVMSGS b :',
  'NOTICE b :',
  ':x PRIVMSG b :',
  'JOIN #a\r\nPRIVMSG b :',
];
const MARKS: readonly string[] = [...Array<string>(6).fill('\x01DCC '), '\x01dcc ', 'DCC ', '\x01\x01DCC '];
const COMMANDS: readonly string[] = [
  ...['SEND ', 'SEND ', 'SEND ', 'CHAT ', 'MOVE ', 'TSEND ', 'SCHAT '],
  ...['RESUME ', 'ACCEPT ', 'XMIT ', 'SEND', 'send ', 'CHATX '],
];
const FILES: readonly string[] = ['f', 'f', 'file.txt', '', '"a b"', 'f\n', 'f\nx', 'x'.repeat(40)];
const SEPARATORS: readonly string[] = [' ', ' ', ' ', ' ', '  ', '\t', '\n'];
const TAILS: readonly string[] = [
  ...[' 1234\x01\r\n', '\x01\r\n', '\n', ' \n', '\r', ''],
  `\n${'y'.repeat(20)}`,
  ' \x01DCC CHAT f 167772161 6000\x01\r\n',
];

function line(chance: Chance, own: number, outer: number): string {
  const addresses = [
    own,
    own,
    own,
    own,
    outer,
    0,
    0x09090909,
    own + 2 ** 32,
    `0${own}`,
    `x${own}`,
    `${own}x`,
  ];
  const port = 5000 + chance.below(20);
  const ports = [
    port,
    port,
    port,
    80,
    0,
    65535,
    65536 + port,
    `0${port}`,
    '50x',
    '',
    99999999999,
    '-1',
    '+3',
  ];
  const between = chance.of([' ', ' ', ' ', '  ']);
  return [
    chance.of(PREFIXES) + chance.of(MARKS) + chance.of(COMMANDS) + chance.of(FILES),
    between + chance.of(addresses) + chance.of(SEPARATORS),
    chance.of(ports) + chance.of(TAILS),
  ].join('');
}

/** A connection on which mad things are said. */
function madTalk(seed: number, nat: Nat): Dialogue {
  const chance = new Chance(seed);
  const ends = endsOf(nat, 6667);
  const talk = openTalk(ends);
  for (let i = 0; i < 6; i++) {
    let text = line(chance, numberOf(ends.client.src), numberOf(ends.outer));
    if (chance.below(6) === 0)
      text = Buffer.from(chance.damage(Buffer.from(text, 'latin1'), 2)).toString('latin1');
    const cut = chance.below(8) === 0 ? chance.below(text.length + 1) : text.length;
    const end = chance.below(8) === 0 ? 1 : 0;
    talk.say(end, text.slice(0, cut));
    if (cut < text.length) talk.say(end, text.slice(cut));
    if (chance.below(3) === 0) talk.ack(1);
  }
  return { sources: [helperRules('irc', 'tcp', [6667], nat)], packets: talk.packets };
}

function offer(address: string, port: number, name = 'file.txt'): string {
  return `PRIVMSG bob :\x01DCC SEND ${name} ${numberOf(address)} ${port} 1234\x01\r\n`;
}

/** Offers of several ports, and somebody who comes for each. */
function fetched(nat: Nat, ports: readonly number[]): Dialogue {
  const ends = endsOf(nat, 6667);
  const talk = openTalk(ends);
  const outer = numberOf(ends.outer);
  for (const port of ports) {
    talk.say(0, offer(ends.client.src, port));
    talk.shift[0] += String(outer).length - String(numberOf(ends.client.src)).length;
    talk.ack(1);
  }
  for (const port of ports)
    talk.packets.push({
      from: ends.server.from,
      bytes: tcpPacket('9.9.9.9', 1000 + (port % 1000), ends.outer, port, { flags: SYN, seq: 1, ack: 0 }),
    });
  return { sources: [helperRules('irc', 'tcp', [6667], nat)], packets: talk.packets };
}

describe.skipIf(!rulesUsable())('irc', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)(
    'what a client may say is read as in the kernel (%s)',
    { timeout: 120_000 },
    async (nat) => {
      const dialogues = many(COUNT, (i) => madTalk(SEED * 1000 + i, nat));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );

  test.each(NATS)('eight offers at most wait for somebody to come (%s)', async (nat) => {
    const ports = Array.from({ length: 11 }, (_, i) => 5000 + i);
    const dialogues = [fetched(nat, ports), fetched(nat, [5000, 80, 5000]), fetched(nat, [65535])];
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test.each(NATS)('an offer may be cut in two anywhere (%s)', { timeout: 120_000 }, async (nat) => {
    const ends = endsOf(nat, 6667);
    const text = offer(ends.client.src, 5000, 'f');
    const dialogues = Array.from({ length: text.length - 1 }, (_, i): Dialogue => {
      const talk = openTalk(ends);
      talk.say(0, text.slice(0, i + 1)).say(0, text.slice(i + 1));
      return { sources: [helperRules('irc', 'tcp', [6667], nat)], packets: talk.packets };
    });
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test('a segment that comes again, too early or before any answer', async () => {
    const { client, server } = endsOf('snat', 6667);
    const talk = openTalk(endsOf('snat', 6667));
    const text = offer(client.src, 5000);
    talk.say(0, text);
    talk.raw(0, { flags: ACK, seq: 1001, ack: 5001, payload: text });
    talk.raw(0, { flags: ACK, seq: 2_000_000, ack: 5001, payload: offer(client.src, 6000) });
    const middle = openTalk(endsOf('none', 6667));
    middle.packets.length = 0;
    middle.say(0, offer(client.src, 5000)).ack(1).say(0, offer(client.src, 5001));
    expect(server.dport).toBe(4000);
    const rules = (nat: Nat) => [helperRules('irc', 'tcp', [6667], nat)];
    const dialogues = [
      { sources: rules('snat'), packets: talk.packets },
      { sources: rules('none'), packets: middle.packets },
    ];
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test('a port that another client has offered is dropped untranslated, and changed if translated', async () => {
    const busy = (nat: Nat): Dialogue => {
      const ends = [endsOf(nat, 6667, 1, 4000), endsOf(nat, 6668, 1, 4001)];
      const talks = ends.map((one) => openTalk(one).say(0, offer(one.client.src, 5000)));
      const packets = talks.flatMap((talk) => talk.packets);
      return { sources: [helperRules('irc', 'tcp', [6667, 6668], nat)], packets };
    };
    expect(await differences(kernel, [busy('none')])).toEqual([]);
    // The port is drawn at random: what is compared is that it is another one, above that which is taken.
    const { sources, packets } = busy('snat');
    const { outcomes } = await kernel.run({ sources, packets });
    const rules = new EngineRules();
    rules.load(sources[0]!);
    const ours = new DialogueRun(rules);
    const views = packets.map((packet, i) => ours.play(packet, 1_700_000_000_000 + i));
    const said = [
      Buffer.from(outcomes.at(-1)!.left[0]!.bytes),
      Buffer.from(views.at(-1)!.left[0]!.replace(/[^0-9a-f].*$/, ''), 'hex'),
    ];
    for (const bytes of said) {
      const port = Number(OFFER.exec(bytes.toString('latin1'))?.[1]);
      expect(port).toBeGreaterThan(5000);
      expect(port).toBeLessThan(65536);
    }
  });
});
