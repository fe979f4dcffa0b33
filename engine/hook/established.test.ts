import { describe, expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_ACK, TH_FIN, TH_SYN } from '../packet/tcp.ts';
import { Firewall } from './firewall.ts';
import { ruleNumber } from './outcome.ts';
import type { PacketTrace } from './packet-trace.ts';
import { Ruleset } from './ruleset.ts';
import { gateway } from './testing.mts';

const chain = (rules: string, more = ''): string => `table ip t {
  chain forward {
    type filter hook forward priority 0; policy drop
${rules}
    tcp dport 80 accept
  }
${more}
}
`;
const ESTABLISHED = 'ct state established,related counter accept';

/** Between texts of different tools. */
const NEXT = '# next\n';

/** A table of iptables that sees packets first. */
const RAW = (rules: string, name = 'raw'): string =>
  `*${name}\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rules}\nCOMMIT\n${NEXT}`;

/** Rulesets by what they do with packets of established flows. */
const RULESETS: readonly (readonly [string, string])[] = [
  ['accept them first', chain(ESTABLISHED)],
  ['accept them by a set', chain('ct state { established, related } accept')],
  ['look them up in a verdict map', chain('ct state vmap { established : accept, invalid : drop }')],
  ['jump and come back', chain(`jump none\n${ESTABLISHED}`, 'chain none {\n counter\n}')],
  ['jump to where they are accepted', chain('jump some', `chain some {\n counter ${ESTABLISHED}\n}`)],
  ['go to a chain, and thereby to the policy', chain('ct state established goto none', 'chain none {\n}')],
  ['ask for more first', chain(`ip ttl < 10 drop\n${ESTABLISHED}`)],
  ['drop them', chain('ct state established drop')],
  [
    'count them in PREROUTING too',
    `${chain(ESTABLISHED)}table ip u {
  chain first {
    type filter hook prerouting priority mangle
    ct state established counter
  }
}
`,
  ],
  [
    'look at them when they leave',
    `${chain(ESTABLISHED)}table ip u {
  chain last {
    type filter hook postrouting priority 0
    ip daddr 10.0.0.5 tcp flags fin drop
  }
}
`,
  ],
  [
    'are those of iptables',
    `*mangle
:FORWARD ACCEPT [0:0]
COMMIT
*filter
:FORWARD DROP [0:0]
:early - [0:0]
-A FORWARD -j early
-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT
-A early -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`,
  ],
  [
    'come behind others that see packets untracked',
    `${RAW('-A PREROUTING -p tcp --dport 21 -j CT --helper ftp')}${chain(ESTABLISHED)}`,
  ],
  [
    'come behind some that give them helpers',
    `${RAW('-A PREROUTING -p tcp --dport 80 -j CT --helper ftp')}${chain(ESTABLISHED)}`,
  ],
  [
    'come behind some that do not track them',
    `${RAW('-A PREROUTING -p tcp --sport 80 -j CT --notrack')}${chain(ESTABLISHED)}`,
  ],
  [
    'come behind some that drop them',
    `${RAW('-A PREROUTING -p tcp --tcp-flags FIN FIN -j DROP')}${chain(ESTABLISHED)}`,
  ],
  [
    'come behind some that mark and change them',
    `${RAW('-A PREROUTING -j MARK --set-mark 7\n-A PREROUTING -m ttl --ttl-eq 5 -j TTL --ttl-set 9', 'mangle')}${chain(ESTABLISHED)}${NEXT}${RAW('-A PREROUTING -p tcp -j MARK --set-mark 9')}`,
  ],
  [
    'come behind some that ask for zones',
    `${RAW('-A PREROUTING -s 10.0.0.5 -j CT --zone-orig 3')}${chain(ESTABLISHED)}`,
  ],
  ['accept them nowhere, behind others', `${RAW('-A PREROUTING -p tcp --dport 81')}${chain('counter')}`],
];

const out = { src: '10.0.0.5', dst: '198.51.100.7', sport: 1000, dport: 80 };
const back = { src: out.dst, dst: out.src, sport: 80, dport: 1000 };
const PACKETS: readonly Uint8Array[] = [
  tcpPacket({ ...out, flags: TH_SYN, seq: 1 }),
  tcpPacket({ ...back, flags: TH_SYN | TH_ACK, seq: 1, ack: 2 }),
  tcpPacket({ ...out, flags: TH_ACK, seq: 2, ack: 2 }),
  tcpPacket({ ...out, flags: TH_ACK, seq: 2, ack: 2, ip: { ttl: 1 } }),
  tcpPacket({ ...back, flags: TH_ACK, seq: 2, ack: 2, ip: { ttl: 5 } }),
  tcpPacket({ ...back, flags: TH_ACK, seq: 2, ack: 99999999 }),
  tcpPacket({ ...back, flags: TH_FIN | TH_ACK, seq: 2, ack: 2 }),
  tcpPacket({ ...out, dport: 81, flags: TH_SYN, seq: 1 }),
  tcpPacket({ ...out, flags: TH_ACK, seq: 2, ack: 3 }),
];

const UNMOVED: PacketTrace = {
  atHook: () => undefined,
  tracked: () => undefined,
  enter: () => undefined,
  matched: () => undefined,
  unmatched: () => undefined,
  unknown: () => undefined,
  returned: () => undefined,
  policy: () => undefined,
};

/** What becomes of each packet, and the ruleset with its counters. */
function play(text: string, wantsBytes: boolean, isGateway: boolean, isTraced = false): string[] {
  const ruleset = new Ruleset();
  for (const part of text.split(NEXT))
    if (part !== '') expect(ruleset.load({ name: 'rules', text: part })).toEqual([]);
  const host = isGateway ? { host: gateway() } : {};
  const firewall = new Firewall({ ...host, rules: ruleset.tables() });
  // With the bytes of what leaves, every packet goes past every rule.
  firewall.wantsBytes = wantsBytes;
  // And where somebody follows them, each takes the general way.
  if (isTraced) firewall.tracer = UNMOVED;
  const pkt = new Packet();
  const lines = PACKETS.map((bytes, i) => {
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    const code = firewall.receive(pkt, DLT_RAW, 1000 + i);
    const { verdict, hook, chain, rule, ifin, ifout, answers } = firewall.outcome;
    const where = `${chain?.name} ${ruleNumber(chain, rule)}`;
    return `${code} ${verdict} ${hook} ${where} ${ifin}>${ifout} ${answers.length} ${pkt.ctinfo}`;
  });
  return [...lines, ruleset.list(null, true)];
}

describe.each(RULESETS)(
  'packets of established flows fare the same by the short way where rules %s',
  (_, text) => {
    test.each([
      ['nothing is known of', false],
      ['has addresses', true],
    ])('on a host that %s', (_, isGateway) => {
      const quick = play(text, false, isGateway);
      expect(quick).toEqual(play(text, true, isGateway));
      expect(quick).toEqual(play(text, false, isGateway, true));
    });
  },
);

test('packets of an established flow are counted where the first rule accepts them', () => {
  const lines = play(chain(ESTABLISHED), false, false);
  expect(lines[0]).toBe('1 accept 2 forward 2 2>3 0 2');
  expect(lines[2]).toBe('1 accept 2 forward 1 2>3 0 0');
  expect(lines.at(-1)).toContain('counter packets 5 bytes 200 accept');
});
