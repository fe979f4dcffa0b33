import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import { SYN, tcpPacket, udpPacket } from './dialogue-tcp.ts';
import { differences, many, SEED } from './helper-run.ts';
import { Chance, datagram, endsOf, helperRules, NATS, type Nat } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';

const COUNT = 15;
const REPLY =
  'Amanda 2.4 REP HANDLE 000-00000000 SEQ 1\nCONNECT DATA 50000 MESG 50001 INDEX 50002\nOPTIONS features=x;\n';
const HEADS: readonly string[] = ['', '', 'Amanda 2.4 REP HANDLE 0 SEQ 1\n', 'X\n'];
const CONNECTS: readonly string[] = [
  ...Array<string>(5).fill('CONNECT '),
  ...['connect ', 'CONNECT', 'XCONNECT ', 'CONNECT  ', 'CONNECT CONNECT '],
];
const STREAMS: readonly string[] = ['DATA ', 'MESG ', 'INDEX ', 'STATE ', 'DATA', 'data ', 'FOO '];
const ODD_PORTS: readonly string[] = [
  ...['0', '', 'x', '99999', '65536', '65535', '00070', '000007', '123456', '7x', '-1', ' 7'],
];
const ENDS: readonly string[] = ['\n', '\n', '\nOPTIONS x;\n', '', '\nCONNECT DATA 9\n', ' ', 'DATA 10'];

function answer(chance: Chance, port: () => number): string {
  let text = chance.of(HEADS) + chance.of(CONNECTS);
  for (let i = chance.below(5); i > 0; i--) {
    const number = chance.below(4) === 0 ? chance.of(ODD_PORTS) : String(port());
    text += chance.of(STREAMS) + number + chance.of([' ', ' ', '  ', '\n', '']);
  }
  return text + chance.of(ENDS);
}

/** Answers of all kinds. No port is named twice, so that none is drawn at random under translation. */
function madTalk(seed: number, nat: Nat): Dialogue {
  const chance = new Chance(seed);
  const { client, server } = endsOf(nat, 10080, 1, 800);
  let last = 6000;
  const packets: RulePacket[] = [datagram(client, 'REQ')];
  for (let i = 0; i < 7; i++) {
    let text = answer(chance, () => last++);
    if (chance.below(6) === 0)
      text = Buffer.from(chance.damage(Buffer.from(text, 'latin1'), 2)).toString('latin1');
    packets.push(datagram(chance.below(6) === 0 ? client : server, text));
  }
  return { sources: [helperRules('amanda', 'udp', [10080], nat)], packets };
}

describe.skipIf(!rulesUsable())('amanda', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)('answers are read as in the kernel (%s)', { timeout: 120_000 }, async (nat) => {
    const dialogues = many(COUNT, (i) => madTalk(SEED * 1000 + i, nat));
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test.each(NATS)('the streams that an answer names are opened (%s)', async (nat) => {
    const { client, server } = endsOf(nat, 10080, 1, 800);
    const packets = [datagram(client, 'REQ'), datagram(server, REPLY)];
    for (const port of [50001, 50000, 50002, 50003]) {
      const { from, src, dst } = client;
      packets.push({ from, bytes: tcpPacket(src, port, dst, port, { flags: SYN, seq: 1, ack: 0 }) });
    }
    packets.push(datagram(client, 'ACK'), datagram(server, ''));
    const dialogue = { sources: [helperRules('amanda', 'udp', [10080], nat)], packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });

  test('an answer that names a port of another answer is dropped', async () => {
    const packets = [800, 801].flatMap((sport) => {
      const { client, server } = endsOf('none', 10080, 1, sport);
      return [datagram(client, 'REQ'), datagram(server, REPLY)];
    });
    const dialogue = { sources: [helperRules('amanda', 'udp', [10080], 'none')], packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });

  test('over IPv6 too', async () => {
    const [client, server] = ['fd00:1::5', '2001:db8:9::1'];
    const packets: RulePacket[] = [
      { from: 'eth1', bytes: udpPacket(client, 800, server, 10080, 'REQ') },
      { from: 'eth0', bytes: udpPacket(server, 10080, client, 800, REPLY) },
      { from: 'eth1', bytes: tcpPacket(client, 9, server, 50000, { flags: SYN, seq: 1, ack: 0 }) },
    ];
    const dialogue = { sources: [helperRules('amanda', 'udp', [10080], 'none')], packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });
});
