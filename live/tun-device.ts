import { DriverError } from './driver.ts';
import {
  close,
  declare,
  EACCES,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOENT,
  ENXIO,
  EPERM,
  errnoName,
  ioctl,
  lastErrno,
  O_NONBLOCK,
  O_RDWR,
  open,
} from './libc.ts';

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFNAMSIZ = 16;
const IFREQ = 40;

/** Checksums, and segments of TCP over IPv4 and IPv6 (also with ECN), may be left to us. */
const TUN_F_CSUM = 1;
const TUN_F_TSO4 = 2;
const TUN_F_TSO6 = 4;
const TUN_F_TSO_ECN = 8;
const OFFLOADS: number = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

const ioctlValue: (fd: number, request: number, value: number) => number = declare(
  'int ioctl(int fd, unsigned long request, uintptr_t value)',
);

/** A TUN device that was opened. */
export interface TunDevice {
  readonly fd: number;
  /** As the kernel calls it; `tun%d` gets a number. */
  readonly name: string;
  /** Whether a struct virtio_net_hdr stands before each packet. */
  readonly hasVnet: boolean;
}

/**
 * Opens a TUN device, and makes it if it is not there; one that was made here goes when it is closed.
 * @param name at most 15 bytes
 * @param offload whether packets may come with partial checksums and not yet cut into segments
 * @throws DriverError
 */
export function openTun(name: string, offload: boolean): TunDevice {
  const named = Buffer.from(name);
  if (named.length === 0 || named.length >= IFNAMSIZ)
    throw new DriverError(`'${name}' is no name of a device`);
  const fd = open('/dev/net/tun', O_RDWR | O_NONBLOCK);
  if (fd < 0) throw new DriverError(openRefusal(lastErrno()));
  const hasVnet = offload;
  const request = new Uint8Array(IFREQ); // struct ifreq: name 16, flags u16
  request.set(named);
  const flags = IFF_TUN | IFF_NO_PI | (hasVnet ? IFF_VNET_HDR : 0);
  new DataView(request.buffer).setUint16(IFNAMSIZ, flags, true);
  if (ioctl(fd, TUNSETIFF, request) < 0) {
    const errno = lastErrno();
    close(fd);
    throw new DriverError(refusal(name, errno));
  }
  // Also to take back what a program before us had offloaded: a device that stays remembers it.
  if (ioctlValue(fd, TUNSETOFFLOAD, hasVnet ? OFFLOADS : 0) < 0) {
    const errno = lastErrno();
    close(fd);
    throw new DriverError(`offloading to ${name}: ${errnoName(errno)}`);
  }
  const given = Buffer.from(request.subarray(0, request.indexOf(0))).toString('utf8');
  return { fd, name: given, hasVnet };
}

/** Why /dev/net/tun cannot be opened, and what to do. */
export function openRefusal(errno: number): string {
  const what = 'opening /dev/net/tun';
  // The kernel asks for the capability only later; this is the file's own mode.
  if (errno === EACCES) return `${what}: its mode keeps this user from it (usual is 0666)`;
  if (errno === ENOENT || errno === ENODEV || errno === ENXIO)
    return `${what}: it is not there: modprobe tun, and in a container --device /dev/net/tun`;
  if (errno === EPERM) return `${what}: the container has no such device: --device /dev/net/tun gives it`;
  return `${what}: ${errnoName(errno)}`;
}

function refusal(name: string, errno: number): string {
  const what = `opening the TUN device ${name}`;
  if (errno === EPERM) return `${what} needs CAP_NET_ADMIN`;
  if (errno === EBUSY) return `${what}: another program has it open`;
  if (errno === EINVAL)
    return `${what}: there is a device of that name which is no TUN device, or has other options`;
  return `${what}: ${errnoName(errno)}`;
}
