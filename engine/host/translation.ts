import { AF_INET, AF_INET6 } from '../packet/packet.ts';

import { commonBits } from './prefix.ts';
import { type LocalAddress, wordsAt } from './source-address.ts';

/** A host, as far as it has addresses. */
interface Addresses {
  /** In the order in which they were added. */
  readonly addresses: readonly LocalAddress[];
}

/** Scope of ::1 and of 127/8, which no packet that leaves may have. */
function isOfHost({ prefix }: LocalAddress): boolean {
  const { words } = prefix;
  return words.length === 1 && words[0]! >>> 24 === 127;
}

/** Whether an address came to a network of its device that had one already: Linux then calls it secondary. */
function isSecondary(addresses: readonly LocalAddress[], at: number): boolean {
  const { device, prefix } = addresses[at]!;
  return addresses.some(
    (other, i) =>
      i < at &&
      other.device === device &&
      other.prefix.family === prefix.family &&
      other.prefix.length === prefix.length &&
      commonBits(other.prefix.words, prefix.words) >= prefix.length,
  );
}

/** The IPv4 addresses that count, in order: those that are not secondary, and not of this host alone. */
function primaries(host: Addresses): LocalAddress[] {
  const { addresses } = host;
  return addresses.filter(
    (address, i) => address.prefix.family === AF_INET && !isOfHost(address) && !isSecondary(addresses, i),
  );
}

/**
 * The IPv4 address that packets are masqueraded with (inet_select_addr): the first of the device in whose network the
 * next hop is, else the device's first, else the first of any other.
 */
export function masqueradeAddress4(host: Addresses, device: number, hop: number): readonly number[] | null {
  const all = primaries(host);
  const own = all.filter((address) => address.device === device);
  const near = own.find(({ prefix }) => commonBits(prefix.words, [hop]) >= prefix.length);
  return (near ?? own[0] ?? all[0])?.prefix.words ?? null;
}

/** The IPv4 address that packets are redirected to: the first of the device that they came in by. */
export function redirectAddress4(host: Addresses, device: number): readonly number[] | null {
  return (
    host.addresses.find((address) => address.device === device && address.prefix.family === AF_INET)?.prefix
      .words ?? null
  );
}

/** Whether an IPv6 address is one of its link's. */
function isOfLink(words: readonly number[]): boolean {
  return words[0]! >>> 22 === 0xfe80 >>> 6;
}

/**
 * The IPv6 address that packets are redirected to: the first of the device that they came in by, of the same scope as
 * their destination.
 */
export function redirectAddress6(
  host: Addresses,
  device: number,
  view: DataView,
  at: number,
): readonly number[] | null {
  const wanted = isOfLink(wordsAt(AF_INET6, view, at));
  return (
    host.addresses.find(
      (address) =>
        address.device === device &&
        address.prefix.family !== AF_INET &&
        isOfLink(address.prefix.words) === wanted,
    )?.prefix.words ?? null
  );
}
