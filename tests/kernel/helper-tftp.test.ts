import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import { udpPacket } from './dialogue-tcp.ts';
import { differences } from './helper-run.ts';
import { datagram, endsOf, helperRules, NATS, type Nat } from './helper-scene.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';

const READ = '\0\x01file\0octet\0';
const PAYLOADS: readonly string[] = [
  READ,
  '\0\x02file\0netascii\0',
  '\0\x01',
  '\0\x01x',
  '\0\x03\0\x01data',
  '\0\x05\0\x01no',
  '\0\x06blksize\0',
  '\x01\0file\0',
  '\0',
  '',
];

/** A request, its answer from another port, and what follows. */
function transfer(nat: Nat, payload: string): Dialogue {
  const { client, server } = endsOf(nat, 69);
  const data = { ...server, sport: 1234 };
  return {
    sources: [helperRules('tftp', 'udp', [69], nat)],
    packets: [
      datagram(client, payload),
      datagram(client, payload),
      datagram(data, '\0\x03\0\x01data'),
      datagram(data, '\0\x03\0\x01data'),
      datagram({ ...data, sport: 1235 }, '\0\x03\0\x01other'),
    ],
  };
}

/** As {@link transfer}, and the client acknowledges. */
function whole(nat: Nat): Dialogue {
  const { client, server } = endsOf(nat, 69);
  const data = { ...server, sport: 1234 };
  const toData = { ...client, dport: 1234 };
  const packets = [datagram(client, READ), datagram(data, '\0\x03\0\x01data')];
  packets.push(datagram(toData, '\0\x04\0\x01'), datagram(data, '\0\x03\0\x02data'));
  packets.push(datagram(server, READ), datagram(data, '\0\x03\0\x02data'));
  return { sources: [helperRules('tftp', 'udp', [69], nat)], packets };
}

describe.skipIf(!rulesUsable())('tftp', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)('a request is answered from another port as in the kernel (%s)', async (nat) => {
    expect(await differences(kernel, [whole(nat)])).toEqual([]);
    const dialogues = PAYLOADS.map((payload) => transfer(nat, payload));
    expect(await differences(kernel, dialogues)).toEqual([]);
  });

  test.each(NATS)('a request that another flow expects the answer of is dropped (%s)', async (nat) => {
    const packets = [69, 70, 70].map((port) => datagram(endsOf(nat, port).client, READ));
    const dialogue = { sources: [helperRules('tftp', 'udp', [69, 70], nat)], packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });

  test('over IPv6 too', async () => {
    const [client, server] = ['fd00:1::5', '2001:db8:9::1'];
    const up = (dport: number, payload: string): RulePacket => ({
      from: 'eth1',
      bytes: udpPacket(client, 3000, server, dport, payload),
    });
    const down = (payload: string): RulePacket => ({
      from: 'eth0',
      bytes: udpPacket(server, 1234, client, 3000, payload),
    });
    const packets = [up(69, READ), down('\0\x03\0\x01data'), up(1234, '\0\x04\0\x01')];
    const dialogue = { sources: [helperRules('tftp', 'udp', [69], 'none')], packets };
    expect(await differences(kernel, [dialogue])).toEqual([]);
  });
});
