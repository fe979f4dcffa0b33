import { Socket } from 'node:net';

const NOTHING = new Uint8Array(0);

/** Reads a pipe without blocking the process, so that Ctrl-C reaches it while it waits for whoever writes. */
export class Pipe {
  private readonly socket: Socket;
  private readonly chunks: AsyncIterator<Buffer>;
  private stopped = false;

  /** @param fd of a FIFO or socket; it is closed by {@link stop} */
  constructor(fd: number) {
    this.socket = new Socket({ fd, readable: true, writable: false });
    this.chunks = this.socket[Symbol.asyncIterator]();
  }

  /**
   * What comes next; empty when all writers have closed the pipe, or after {@link stop}.
   * @throws Error of the system
   */
  async read(): Promise<Uint8Array> {
    try {
      const { value, done } = await this.chunks.next();
      return done ? NOTHING : value;
    } catch (error) {
      if (this.stopped) return NOTHING;
      throw error;
    }
  }

  /** Closes it. A read that waits ends. */
  stop(): void {
    this.stopped = true;
    this.socket.destroy();
  }
}
