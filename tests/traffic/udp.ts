import { ipPacket } from '../../engine/packet/build-ip.ts';
import { udp, udplite } from '../../engine/packet/build-udp.ts';
import type { Dice } from './dice.ts';
import { endsOf } from './hosts.ts';

/** UDP and UDP-Lite both ways between few hosts and ports; now and then a wrong length or checksum. */
export function udpPacket(dice: Dice): Uint8Array {
  const ends = endsOf(dice);
  const ports = [2000 + dice.below(6), dice.pick([53, 123, 5060])] as const;
  const [sport, dport] = ends.reversed ? [ports[1], ports[0]] : ports;
  const payload = dice.bytes(dice.pick([0, 1, 3, 20, 300]));
  const there = 8 + payload.length;
  if (dice.chance(25)) {
    const segment = udplite({
      ...ends,
      sport,
      dport,
      payload,
      checksumAs: dice.chance(70) ? 'linux' : 'rfc3828',
      ...(dice.chance(40) ? { coverage: dice.pick([0, 7, 8, there, there - 1, there + 1]) } : {}),
      ...(dice.chance(10) ? { checksum: dice.pick([0, dice.below(65536)]) } : {}),
    });
    return ipPacket(ends, 136, segment);
  }
  const segment = udp({
    ...ends,
    sport,
    dport,
    payload,
    ...(dice.chance(10) ? { length: dice.pick([0, 7, 8, there - 1, there + 1, 65535]) } : {}),
    ...(dice.chance(10) ? { checksum: dice.pick([0, dice.below(65536), 0xffff]) } : {}),
  });
  return ipPacket(ends, 17, dice.chance(2) ? segment.slice(0, dice.below(12)) : segment);
}
