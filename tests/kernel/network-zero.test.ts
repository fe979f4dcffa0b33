/** Addresses that are nobody's, everybody's or a group's: which packets with them go on, and what rules say of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportDialogue } from './dialogue.ts';
import { udpPacket } from './dialogue-tcp.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

const PAIRS: readonly (readonly [string, string])[] = [
  ['10.0.0.1', '0.0.128.0'],
  ['10.0.0.1', '0.0.0.1'],
  ['10.0.0.1', '0.255.255.255'],
  ['10.0.0.1', '0.0.0.0'],
  ['10.0.0.1', '255.255.255.255'],
  ['0.1.2.3', '198.51.100.1'],
  ['0.1.2.3', '203.0.113.1'],
  ['0.1.2.3', '0.3.4.5'],
  ['0.0.0.1', '255.255.255.255'],
  ['0.0.0.1', '224.0.0.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['0.0.0.0', '10.0.0.1'],
  ['0.0.0.0', '198.51.100.1'],
  ['0.0.0.0', '224.0.0.5'],
  ['0.0.0.0', '255.255.255.255'],
  ['255.255.255.255', '198.51.100.1'],
  ['224.0.0.9', '198.51.100.1'],
  ['203.0.113.255', '198.51.100.1'],
  ['192.168.1.255', '198.51.100.1'],
  ['127.0.0.5', '10.0.0.1'],
];
const PACKETS: readonly RulePacket[] = PAIRS.flatMap(([src, dst], i) =>
  (['eth0', 'eth1'] as const).map((from) => ({ from, bytes: udpPacket(src, 1000 + i, dst, 7, 'x') })),
);

const TYPES = ['unicast', 'local', 'broadcast', 'multicast', 'anycast'];
const FIB = TYPES.flatMap((type) =>
  ['saddr', 'daddr'].map((end) => `fib ${end} type ${type} log prefix "${end} ${type}" group 1\n`),
).join('');
const NFT = `table ip a {
  chain c { type filter hook prerouting priority 0
    ${FIB}
    fib saddr . iif oif missing log prefix "no way back" group 1
  }
}
`;
const log = (prefix: string): string => `-j NFLOG --nflog-group 1 --nflog-prefix ${prefix}\n`;
const XT = `*raw
${TYPES.flatMap((type) =>
  ['src', 'dst'].map(
    (end) => `-A PREROUTING -m addrtype --${end}-type ${type.toUpperCase()} ${log(`${end}-${type}`)}`,
  ),
).join(
  '',
)}${['', '--loose ', '--accept-local '].map((option) => `-A PREROUTING -m rpfilter ${option}${log(`rp${option.trim()}`)}`).join('')}COMMIT
`;

const TRANSLATED = `table ip a {
  chain c { type nat hook prerouting priority -100
    dnat to 0.0.128.0
  }
}
`;

describe.skipIf(!rulesUsable())('addresses of nobody and everybody', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open({ dialogue: true });
  });
  afterAll(() => kernel.close());

  test.each<Source>([
    { kind: 'nft', text: NFT },
    { kind: 'iptables-nft', text: XT },
    { kind: 'nft', text: TRANSLATED },
  ])('go where the kernel lets them go: $kind, $text', { timeout: 60_000 }, async (source) => {
    expect(await reportDialogue(kernel, { sources: [source], packets: PACKETS })).toBe(null);
  });
});
