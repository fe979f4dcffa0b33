import { expect, test } from 'vitest';
import { viewOf } from './build-bytes.ts';
import { udp } from './build-udp.ts';
import { V4 } from './testing.mts';
import { destinationPort, sourcePort, udpChecksum, udpLength } from './udp.ts';

test('the fields of a UDP header are where RFC 768 has them', () => {
  const view = viewOf(udp({ ...V4, sport: 65_535, dport: 53, length: 0x8001, checksum: 0xabcd, payload: 3 }));
  expect([sourcePort(view, 0), destinationPort(view, 0)]).toEqual([65_535, 53]);
  expect([udpLength(view, 0), udpChecksum(view, 0)]).toEqual([0x8001, 0xabcd]);
});
