import { icmp, icmpError } from '../../engine/packet/build-icmp.ts';
import { icmpv6, icmpv6Error, icmpv6Redirect } from '../../engine/packet/build-icmpv6.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import type { Dice } from './dice.ts';
import { endsOf } from './hosts.ts';
import { destinationOf, sourceOf } from './look.ts';

const QUERIES_V4: readonly number[] = [8, 0, 8, 0, 13, 14, 15, 16, 17, 18];
const QUERIES_V6: readonly number[] = [128, 129, 128, 129, 139, 140];
const ERRORS_V4: readonly number[] = [3, 4, 5, 11, 12];
const ERRORS_V6: readonly number[] = [1, 2, 3, 4, 0, 100, 127];

/** Requests and replies that may or may not belong together, and any other type. */
export function icmpPacket(dice: Dice): Uint8Array {
  const ends = endsOf(dice);
  const v6 = ends.src.includes(':');
  const type = dice.chance(15) ? dice.below(256) : dice.pick(v6 ? QUERIES_V6 : QUERIES_V4);
  const fields = {
    type,
    code: dice.chance(5) ? dice.below(4) : 0,
    id: dice.below(4),
    seq: dice.below(10),
    payload: dice.bytes(dice.pick([0, 1, 8, 56])),
    ...(dice.chance(4) ? { checksum: dice.below(65536) } : {}),
  };
  const message = v6 ? icmpv6({ ...ends, ...fields }) : icmp(fields);
  return ipPacket(ends, v6 ? 58 : 1, dice.chance(2) ? message.slice(0, dice.below(10)) : message);
}

/**
 * An error about a packet that was sent before, or nearly so: cut short, changed, sent to somebody else.
 * @param about the packet, from its IP header on
 */
export function errorPacket(dice: Dice, about: Uint8Array): Uint8Array {
  const quoted = about.slice();
  if (dice.chance(8) && quoted.length > 0)
    quoted[dice.below(Math.min(quoted.length, 60))]! ^= 1 << dice.below(8);
  const v6 = quoted[0]! >> 4 === 6;
  const sender = sourceOf(about);
  const receiver = destinationOf(about);
  if (sender === null || receiver === null || sender.includes(':') !== v6) return icmpPacket(dice);
  const dst = dice.chance(6) ? (v6 ? 'fd00:9::9' : '10.9.9.9') : sender;
  const src = dice.chance(50) ? receiver : v6 ? 'fd00:8::1' : '10.8.0.1';
  const fields = {
    type: dice.pick(v6 ? ERRORS_V6 : ERRORS_V4),
    code: dice.below(5),
    quoted,
    rest: dice.pick([0, 1280, dice.word()]),
    ...(dice.chance(20) ? { quoteLength: dice.below(70) } : {}),
    ...(dice.chance(3) ? { checksum: dice.below(65536) } : {}),
  };
  if (v6 && dice.chance(15)) {
    const from = dice.chance(80) ? 'fe80::1' : src;
    const redirect = icmpv6Redirect({
      target: 'fe80::2',
      destination: receiver,
      ...(dice.chance(85) ? { quoted: about } : {}),
    });
    const ip = { ttl: dice.chance(85) ? 255 : 64 };
    return ipPacket(
      { src: from, dst, ip },
      58,
      icmpv6({ src: from, dst, ...redirect, ...(dice.chance(10) ? { code: 1 } : {}) }),
    );
  }
  const message = v6 ? icmpv6Error({ src, dst, ...fields }) : icmpError(fields);
  return ipPacket({ src, dst }, v6 ? 58 : 1, message);
}
