import { AF_INET, AF_INET6 } from '@keepstate/engine';
import {
  addressOf,
  check,
  close,
  declare,
  MSG_DONTWAIT,
  SOCK_RAW,
  SOL_SOCKET,
  setIntOption,
  socket,
} from './libc.ts';

const sendto: (
  fd: number,
  bytes: number,
  length: number,
  flags: number,
  address: number,
  addressLength: number,
) => number = declare(
  'int sendto(int fd, uintptr_t bytes, size_t length, int flags, uintptr_t address, uint addressLength)',
);

/** IPPROTO_RAW: the IP header comes with the packet. */
const IPPROTO_RAW = 255;
const SO_MARK = 36;
/** struct sockaddr_in: family 2, port 2, address 4 at 4, zeros 8. */
const SOCKADDR_IN = 16;
/** struct sockaddr_in6: family 2, port 2, flow 4, address 16 at 8, scope 4 at 24. */
const SOCKADDR_IN6 = 28;
/** Longest IP packet. */
const MOST_BYTES = 65_576;

/**
 * Sends IP packets as if this machine had made them: they are routed by their destination and pass OUTPUT and
 * POSTROUTING, with a mark by which rules there know them.
 */
export class RawSender {
  sent = 0;
  unsent = 0;
  private readonly fd4: number;
  /** -1 where there is no IPv6. */
  private readonly fd6: number;
  private readonly address: Uint8Array = new Uint8Array(new ArrayBuffer(SOCKADDR_IN6));
  private readonly view: DataView = new DataView(this.address.buffer);
  private readonly pointer: number = addressOf(this.address);
  private readonly packet: Uint8Array = new Uint8Array(new ArrayBuffer(MOST_BYTES));
  private readonly packetPointer: number = addressOf(this.packet);

  /**
   * @param mark that the packets have
   * @throws DriverError
   */
  constructor(mark: number) {
    this.fd4 = check(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), 'opening a raw socket', 'CAP_NET_RAW');
    this.fd6 = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
    for (const fd of [this.fd4, this.fd6])
      if (fd >= 0)
        check(
          setIntOption(fd, SOL_SOCKET, SO_MARK, mark),
          'marking answers of the firewall',
          'CAP_NET_ADMIN',
        );
  }

  /**
   * Sends a packet.
   * @param bytes from its IP header on
   * @param ifindex of the device, which link-local addresses need
   */
  send(bytes: Uint8Array, ifindex: number): void {
    const isIpv4 = bytes[0]! >> 4 === 4;
    const { address, view } = this;
    address.fill(0);
    view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
    if (isIpv4) for (let i = 0; i < 4; i++) address[4 + i] = bytes[16 + i]!;
    else for (let i = 0; i < 16; i++) address[8 + i] = bytes[24 + i]!;
    const isOfLink = !isIpv4 && bytes[24] === 0xfe && (bytes[25]! & 0xc0) === 0x80;
    if (isOfLink) view.setUint32(24, ifindex, true);
    const fd = isIpv4 ? this.fd4 : this.fd6;
    const length = isIpv4 ? SOCKADDR_IN : SOCKADDR_IN6;
    this.packet.set(bytes);
    if (sendto(fd, this.packetPointer, bytes.length, MSG_DONTWAIT, this.pointer, length) < 0) this.unsent++;
    else this.sent++;
  }

  close(): void {
    close(this.fd4);
    if (this.fd6 >= 0) close(this.fd6);
  }
}
