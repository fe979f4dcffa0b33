import { EINTR, ENOBUFS } from './libc.ts';
import {
  isMessage,
  messageError,
  messageFlags,
  messageSequence,
  messageType,
  NETLINK_NETFILTER,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  nextMessage,
} from './netlink.ts';
import { NETLINK_LOST, NetlinkError, NetlinkSocket } from './netlink-socket.ts';
import { MessageWriter } from './netlink-writer.ts';

/** Reads the message at `at`. */
export type ReadMessage<T> = (bytes: Uint8Array, view: DataView, at: number) => T;

/**
 * Sends a request for a dump on a socket of its own and reads the answer piece by piece, so that a table of any size
 * takes no memory. The socket is closed when the reading ends, early or not.
 * @param write writes the request, which has NLM_F_DUMP, with the sequence number that it is given
 * @param what as the error says it: `listing flows`
 * @throws NetlinkError: what the kernel refuses; EINTR if the table changed so that the listing is not whole
 */
export function* dumpOf<T>(
  write: (writer: MessageWriter, sequence: number) => void,
  read: ReadMessage<T>,
  what: string,
): Generator<T, void, void> {
  const socket = new NetlinkSocket(NETLINK_NETFILTER);
  try {
    const writer = new MessageWriter();
    const sequence = socket.next();
    write(writer, sequence);
    socket.send(writer, what);
    const { bytes, view } = socket;
    for (;;) {
      const length = socket.receive(true, what);
      if (length === NETLINK_LOST) throw new NetlinkError(what, ENOBUFS);
      for (let at = 0; isMessage(view, at, length); at = nextMessage(view, at)) {
        if (messageSequence(view, at) !== sequence) continue;
        const type = messageType(view, at);
        if ((messageFlags(view, at) & NLM_F_DUMP_INTR) !== 0) throw new NetlinkError(what, EINTR);
        if (type === NLMSG_DONE || type === NLMSG_ERROR) {
          const errno = messageError(view, at);
          if (errno !== 0) throw new NetlinkError(what, errno);
          return;
        }
        yield read(bytes, view, at);
      }
    }
  } finally {
    socket.close();
  }
}
