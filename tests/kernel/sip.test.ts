/**
 * The SIP helper against this machine's kernel: states, verdicts, every byte that leaves, expectations and tables.
 * KEEPSTATE_SEED and KEEPSTATE_DIALOGUES choose other dialogues, or more of them.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareDialogue, type Dialogue } from './dialogue.ts';
import { LiveDialogue, liveUdp, type Side } from './dialogue-live.ts';
import { TcpTalk, udpPacket } from './dialogue-tcp.ts';
import { LINKS } from './rules-namespace-links.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';
import { NAT_SCENES, PLAIN_SCENES, type Scene, tcpDialogue, udpDialogue } from './sip-dialogues.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? 1);
const COUNT = Number(process.env.KEEPSTATE_DIALOGUES ?? 8);
const SERVER = '198.51.100.2';
const SCENES: readonly Scene[] = [...PLAIN_SCENES, ...NAT_SCENES];

/** A description of one medium and more lines. */
function sdp(address: string, media: readonly string[]): string {
  const lines = ['v=0', `o=alice 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', ...media];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** A message: its first line, headers, body. */
function message(first: string, headers: readonly string[], body = ''): string {
  const lines = [first, ...headers, `Content-Length: ${body.length}`, ''];
  return lines.map((line) => `${line}\r\n`).join('') + body;
}

function invite(client: string, port: number, transport: string, media: readonly string[]): string {
  const headers = [
    `Via: SIP/2.0/${transport} ${client}:${port};branch=z9hG4bK1;rport`,
    `From: "Alice" <sip:alice@${client}:${port}>;tag=1`,
    `To: <sip:bob@${SERVER}:5060>`,
    'Call-ID: 1@alice',
    'CSeq: 1 INVITE',
    `Contact: <sip:alice@${client}:${port}>`,
  ];
  return message(`INVITE sip:bob@${SERVER}:5060 SIP/2.0`, headers, sdp(client, media));
}

function register(client: string, port: number, contact: string, expires: string): string {
  return message(`REGISTER sip:${SERVER} SIP/2.0`, [
    `Via: SIP/2.0/UDP ${client}:${port}`,
    'CSeq: 1 REGISTER',
    `Contact: ${contact}`,
    `Expires: ${expires}`,
  ]);
}

describe.skipIf(!rulesUsable())('the SIP helper', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel?.close());

  async function sameFate(dialogue: Dialogue): Promise<void> {
    const found = await compareDialogue(kernel, dialogue);
    expect(found.slice(0, 3).map((text) => text.slice(0, 4000))).toEqual([]);
  }

  for (const scene of SCENES) {
    test(`generated messages by UDP come out as the kernel's: ${scene.name}`, async () => {
      for (let seed = SEED; seed < SEED + COUNT; seed++) await sameFate(udpDialogue(seed, scene));
    });

    test(`generated messages by TCP come out as the kernel's: ${scene.name}`, async () => {
      for (let seed = SEED; seed < SEED + COUNT; seed++) await sameFate(tcpDialogue(seed, scene));
    });
  }

  /** One packet each from port 7000 on, all of one client, with one ruleset. */
  function eachFromItsPort(scene: Scene, texts: readonly ((port: number) => string)[]): Dialogue {
    const packets: RulePacket[] = texts.map((text, i) => ({
      from: 'eth1',
      bytes: udpPacket('10.0.0.1', 7000 + i, SERVER, 5060, text(7000 + i)),
    }));
    return { sources: scene.sources, packets };
  }

  const [plain] = PLAIN_SCENES;
  const [snat] = NAT_SCENES;
  const PORTS = ['0', '1', '80', '1023', '1024', '40000', '65534', '65535', '65536', '99999', '-1', '', 'x'];
  const LONG = [
    '0000040000',
    '00000040000',
    '000000040000',
    '4294967295',
    '4294967296',
    '4295007296',
    '9'.repeat(60),
  ];

  for (const scene of [plain!, snat!]) {
    test(`media at any port are expected, ignored or dropped as by the kernel: ${scene.name}`, async () => {
      const texts = [...PORTS, ...LONG].map(
        (value) => (port: number) => invite('10.0.0.1', port, 'UDP', [`m=audio ${value} RTP/AVP 0`]),
      );
      await sameFate(eachFromItsPort(scene, texts));
    });

    test(`contacts at any port and for any time are expected as by the kernel: ${scene.name}`, async () => {
      const ports = [...PORTS, ...LONG].map(
        (value) => (port: number) => register('10.0.0.1', port, `<sip:a@10.0.0.1:${value}>`, '60'),
      );
      const times = [...PORTS, ...LONG].map(
        (value) => (port: number) => register('10.0.0.1', port, `<sip:a@10.0.0.1:${port}>`, value),
      );
      const parameters = [...PORTS, ...LONG].map(
        (value) => (port: number) =>
          register('10.0.0.1', port, `<sip:a@10.0.0.1:${port}>;expires=${value};q=1`, '60'),
      );
      await sameFate(eachFromItsPort(scene, [...ports, ...times, ...parameters]));
    });

    test(`several media, each with an address of its own, at most three: ${scene.name}`, async () => {
      const own = 'c=IN IP4 10.0.0.1';
      const other = 'c=IN IP4 192.0.2.9';
      const media = [0, 1, 2, 3, 4].map((i) => `m=${i % 2 ? 'video' : 'audio'} ${40000 + 10 * i} RTP/AVP 0`);
      const bodies = [
        media,
        [media[0]!, own, media[1]!, own, media[2]!],
        [media[0]!, other, media[1]!, own],
        ['m=application 9 TCP', media[0]!, 'm=audio 0 RTP/AVP 0', media[1]!],
        ['m=image 50000 udptl t38', 'm=image 50002 udptl t38', 'm=image 50004 udptl t38'],
        [media[0]!, media[0]!, media[0]!.replace('audio', 'video')],
      ];
      await sameFate(
        eachFromItsPort(
          scene,
          bodies.map((lines) => (port: number) => invite('10.0.0.1', port, 'UDP', lines)),
        ),
      );
    });

    test(`a message without one of its headers is dropped only where the kernel drops it: ${scene.name}`, async () => {
      const whole = (port: number): string[] =>
        invite('10.0.0.1', port, 'UDP', ['m=audio 40000 RTP/AVP 0']).split('\r\n');
      const count = whole(0).length - 1;
      await sameFate(
        eachFromItsPort(
          scene,
          Array.from({ length: count }, (_, i) => (port: number) => whole(port).toSpliced(i, 1).join('\r\n')),
        ),
      );
    });

    test(`a message that ends anywhere is read as far as the kernel reads it: ${scene.name}`, async () => {
      const whole = (port: number): string => invite('10.0.0.1', port, 'UDP', ['m=audio 40000 RTP/AVP 0']);
      await sameFate(
        eachFromItsPort(
          scene,
          Array.from({ length: whole(7000).length }, (_, i) => (port: number) => whole(port).slice(0, i)),
        ),
      );
    });

    test(`by TCP a message split at any byte is read only if the kernel reads it: ${scene.name}`, async () => {
      const packets: RulePacket[] = [];
      const isTranslated = scene === snat;
      const text = (port: number): string => invite('10.0.0.1', port, 'TCP', ['m=audio 40000 RTP/AVP 0']);
      for (let i = 1; i < text(7000).length; i++) {
        const port = 7000 + i;
        const outside = isTranslated ? '203.0.113.77' : '10.0.0.1';
        const talk = new TcpTalk(
          { from: 'eth1', src: '10.0.0.1', sport: port, dst: SERVER, dport: 5060 },
          { from: 'eth0', src: SERVER, sport: 5060, dst: outside, dport: port },
        );
        talk.open().say(0, text(port).slice(0, i)).say(0, text(port).slice(i));
        packets.push(...talk.packets);
      }
      await sameFate({ sources: scene.sources, packets });
    });
  }

  test.each([
    ['inside first', [0, 1]],
    ['outside first', [1, 0]],
    ['inside alone', [0, 0]],
    ['outside alone', [1, 1]],
  ])('media of two translated calls from the same port, %s', async (_, order) => {
    const live = new LiveDialogue(snat!.sources);
    const clients = ['10.0.0.1', '10.0.0.7'].map((src, i) => {
      const side: Side = { from: 'eth1', src, sport: 7000 + i, dst: SERVER, dport: 5060 };
      const [came] = liveUdp(live, side, invite(src, side.sport, 'UDP', ['m=audio 40000 RTP/AVP 0']));
      const answer = message(
        'SIP/2.0 200 OK',
        ['CSeq: 1 INVITE'],
        sdp(SERVER, [`m=audio ${50000 + 2 * i} x`]),
      );
      liveUdp(live, { from: 'eth0', src: SERVER, sport: 5060, dst: came!.src, dport: came!.sport }, answer);
      return {
        src,
        outer: came!.src,
        told: Number(/m=audio (\d+)/.exec(came!.payload.toString('latin1'))![1]),
      };
    });
    expect(clients.map(({ told }) => told)).toEqual([40000, 40002]);
    for (const rtcp of [0, 1])
      for (const end of order)
        for (const [i, { src, outer, told }] of clients.entries()) {
          const inside = { src, sport: 40000 + rtcp, dst: SERVER, dport: 50000 + 2 * i + rtcp };
          const outside = { src: SERVER, sport: 50000 + 2 * i + rtcp, dst: outer, dport: told + rtcp };
          liveUdp(live, end === 0 ? { from: 'eth1', ...inside } : { from: 'eth0', ...outside }, 'media');
        }
    await sameFate(live);
  });

  test('huge messages are read and translated to their end', async () => {
    const wide = ['eth0', 'eth1'].map((device) => `link set dev ${device} mtu 65535`);
    await kernel.reset({ dialogue: true, links: [...LINKS, ...wide] });
    const fill = (length: number): string => `X: ${'y'.repeat(length)}`;
    const texts = [3000, 20000, 65000, 65180, 65200].map((length) => (port: number) => {
      const text = invite('10.0.0.1', port, 'UDP', ['m=audio 40000 RTP/AVP 0']);
      return text.replace('Contact', `${fill(length - text.length)}\r\nContact`);
    });
    const contacts = (port: number): string =>
      message('OPTIONS sip:a SIP/2.0', [`Contact: ${`<sip:a@10.0.0.1:${port}>, `.repeat(1500)}x`]);
    await sameFate(eachFromItsPort(snat!, [...texts, contacts]));
    await kernel.reset({ dialogue: true });
  });
});
