import {
  AF_NETLINK,
  bind,
  check,
  close,
  ENOBUFS,
  lastErrno,
  MSG_DONTWAIT,
  MSG_TRUNC,
  recvAt,
  SOCK_RAW,
  socket,
} from './libc.ts';
import { NETLINK_ROUTE } from './netlink.ts';
import { Memory } from './ring-memory.ts';

const RTMGRP_LINK = 1;
const PAGE = 4096;

/**
 * Tells when network devices come, go, or go up and down. What happened is not read from the messages: whoever waits
 * looks at the devices that matter to him, and so misses nothing when messages are lost.
 */
export class InterfaceWatch {
  /** Readable when something happened. */
  readonly fd: number;
  private readonly memory: Memory;

  /** @throws DriverError */
  constructor() {
    const what = 'watching network devices';
    this.fd = check(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), what);
    const address = new Uint8Array(12); // struct sockaddr_nl: family, port id, groups
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, RTMGRP_LINK, true);
    check(bind(this.fd, address), what);
    this.memory = Memory.map(PAGE);
  }

  /** Whether anything happened since this was asked last. */
  happened(): boolean {
    // Cut messages do no harm. Where some were lost, something happened for sure.
    for (let any = false; ; any = true) {
      const isRead = recvAt(this.fd, this.memory.address, PAGE, MSG_DONTWAIT | MSG_TRUNC) >= 0;
      if (!isRead && lastErrno() !== ENOBUFS) return any;
    }
  }

  close(): void {
    close(this.fd);
    this.memory.close();
  }
}
