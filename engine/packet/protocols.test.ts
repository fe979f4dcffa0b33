import { expect, test } from 'vitest';
import { protocolName, protocolNumber } from './protocols.ts';

test('protocols have the names that conntrack(8) prints', () => {
  const names = [1, 6, 17, 33, 47, 58, 132, 136].map(protocolName);
  expect(names).toEqual(['icmp', 'tcp', 'udp', 'dccp', 'gre', 'icmpv6', 'sctp', 'udplite']);
});

test('a protocol without a name is unknown, as conntrack(8) prints ESP and IGMP', () => {
  expect([0, 2, 50, 99, 255].map(protocolName)).toEqual(Array(5).fill('unknown'));
});

test('a name leads back to its number, and no other word does', () => {
  for (const proto of [1, 6, 17, 33, 47, 58, 132, 136]) {
    expect(protocolNumber(protocolName(proto))).toBe(proto);
  }
  for (const word of ['unknown', 'TCP', '6', '']) expect(protocolNumber(word)).toBeUndefined();
});
