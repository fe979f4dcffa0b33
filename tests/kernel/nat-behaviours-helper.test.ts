/**
 * FTP and TFTP through a filter that lets in only what is expected, under every translation: with a helper the data come
 * through, without it they do not. After what Open vSwitch and the kernel's selftests chose to test, in our own words.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialogue, reportDialogue } from './dialogue.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side } from './dialogue-live.ts';
import { addressBytes, addressText } from './dialogue-tcp.ts';
import { filterChain, natChain, table } from './nat-tell.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { Source } from './rules-types.ts';

const OBJECTS = 'ct helper ftp { type "ftp" protocol tcp; }\nct helper tftp { type "tftp" protocol udp; }\n';
const ASSIGN = 'tcp dport { 21, 2121 } ct helper set "ftp"\nudp dport { 69, 6969 } ct helper set "tftp"';
const GATE = filterChain(
  'forward',
  0,
  'ct state established,related accept\nct state new tcp dport { 21, 2121 } accept\nct state new udp dport { 69, 6969 } accept',
  'drop',
);
const HELPED = table('inet', OBJECTS, filterChain('prerouting', -150, ASSIGN), GATE);
const UNHELPED = table('inet', GATE);
const HELPED_XT = `*raw
-A PREROUTING -p tcp -m multiport --dports 21,2121 -j CT --helper ftp
-A PREROUTING -p udp -m multiport --dports 69,6969 -j CT --helper tftp
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -p tcp -m multiport --dports 21,2121 -j ACCEPT
-A FORWARD -p udp -m multiport --dports 69,6969 -j ACCEPT
COMMIT
`;
const IN4 = '192.168.1.5';
const OUT4 = '198.51.100.7';
const IN6 = 'fd00:1::5';
const OUT6 = '2001:db8:5::1';

/** Who speaks to whom through what translation. */
interface Scene {
  readonly name: string;
  readonly nat: string;
  readonly xt?: string;
  /** Client and the address that it knows the server by; the server's port is the protocol's, or `port`. */
  readonly ends: readonly [string, string];
  readonly port?: number;
  readonly inward?: true;
}

const SCENES: readonly Scene[] = [
  { name: 'untranslated', nat: '', xt: '', ends: [IN4, OUT4] },
  { name: 'on another port', nat: '', xt: '', ends: [IN4, OUT4], port: 1 },
  {
    name: 'source translated',
    nat: table('ip', natChain('postrouting', 'oifname "eth0" snat to 203.0.113.2')),
    xt: '*nat\n-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.2\nCOMMIT\n',
    ends: [IN4, OUT4],
  },
  {
    name: 'destination translated',
    nat: table('ip', natChain('prerouting', 'iifname "eth0" ip daddr 203.0.113.1 dnat to 192.168.1.6')),
    xt: '*nat\n-A PREROUTING -i eth0 -d 203.0.113.1 -j DNAT --to-destination 192.168.1.6\nCOMMIT\n',
    ends: [OUT4, '203.0.113.1'],
    inward: true,
  },
  {
    name: 'both translated',
    nat: table(
      'ip',
      natChain('prerouting', 'iifname "eth0" ip daddr 203.0.113.1 dnat to 192.168.1.6'),
      natChain('postrouting', 'oifname "eth1" ip daddr 192.168.1.6 snat to 192.168.1.1'),
    ),
    xt: '*nat\n-A PREROUTING -i eth0 -d 203.0.113.1 -j DNAT --to-destination 192.168.1.6\n-A POSTROUTING -o eth1 -d 192.168.1.6 -j SNAT --to-source 192.168.1.1\nCOMMIT\n',
    ends: [OUT4, '203.0.113.1'],
    inward: true,
  },
  { name: 'IPv6, untranslated', nat: '', ends: [IN6, OUT6] },
  { name: 'IPv6, on another port', nat: '', ends: [IN6, OUT6], port: 1 },
  {
    name: 'IPv6, source translated',
    nat: table('ip6', natChain('postrouting', 'oifname "eth0" snat to 2001:db8:1::20')),
    ends: [IN6, OUT6],
  },
  {
    name: 'IPv6, destination translated',
    nat: table('ip6', natChain('prerouting', 'iifname "eth0" ip6 daddr 2001:db8:1::1 dnat to fd00:1::6')),
    ends: [OUT6, '2001:db8:1::1'],
    inward: true,
  },
  {
    name: 'IPv6, both translated',
    nat: table(
      'ip6',
      natChain('prerouting', 'iifname "eth0" ip6 daddr 2001:db8:1::1 dnat to fd00:1::6'),
      natChain('postrouting', 'oifname "eth1" snat to fd00:1::1'),
    ),
    ends: [OUT6, '2001:db8:1::1'],
    inward: true,
  },
];

/** A client's side of a connection to a well-known port, or the other one that rules name. */
function clientOf({ ends: [src, dst], port, inward }: Scene, known: number, sport = 40000): Side {
  const other = known === 21 ? 2121 : 6969;
  const dport = port === undefined ? known : other;
  return { from: inward === true ? 'eth0' : 'eth1', src, sport, dst, dport };
}

const facing = ({ inward }: Scene): 'eth0' | 'eth1' => (inward === true ? 'eth1' : 'eth0');

/** Address and port out of an announcement as it arrived. */
function announcedIn(text: string): readonly [string, number] | null {
  const numbers = /(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/.exec(text)?.slice(1);
  if (numbers !== undefined)
    return [numbers.slice(0, 4).join('.'), Number(numbers[4]) * 256 + Number(numbers[5])];
  const [, address = '', port] = /\|\d?\|([^|]*)\|(\d+)\|/.exec(text) ?? [];
  return port === undefined ? null : [address, Number(port)];
}

/** One who serves and one who fetches; whether the data connection could be opened. */
function ftp(dialogue: LiveDialogue, scene: Scene, mode: 'active' | 'passive', n = 0): boolean {
  const control = new LiveTcp(dialogue, clientOf(scene, 21, 40000 + n), facing(scene), [1000, 7000]);
  expect(control.open()).toBe(true);
  control.say(1, '220 ready\r\n');
  control.say(0, 'USER x\r\n');
  const speaker = mode === 'active' ? 0 : 1;
  const own = control.side(speaker)!;
  const peer = control.side(speaker === 0 ? 1 : 0)!;
  const port = 1284 + n;
  const commas = `${own.src.replaceAll('.', ',')},5,${port - 1280}`;
  const v6 = own.src.includes(':');
  const command = v6 ? `EPRT |2|${own.src}|${port}|\r\n` : `PORT ${commas}\r\n`;
  const answer = v6 ? `229 Extended (|||${port}|)\r\n` : `227 Passive (${commas})\r\n`;
  const heard = control.say(speaker, speaker === 0 ? command : answer)!.toString('latin1');
  const [address, to] = announcedIn(heard)!;
  const side = { ...peer, sport: mode === 'active' ? 20 : 50000 + n, dst: address || peer.dst, dport: to };
  const data = new LiveTcp(dialogue, side, own.from, [1, 2]);
  const isOpen = data.open();
  if (isOpen) data.say(0, 'data');
  // Numbers go on in both directions, shifted or not.
  control.say(0, 'NOOP\r\n');
  control.say(1, '200 ok\r\n');
  control.say(0, 'QUIT\r\n');
  return isOpen;
}

/** A request, and whether data from another port reach the one who asked. */
function tftp(dialogue: LiveDialogue, scene: Scene): boolean {
  const client = clientOf(scene, 69);
  const asked = liveUdp(dialogue, client, '\0\x01file\0octet\0')[0]!;
  const server = { from: facing(scene), src: asked.dst, sport: 5000, dst: asked.src, dport: asked.sport };
  const [data] = liveUdp(dialogue, server, '\0\x03\0\x01data');
  if (data === undefined) return false;
  const ack = { ...client, dport: data.sport };
  const isHis = addressText(addressBytes(client.src)) === data.dst;
  return isHis && liveUdp(dialogue, ack, '\0\x04\0\x01').length === 1;
}

function rulesets({ nat, xt }: Scene): readonly (readonly [string, readonly Source[]])[] {
  const nft = [{ kind: 'nft', text: HELPED + nat }] as const;
  const both = (kind: 'iptables-nft' | 'iptables-legacy') => [{ kind, text: HELPED_XT + xt }] as const;
  return [
    ['nft', nft],
    ...(xt === undefined
      ? []
      : ([
          ['iptables-nft', both('iptables-nft')],
          ['iptables-legacy', both('iptables-legacy')],
        ] as const)),
  ];
}

const CASES = SCENES.flatMap((scene) =>
  rulesets(scene).map(([language, sources]) => [scene.name, language, scene, sources] as const),
);

describe.skipIf(!rulesUsable())('behind a filter that lets in only what is expected', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  }, 60_000);
  afterAll(() => kernel.close());

  const agrees = async (dialogue: Dialogue): Promise<void> => {
    expect(await reportDialogue(kernel, dialogue)).toBe(null);
  };

  test.each(CASES)(
    'FTP data and TFTP data come through: %s (%s)',
    async (_name, _language, scene, sources) => {
      for (const mode of ['active', 'passive'] as const) {
        const dialogue = new LiveDialogue(sources);
        expect(ftp(dialogue, scene, mode)).toBe(true);
        await agrees(dialogue);
      }
      const dialogue = new LiveDialogue(sources);
      expect(tftp(dialogue, scene)).toBe(true);
      await agrees(dialogue);
    },
    60_000,
  );

  test.each(SCENES.map((scene) => [scene.name, scene] as const))(
    'without a helper nothing comes: %s',
    async (_name, scene) => {
      const sources = [{ kind: 'nft', text: UNHELPED + scene.nat }] as const;
      // Announcements stay as they are said: of translated ones nobody knows the address.
      const dialogue = new LiveDialogue(sources);
      expect(ftp(dialogue, scene, 'active')).toBe(false);
      expect(ftp(dialogue, scene, 'passive', 1)).toBe(false);
      expect(tftp(dialogue, scene)).toBe(false);
      await agrees(dialogue);
    },
    60_000,
  );

  test.each(SCENES.filter(({ port }) => port === undefined).map((scene) => [scene.name, scene] as const))(
    'several connections announce at once, and each gets its own data: %s',
    async (_name, scene) => {
      const dialogue = new LiveDialogue([{ kind: 'nft', text: HELPED + scene.nat }]);
      for (let n = 0; n < 4; n++)
        expect(ftp(dialogue, scene, n % 2 === 0 ? 'active' : 'passive', n)).toBe(true);
      await agrees(dialogue);
    },
    60_000,
  );

  test('what is expected in one zone is not in another, where the same connection has no helper', async () => {
    const zones = filterChain('prerouting', -300, 'ip ttl 64 ct zone set 4');
    const rules = `${HELPED}${table('ip', zones, natChain('postrouting', 'oifname "eth0" snat to 203.0.113.2'))}`;
    const dialogue = new LiveDialogue([{ kind: 'nft', text: rules }]);
    expect(ftp(dialogue, SCENES[2]!, 'active')).toBe(true);
    expect([...dialogue.run.tables().flows.keys()].every((line) => line.includes('zones 4,4'))).toBe(true);
    await agrees(dialogue);
  }, 30_000);
});
