import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Dialogue } from './dialogue.ts';
import { differences, many, SEED } from './helper-run.ts';
import { Chance, datagram, endsOf, helperRules, NATS, type Nat } from './helper-scene.ts';
import { snmpMessage } from './helper-snmp-messages.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket } from './rules-types.ts';

const COUNT = 30;
/** Where a UDP checksum stands in an IPv4 packet without options. */
const CHECKSUM = 26;
/** GetRequest for 1.3 of version 2c. */
const REQUEST: Uint8Array = Buffer.from('301a020101040170a1120201070201000201003007300506012b0500', 'hex');

function madTalk(seed: number, nat: Nat): Dialogue {
  const chance = new Chance(seed);
  const isTrap = chance.below(2) === 0;
  const port = isTrap ? 162 : 161;
  const ends = endsOf(nat, port, 1, chance.of([999, 999, 161, 162]));
  const { client, server } = ends;
  const addresses = [client.src, ends.outer, server.src, client.dst];
  const packets: RulePacket[] = [datagram(client, REQUEST)];
  for (let i = 0; i < 8; i++) {
    const packet = datagram(chance.of([client, server]), snmpMessage(chance, addresses));
    if (chance.below(12) === 0) packet.bytes.fill(0, CHECKSUM, CHECKSUM + 2);
    packets.push(packet);
  }
  return { sources: [helperRules(isTrap ? 'snmp_trap' : 'snmp', 'udp', [port], nat)], packets };
}

describe.skipIf(!rulesUsable())('snmp', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each(NATS)(
    'messages are read, translated and dropped as in the kernel (%s)',
    { timeout: 120_000 },
    async (nat) => {
      const dialogues = many(COUNT, (i) => madTalk(SEED * 1000 + i, nat));
      expect(await differences(kernel, dialogues)).toEqual([]);
    },
  );
});
