import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import * as P from './helper-pptp-messages.ts';
import { differences } from './helper-run.ts';
import { datagram, endsOf, openTalk } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

interface Service {
  readonly name: string;
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  /** What client (0) and server (1) say. */
  readonly says: readonly (readonly [0 | 1, string | Uint8Array])[];
}

const OFFER = `PRIVMSG b :\x01DCC SEND f ${0x0a000001} 5000\n`;
const OPENED = Buffer.from('000000000000100000000000', 'hex');

const SERVICES: readonly Service[] = [
  { name: 'tftp', proto: 'udp', port: 69, says: [[0, '\0\x01file\0octet\0']] },
  { name: 'irc', proto: 'tcp', port: 6667, says: [[0, OFFER]] },
  {
    name: 'pptp',
    proto: 'tcp',
    port: 1723,
    says: [
      [0, P.startRequest()],
      [1, P.startReply()],
      [0, P.outgoingRequest(1)],
      [1, P.outgoingReply(2, 4000)],
    ],
  },
  {
    name: 'amanda',
    proto: 'udp',
    port: 10080,
    says: [
      [0, 'REQ'],
      [1, 'CONNECT DATA 050\n'],
    ],
  },
  { name: 'netbios-ns', proto: 'udp', port: 137, says: [[0, '?']] },
  { name: 'snmp', proto: 'udp', port: 161, says: [[0, '?']] },
  { name: 'snmp_trap', proto: 'udp', port: 162, says: [[0, '?']] },
  {
    name: 'sane',
    proto: 'tcp',
    port: 6566,
    says: [
      [0, Buffer.from('0000000700000001', 'hex')],
      [1, OPENED],
    ],
  },
];

function packetsOf({ proto, port, says }: Service): readonly RulePacket[] {
  const ends = endsOf('snat', port);
  if (proto === 'udp')
    return says.map(([end, text]) => datagram(end === 0 ? ends.client : ends.server, text));
  const talk = openTalk(ends);
  for (const [end, text] of says) talk.say(end, text);
  return talk.packets;
}

describe.skipIf(!rulesUsable())('helpers that iptables assigns', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  const kinds: readonly Source['kind'][] = ['iptables-legacy', 'iptables-nft'];
  test.each(kinds)('%s: -j CT --helper, and SNAT', { timeout: 120_000 }, async (kind) => {
    const dialogues = SERVICES.map((service): Dialogue => {
      const { name, proto, port } = service;
      const text = `*raw
-A PREROUTING -p ${proto} --dport ${port} -j CT --helper ${name}
COMMIT
*nat
-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.9
COMMIT
`;
      return { sources: [{ kind, text }], packets: packetsOf(service) };
    });
    expect(await differences(kernel, dialogues)).toEqual([]);
  });
});
