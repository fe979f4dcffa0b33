import { describe, expect, test } from 'vitest';
import { tcpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_ACK, TH_FIN, TH_SYN } from '../packet/tcp.ts';
import { Firewall } from './firewall.ts';
import { ruleNumber } from './outcome.ts';
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

/** What becomes of each packet, and the ruleset with its counters. */
function play(text: string, wantsBytes: boolean, isGateway: boolean): string[] {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'rules', text })).toEqual([]);
  const host = isGateway ? { host: gateway() } : {};
  const firewall = new Firewall({ ...host, rules: ruleset.tables() });
  // With the bytes of what leaves, every packet goes past every rule.
  firewall.wantsBytes = wantsBytes;
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
      expect(play(text, false, isGateway)).toEqual(play(text, true, isGateway));
    });
  },
);

test('packets of an established flow are counted where the first rule accepts them', () => {
  const lines = play(chain(ESTABLISHED), false, false);
  expect(lines[0]).toBe('1 accept 2 forward 2 2>3 0 2');
  expect(lines[2]).toBe('1 accept 2 forward 1 2>3 0 0');
  expect(lines.at(-1)).toContain('counter packets 5 bytes 200 accept');
});
