/**
 * The SIP helper against this machine's kernel: states, verdicts, every byte that leaves, expectations and tables.
 * KEEPSTATE_SEED and KEEPSTATE_DIALOGUES choose other dialogues, or more of them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf } from '../../engine/helper/payload.ts';
import { udpPacket as udp } from '../../engine/packet/build.ts';
import { fragmentIpv4 } from '../../engine/packet/build-fragment.ts';
import { compareDialogue, type Dialogue } from './dialogue.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side } from './dialogue-live.ts';
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
  // Once a table of translations was there, flows without any look otherwise.
  beforeEach(() => kernel.reset({ dialogue: true }));
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

    test(`answers to registrations are read as by the kernel: ${scene.name}`, async () => {
      const outer = scene === snat ? '203.0.113.77' : '10.0.0.1';
      const answers = [...PORTS, ...LONG].flatMap((value) => [
        (port: number) => [`Contact: <sip:a@${outer}:${port}>;expires=${value}`, 'Expires: 60'],
        (port: number) => [`Contact: <sip:a@${outer}:${port}>`, `Expires: ${value}`],
        (port: number) => [
          `m: <sip:x@192.0.2.9>, <sip:a@${outer}:${port}>;expires=${value}, <sip:x@192.0.2.9>`,
        ],
      ]);
      const live = new LiveDialogue(scene.sources);
      for (const [i, answer] of answers.entries()) {
        const port = 7000 + i;
        const side: Side = { from: 'eth1', src: '10.0.0.1', sport: port, dst: SERVER, dport: 5060 };
        liveUdp(live, side, register('10.0.0.1', port, `<sip:a@10.0.0.1:${port}>`, '60'));
        const back: Side = { from: 'eth0', src: SERVER, sport: 5060, dst: outer, dport: port };
        liveUdp(live, back, message('SIP/2.0 200 OK', ['CSeq: 1 REGISTER', ...answer(port)]));
      }
      await sameFate(live);
    });

    test(`whoever is called because he registered registers nobody in his turn: ${scene.name}`, async () => {
      const outer = scene === snat ? '203.0.113.77' : '10.0.0.1';
      const live = new LiveDialogue(scene.sources);
      const side: Side = { from: 'eth1', src: '10.0.0.1', sport: 7000, dst: SERVER, dport: 5060 };
      const call: Side = { from: 'eth0', src: SERVER, sport: 5060, dst: outer, dport: 7000 };
      liveUdp(live, side, register('10.0.0.1', 7000, '<sip:a@10.0.0.1:7000>', '60'));
      liveUdp(
        live,
        call,
        message('SIP/2.0 200 OK', ['CSeq: 1 REGISTER', `m: sip:a@${outer}:7000;expires=60`]),
      );
      // From another port, so it is a flow of its own.
      const other: Side = { ...call, sport: 5090 };
      const [came] = liveUdp(live, other, register(SERVER, 5090, `<sip:b@${SERVER}:5090>`, '60'));
      expect(came!.dst).toBe('10.0.0.1');
      const back: Side = { ...side, sport: came!.dport, dport: 5090 };
      liveUdp(live, back, invite('10.0.0.1', 7000, 'UDP', ['m=audio 40000 RTP/AVP 0']));
      liveUdp(live, other, message('BYE sip:a SIP/2.0', ['CSeq: 2 BYE']));
      await sameFate(live);
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

  test('numbers behind a segment know what was changed in it unless the last message’s body is cut', async () => {
    const first = invite('10.0.0.1', 7000, 'TCP', ['m=audio 40000 RTP/AVP 0']);
    const cut = message('OPTIONS sip:a SIP/2.0', ['CSeq: 1 OPTIONS'], 'x'.repeat(60));
    // As long as all that is left, and one more: then it is no body, as it seems.
    for (const length of [60, 61, cut.length + 1, cut.length + 2, 4294967295]) {
      const live = new LiveDialogue(snat!.sources);
      const client: Side = { from: 'eth1', src: '10.0.0.1', sport: 7000, dst: SERVER, dport: 5060 };
      const tcp = new LiveTcp(live, client, 'eth0', [1000, 5000]);
      tcp.open();
      tcp.say(0, first + cut.replace('Length: 60', `Length: ${String(length)}`));
      tcp.say(0, 'behind');
      await sameFate(live);
    }
  });

  /** Two clients call, each with a medium at a port of its own; the server answers. */
  function twoCalls(ports: readonly number[]): { live: LiveDialogue; outer: string } {
    const live = new LiveDialogue(snat!.sources);
    let outer = '';
    for (const [i, src] of ['10.0.0.1', '10.0.0.7'].entries()) {
      const side: Side = { from: 'eth1', src, sport: 7000 + i, dst: SERVER, dport: 5060 };
      const text = invite(src, side.sport, 'UDP', [`m=audio ${ports[i]} RTP/AVP 0`]);
      for (const came of liveUdp(live, side, text)) {
        const media = sdp(SERVER, [`m=audio ${50000 + 2 * i} RTP/AVP 0`]);
        const answer = message('SIP/2.0 200 OK', ['CSeq: 1 INVITE'], media);
        liveUdp(live, { from: 'eth0', src: SERVER, sport: 5060, dst: came.src, dport: came.sport }, answer);
        outer = came.src;
      }
    }
    return { live, outer };
  }

  test.each([
    ['inside first', [0, 1]],
    ['outside first', [1, 0]],
    ['inside alone', [0, 0]],
    ['outside alone', [1, 1]],
  ])('media of two translated calls come through, %s', async (_, order) => {
    const ports = [40000, 41000];
    const { live, outer } = twoCalls(ports);
    for (const rtcp of [0, 1])
      for (const end of order)
        for (const [i, src] of ['10.0.0.1', '10.0.0.7'].entries()) {
          const sport = ports[i]! + rtcp;
          const dport = 50000 + 2 * i + rtcp;
          const side: Side =
            end === 0
              ? { from: 'eth1', src, sport, dst: SERVER, dport }
              : { from: 'eth0', src: SERVER, sport: dport, dst: outer, dport: sport };
          expect(liveUdp(live, side, 'media')).toHaveLength(1);
        }
    await sameFate(live);
  });

  test('of two translated calls to one server with media at the same port the second is dropped', async () => {
    const { live } = twoCalls([40000, 40000]);
    expect(live.packets).toHaveLength(3);
    await sameFate(live);
  });

  test('a checksum of zero, none, stays when a message is translated', async () => {
    const payload = bytesOf(invite('10.0.0.1', 7000, 'UDP', ['m=audio 40000 RTP/AVP 0']));
    const bytes = udp({ src: '10.0.0.1', dst: SERVER, sport: 7000, dport: 5060, checksum: 0, payload });
    await sameFate({ sources: snat!.sources, packets: [{ from: 'eth1', bytes }] });
  });

  test('a message in fragments is read and translated as a whole', async () => {
    const fill = `\r\nX: ${'y'.repeat(2000)}\r\nContact`;
    const text = invite('10.0.0.1', 7000, 'UDP', ['m=audio 40000 RTP/AVP 0']).replace('\r\nContact', fill);
    const whole = udpPacket('10.0.0.1', 7000, SERVER, 5060, text);
    const packets = fragmentIpv4(whole, 1200).map((bytes): RulePacket => ({ from: 'eth1', bytes }));
    expect(packets).toHaveLength(2);
    await sameFate({ sources: snat!.sources, packets });
  });

  test.each([
    '2001:db8:1::5efe:102:304',
    '2001:db8:1::200:5efe:102:304',
    '2001:db8:0:1:0:1:0:1',
    '2001:0:0:1::1',
    '2001:db8:1:1:1:1:0:1',
  ])('the address %s is written as the kernel writes it', async (address) => {
    const rules = `*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT
*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source ${address}\nCOMMIT\n`;
    const text = message('OPTIONS sip:a SIP/2.0', ['Contact: <sip:a@[fd00::1]:7000>']);
    const bytes = udpPacket('fd00::1', 7000, '2001:db8:7::2', 5060, text);
    const sources = [{ kind: 'ip6tables-legacy' as const, text: rules }];
    await sameFate({ sources, packets: [{ from: 'eth1', bytes }] });
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
  });
});
