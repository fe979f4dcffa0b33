import { gre, pptpGre } from '../../engine/packet/build-gre.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import {
  authenticationHeader,
  destinationOptions,
  fragmentHeader,
  hopByHop,
  routingHeader,
} from '../../engine/packet/build-ipv6.ts';
import { udp } from '../../engine/packet/build-udp.ts';
import type { Dice } from './dice.ts';
import { endsOf } from './hosts.ts';

/** GRE of both versions, and protocols without a tracker of their own. */
export function otherPacket(dice: Dice): Uint8Array {
  const ends = endsOf(dice);
  const payload = dice.bytes(dice.pick([0, 4, 40]));
  if (dice.chance(30)) {
    const message = gre({
      payload,
      checksum: dice.chance(50),
      ...(dice.chance(50) ? { key: dice.below(3) } : {}),
      ...(dice.chance(50) ? { seq: dice.below(100) } : {}),
    });
    return ipPacket(ends, 47, dice.chance(10) ? message.slice(0, dice.below(8)) : message);
  }
  if (dice.chance(50)) {
    const message = pptpGre({
      callId: dice.below(3),
      payload,
      ...(dice.chance(15) ? { protocol: 0x0800 } : {}),
      ...(dice.chance(50) ? { seq: 1 } : {}),
    });
    return ipPacket(ends, 47, dice.chance(10) ? message.slice(0, dice.below(10)) : message);
  }
  return ipPacket(
    ends,
    dice.pick([2, 4, 33, 41, 46, 50, 89, 94, 99, 103, 108, 135, 139, 140, 253, 255, 1, 58]),
    payload,
  );
}

/** IPv6 with extension headers in any number and order, behind them UDP, nothing, or what is no header. */
export function extensionPacket(dice: Dice): Uint8Array {
  const ends = { src: 'fd00:3::1', dst: 'fd00:4::1' };
  const headers = Array.from({ length: dice.between(1, 3) }, () =>
    dice.weighted({ hop: 2, dest: 3, route: 2, ah: 2, frag: 1 }),
  )
    .sort((a, b) => (a === 'hop' ? -1 : b === 'hop' ? 1 : 0))
    .map((kind, i) => {
      if (kind === 'hop' && i === 0) return hopByHop(hopOptions(dice));
      if (kind === 'route') return routingHeader({ segmentsLeft: 0 });
      if (kind === 'ah') return authenticationHeader({});
      if (kind === 'frag' && dice.chance(50))
        return fragmentHeader({ offset: 0, more: false, id: dice.word() });
      return destinationOptions();
    });
  const body = udp({ ...ends, sport: 3000 + dice.below(3), dport: 53, payload: 4 });
  const proto = dice.chance(85) ? 17 : dice.pick([59, 135, 60, 43, 51]);
  const packet = ipPacket({ ...ends, ip: { extensions: headers } }, proto, body);
  return dice.chance(10) ? cutPayload(packet, dice) : packet;
}

/** Hop-by-hop options: none, padding of any kind, known and unknown ones, or noise. */
function hopOptions(dice: Dice): Uint8Array {
  if (dice.chance(40)) return new Uint8Array(0);
  if (dice.chance(20)) return dice.bytes(dice.pick([6, 14]));
  const option = (): Uint8Array =>
    dice.pick([
      Uint8Array.of(0),
      Uint8Array.of(1, 0),
      Uint8Array.of(1, 2, 0, 0),
      Uint8Array.of(1, 2, 0, 1),
      Uint8Array.of(1, 6, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(5, 2, 0, 0),
      Uint8Array.of(5, 3, 0, 0, 0),
      Uint8Array.of(dice.pick([0x1e, 0x3e, 0x5e, 0x9e, 0xde, 0xc2, 0x31, 0x07]), 4, 0, 1, 0, 0),
    ]);
  return Uint8Array.from(Array.from({ length: dice.between(1, 10) }, option).flatMap((o) => [...o]));
}

/** Cuts an IPv6 packet somewhere and makes its length field say so. */
function cutPayload(packet: Uint8Array, dice: Dice): Uint8Array {
  const out = packet.slice(0, dice.between(40, packet.length));
  new DataView(out.buffer).setUint16(4, out.length - 40);
  return out;
}
