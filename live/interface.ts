import { DriverError } from './driver.ts';
import { AF_PACKET, check, close, ioctl, SOCK_DGRAM, socket } from './libc.ts';

const SIOCGIFHWADDR = 0x8927;
const IFNAMSIZ = 16;
const IFREQ = 40;

/** ARPHRD_*: what a device's link layer is. */
export const ARPHRD_ETHER = 1;
export const ARPHRD_LOOPBACK = 772;

/**
 * ARPHRD_* of a device.
 * @throws DriverError if there is no device of that name
 */
export function deviceType(name: string): number {
  const request = new Uint8Array(IFREQ); // struct ifreq: name, then struct sockaddr with the type as its family
  request.set(Buffer.from(name).subarray(0, IFNAMSIZ - 1));
  const fd = check(socket(AF_PACKET, SOCK_DGRAM, 0), `looking at ${name}`, 'CAP_NET_RAW');
  const found = ioctl(fd, SIOCGIFHWADDR, request);
  close(fd);
  if (found < 0) throw new DriverError(`there is no network device ${name}`);
  return new DataView(request.buffer).getUint16(IFNAMSIZ, true);
}
