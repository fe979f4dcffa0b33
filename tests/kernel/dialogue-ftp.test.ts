/** The FTP helper against the kernel's: announcements of all kinds and pieces, with and without translation. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice } from '../traffic/dice.ts';
import { reportDialogue } from './dialogue.ts';
import { type FtpScene, ftpDialogue, SCENES } from './dialogue-ftp.ts';
import { LiveDialogue, LiveTcp } from './dialogue-live.ts';
import { type End, TcpTalk } from './dialogue-tcp.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';

/** Generated dialogues for each scene. */
const DIALOGUES = 3;

/** What a client says, one connection each; `A` stands for its address with commas, `B` as it is written. */
const CLIENT: readonly string[] = [
  'PORT A,4,1\r\n',
  'PORT A,4,1\r',
  'PORT A,4,1\n',
  'PORT A,4,1 \r\n',
  'PORT  A,4,1\r\n',
  'PORT A,4,1',
  'PORTxyz A,4,1\r\n',
  'port A,0,80\r\n',
  'PORT A,0,0\r\n',
  'PORT A,260,1\r\n',
  'PORT A,4,300\r\n',
  'PORT 448,168,1,5,4,1\r\n',
  'PORT 192,168,257,5,4,1\r\n',
  'PORT 4294967488,168,1,5,4,1\r\n',
  'PORT ,,,,,\r\n',
  'PORT 192,168,1,5,4\r\n',
  'PORT 192,168,1,5,4,1,1\r\n',
  'PORT 192,0,2,9,4,1\r\n',
  'EPRT |1|B|1025|\r\n',
  'EPRT |2|B|1025|\r\n',
  'EPRT !1!B!1025!\r\n',
  'EPRT ,1,B,1025,\r\n',
  'EPRT 119B91025\r\n',
  'EPRT \x7f1\x7fB\x7f1025\x7f\r\n',
  'EPRT |1|B|70000|\r\n',
  'EPRT |1|B|65536|\r\n',
  'EPRT |1|B|0|\r\n',
  'EPRT |1|B||\r\n',
  'EPRT |1|B|1025\r\n',
  'EPRT |1|B|1025|x y z\r\n',
  'EPRT |1|B|99999999999999999999999|\r\n',
  'EPRT |1||1025|\r\n',
  'EPRT |1|\r\n',
  'EPRT ||B|1025|\r\n',
  'EPRT |\r\n',
  'EPRT \r\n',
  'EPRT\r\n',
  'EPR',
  'P',
  'LIST\r\n',
];

/** IPv6 addresses as a client might write its own, fd00:1::5. */
const SPELLINGS: readonly string[] = [
  'fd00:1::5',
  'FD00:1::5',
  'fd00:0001:0:0:0:0:0:5',
  'fd00:1:0:0:0:0:0:0005',
  'fd00:1:0:0:0:0:0:00005',
  'fd00:1::0.0.0.5',
  'fd00:1:0:0:0:0:0.0.0.5',
  'fd00:1::0:0.0.0.5',
  'fd00:1::0.0.5',
  'fd00:1::0.0.0.005',
  'fd00:1::0.0.0.0.5',
  'fd00:1:::5',
  'fd00:1::5:',
  ':fd00:1::5',
  'fd00:1::0::5',
  'fd00:1:0:0:0:0:0:0:5',
  'fd00:1::0:0:0:0:0:5',
  'fd00:1:0:0:0:0::5',
  'fd00:1:0:0:0:0:0::5',
  'fd00:1:0:0:0:0:5',
  'fd00:1::5%1',
  '[fd00:1::5]',
  'fd00:1::g',
  '::',
  '::5',
  '1::',
  ':',
  '',
];

/** What a server says. */
const SERVER: readonly string[] = [
  '227 Entering Passive Mode (A,4,1)\r\n',
  '227 Entering Passive Mode (A,4,1\r\n',
  '227 A,4,1\r\n',
  '227 A,4,1',
  '227 =A,4,1\r\n',
  '227 1 A,4,1\r\n',
  '227-A,4,1\r\n',
  '227 no numbers here\r\n',
  '227 (10,0,0,1,4,1)\r\n',
  '227\r\n',
  '229 Entering Extended Passive Mode (|||1025|)\r\n',
  '229 (!!!1025!)\r\n',
  '229 |||1025|\r\n',
  '229 (|1||1025|)\r\n',
  '229 (||||)\r\n',
  '229 (|||0|)\r\n',
  '229 (|||70000|)\r\n',
  '229 (|||10 25|)\r\n',
  '229 (|||1025|',
  '229 (|||1025',
  '229 (',
  '22',
  '220 hello\r\n',
];

/** Each line on a connection of its own, behind a greeting; then somebody connects to a port of the speaker. */
function lines(scene: FtpScene, end: 0 | 1, all: readonly string[]): LiveDialogue {
  const dialogue = new LiveDialogue(scene.sources);
  for (const [n, line] of all.entries()) {
    const control = new LiveTcp(dialogue, scene.client(n), scene.serverFrom, [1000, 7000]);
    control.open();
    control.say(1, '220 ready\r\n');
    control.say(0, 'USER x\r\n');
    const own = control.side(end)!;
    // A port for each: of two that are translated to the same one the second gets another.
    const text = line
      .replace(/,4,1\b/, `,4,${n}`)
      .replace('1025', String(1024 + n))
      .replace('A', own.src.replaceAll('.', ','))
      .replace('B', own.src);
    control.say(end, text);
    control.say(end, 'NOOP\r\n');
    const peer = control.side(end === 0 ? 1 : 0)!;
    new LiveTcp(dialogue, { ...peer, sport: 30000 + n, dport: 1024 + n }, own.from, [1, 2]).open();
  }
  return dialogue;
}

/** An announcement cut in two at every byte, each cut on a connection of its own with a port of its own. */
function cuts(scene: FtpScene, end: 0 | 1, textOf: (n: number) => string): LiveDialogue {
  const dialogue = new LiveDialogue(scene.sources);
  for (let at = 1; at < textOf(10).length; at++) {
    const text = textOf(at + 10);
    const control = new LiveTcp(dialogue, scene.client(at), scene.serverFrom, [1000, 7000]);
    control.open();
    control.say(1, '220 ready\r\n');
    control.say(0, 'USER x\r\n');
    control.say(end, text.slice(0, at));
    control.say(end, text.slice(at));
    control.say(end, text);
  }
  return dialogue;
}

const HOST = '203.0.113.1';
const HOST2 = '203.0.113.2';
const OUTSIDE = '198.51.100.7';

const HOST_RULES = `table inet t {
  ct helper f { type "ftp" protocol tcp; }
  chain o { type filter hook output priority -150; tcp dport { 21, 2121 } ct helper set "f"
  }
  chain p { type filter hook prerouting priority -150; tcp dport { 21, 2121 } ct helper set "f"
  }
}
`;

function natRule(hook: string, rule: string): string {
  const priority = hook === 'output' ? -100 : 100;
  return `table ip n { chain c { type nat hook ${hook} priority ${priority}; ${rule}\n}\n}\n`;
}

interface HostTalk {
  readonly name: string;
  readonly client: Omit<End, 'dport' | 'sport'>;
  /** As the server sees it. */
  readonly server: Omit<End, 'dport'>;
  readonly nat?: string;
}

/** Connections of which this host is one end, or both. */
const HOST_TALKS: readonly HostTalk[] = [
  {
    name: 'this host as the client',
    client: { from: 'host', src: HOST, dst: OUTSIDE },
    server: { from: 'eth0', src: OUTSIDE, sport: 21, dst: HOST },
  },
  {
    name: 'this host as the server',
    client: { from: 'eth0', src: OUTSIDE, dst: HOST },
    server: { from: 'host', src: HOST, sport: 21, dst: OUTSIDE },
  },
  {
    name: 'this host as both: the helper reads each packet twice',
    client: { from: 'host', src: HOST, dst: HOST2 },
    server: { from: 'host', src: HOST2, sport: 21, dst: HOST },
  },
  {
    name: 'this host as both, its address translated',
    client: { from: 'host', src: HOST, dst: HOST2 },
    server: { from: 'host', src: HOST2, sport: 21, dst: '192.168.1.1' },
    nat: natRule('postrouting', 'oifname "lo" tcp dport 21 snat to 192.168.1.1'),
  },
  {
    name: 'this host as both, the server translated: numbers are adjusted once',
    client: { from: 'host', src: HOST, dst: HOST2 },
    server: { from: 'host', src: '192.168.1.1', sport: 2121, dst: HOST },
    nat: natRule('output', 'tcp dport 21 dnat to 192.168.1.1:2121'),
  },
  {
    name: 'this host as the client of a server that is translated',
    client: { from: 'host', src: HOST, dst: '8.8.8.8' },
    server: { from: 'eth0', src: OUTSIDE, sport: 2121, dst: HOST },
    nat: natRule('output', 'tcp dport 21 dnat to 198.51.100.7:2121'),
  },
];

/** Announcements of both ends, which say their own addresses. */
function hostTalk({ client, server }: HostTalk): TcpTalk {
  const talk = new TcpTalk({ ...client, sport: 40000, dport: 21 }, { ...server, dport: 40000 });
  talk.open().say(1, '220 x\r\n').say(0, 'USER x\r\n');
  talk.say(0, `PORT ${client.src.replaceAll('.', ',')},4,1\r\n`).say(0, 'NOOP\r\n');
  talk.say(1, `227 (${server.src.replaceAll('.', ',')},5,1)\r\n`).say(1, '229 (|||1282|)\r\n');
  return talk;
}

describe.skipIf(!rulesUsable())('FTP', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(async () => {
    await kernel.close();
  });

  const agrees = async (dialogue: LiveDialogue): Promise<void> => {
    expect(await reportDialogue(kernel, dialogue)).toBe(null);
  };

  for (const scene of SCENES) {
    describe(scene.name, () => {
      test('generated dialogues go as in the kernel', async () => {
        for (let seed = 1; seed <= DIALOGUES; seed++) await agrees(ftpDialogue(scene, new Dice(seed), 2, 14));
      }, 60_000);

      test('what a client may say', async () => agrees(lines(scene, 0, CLIENT)), 60_000);

      test('what a server may say', async () => agrees(lines(scene, 1, SERVER)), 60_000);

      test('commands and answers cut at every byte', async () => {
        const client = scene.client(0).src;
        const port = (n: number): string =>
          scene.v6 ? `EPRT |2|${client}|${1024 + n}|\r\n` : `PORT ${client.replaceAll('.', ',')},4,${n}\r\n`;
        await agrees(cuts(scene, 0, port));
        await agrees(cuts(scene, 1, (n) => `229 Entering Extended Passive Mode (|||${1024 + n}|)\r\n`));
      }, 60_000);
    });
  }

  const masked = SCENES.find(({ name }) => name === 'IPv4 behind source translation')!;

  /** Clients behind one address, each of which announces the port. */
  const rivals = (port: number, count: number): LiveDialogue => {
    const dialogue = new LiveDialogue(masked.sources);
    for (let n = 0; n < count; n++) {
      const side = { ...masked.client(n), src: `192.168.1.${10 + n}` };
      const control = new LiveTcp(dialogue, side, 'eth0', [1000, 7000]);
      control.open();
      control.say(1, '220 x\r\n');
      control.say(0, 'USER x\r\n');
      control.say(0, `EPRT |1|${side.src}|${port}|\r\n`);
    }
    return dialogue;
  };

  test('at the end of the ports there is no other one to choose: the announcement is dropped', async () => {
    for (const port of [65534, 65535]) await agrees(rivals(port, 3));
  }, 30_000);

  test('of clients that announce one port each gets its own, at random above it', async () => {
    const dialogue = rivals(65000, 20);
    const { sources, packets } = dialogue;
    const run = await kernel.run({ sources, packets, tables: 'end' });
    const theirs = run.tables!.expects.map(({ tuple }) => tuple.dport!);
    const ours = [...dialogue.run.tables().expects.keys()].map((line) =>
      Number(/ 0\/(\d+)\//.exec(line)![1]),
    );
    for (const ports of [theirs, ours]) {
      expect(ports.length).toBe(20);
      expect(new Set(ports).size).toBe(20);
      expect(Math.min(...ports)).toBe(65000);
      expect(ports.every((port) => port < 65535)).toBe(true);
    }
  }, 30_000);

  test.each(HOST_TALKS)(
    '$name',
    async (about) => {
      const sources = [{ kind: 'nft', text: HOST_RULES + (about.nat ?? '') }] as const;
      expect(
        await reportDialogue(kernel, { sources, packets: hostTalk(about).packets }, { each: true }),
      ).toBe(null);
    },
    30_000,
  );

  test('an IPv6 address may be written in many ways', async () => {
    const scene = SCENES.find(({ name }) => name === 'IPv6')!;
    await agrees(
      lines(
        scene,
        0,
        SPELLINGS.map((text) => `EPRT |2|${text}|1025|\r\n`),
      ),
    );
  }, 60_000);
});
