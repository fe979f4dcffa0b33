import { AF_INET } from '../packet/packet.ts';
import { ARPHRD_NONE, type HostModel, LOOPBACK } from './model.ts';
import { maskWord } from './prefix.ts';

/**
 * The mask of the network whose broadcast address this is, if a device has an address in it.
 * @param device number of the device
 * @param broadcast an IPv4 address as a word
 * @returns 0 if there is none; devices without a link layer have no broadcast (measured: TUN)
 */
export function broadcastMask(host: HostModel, device: number, broadcast: number): number {
  if (device <= LOOPBACK || host.devices[device]?.type === ARPHRD_NONE) return 0;
  for (const { device: of, prefix } of host.addresses) {
    if (of !== device || prefix.family !== AF_INET || prefix.length >= 31) continue;
    const mask = maskWord(prefix.length, 0);
    if ((prefix.words[0]! | ~mask) === broadcast) return mask;
  }
  return 0;
}
