import type { Socket } from 'node:net';
import type { Reader } from './broadcast.ts';
import { LineReader } from './line-reader.ts';
import { LINE_MOST, parseRequest, type Request, WAITING_MOST } from './protocol.ts';

/** What waits to be read by a client (bytes) before it is asked no more, and before it loses events. */
const OUTSTANDING_MOST = 1024 * 1024;
/** Events that one client may lose before it is cut off. */
const LOST_MOST = 1_000_000;
/** How long a client may leave everything unread (ms). */
const STALLED_MOST = 60_000;
/** How long a client may take to say its token (ms). */
const TOKEN_WAIT = 5_000;

/** What answers the questions of clients. Whatever it throws is told as an error. */
export interface Handlers {
  /** Answers an op, at once or later. @throws whatever: its message goes to the client */
  call(op: string, args: Readonly<Record<string, unknown>>): unknown;
  /** The slices of a list, null if the op is no list. Between two of them packets have their turn. */
  list(op: string, args: Readonly<Record<string, unknown>>): Iterator<readonly unknown[]> | null;
}

/** What a client needs of the server. */
export interface Hub {
  readonly handlers: Handlers;
  /** Whether a token is the right one. */
  isToken(token: unknown): boolean;
  /** Follows events. @throws if the wish is none */
  follow(reader: Reader, wish: Readonly<Record<string, unknown>>): void;
  gone(client: ServerClient): void;
}

/** A list that goes out, or waits for the one before it. */
interface ListJob {
  readonly id: number;
  readonly slices: Iterator<readonly unknown[]>;
}

/** One connection to the control socket. */
export class ServerClient implements Reader {
  private readonly socket: Socket;
  private readonly hub: Hub;
  private isKnown: boolean;
  private readonly jobs: ListJob[] = [];
  /** Questions that are not answered yet. */
  private waiting = 0;
  /** It sends nothing more. */
  private isDone = false;
  /** Events that it was not told of, since it was told so last, and altogether. */
  private lost = 0;
  private lostAll = 0;
  /** What it had read when it was looked at last (bytes), and when that was more than before (ms). */
  private read = 0;
  private readAt: number = performance.now();

  /** @param needsToken whether it has to say one first */
  constructor(socket: Socket, hub: Hub, needsToken: boolean) {
    this.socket = socket;
    this.hub = hub;
    this.isKnown = !needsToken;
    const reader = new LineReader(LINE_MOST, (line) => this.take(line));
    socket.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) this.refuse(`a line has at most ${LINE_MOST} bytes`);
      this.brake();
    });
    socket.on('drain', () => this.drained());
    socket.on('end', () => {
      this.isDone = true;
      this.endIfAnswered();
    });
    // It ends with 'close', too.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.jobs.length = 0;
      hub.gone(this);
    });
    if (needsToken) {
      const timer = setTimeout(() => {
        if (!this.isKnown) this.refuse('no token came');
      }, TOKEN_WAIT);
      timer.unref();
    }
  }

  deliver(bytes: Buffer, count: number, lost: number): void {
    const { socket } = this;
    if (socket.destroyed) return;
    this.lost += lost;
    if (socket.writableLength + bytes.length > OUTSTANDING_MOST) {
      this.lost += count;
      this.lostAll += count;
      if (this.lostAll > LOST_MOST) socket.destroy();
      return;
    }
    this.tellLost();
    if (count > 0) socket.write(bytes);
  }

  /** Cuts it off if it has read nothing for too long though there was something to read. */
  checkStalled(now: number): void {
    const { socket } = this;
    const read = socket.bytesWritten - socket.writableLength;
    if (socket.writableLength === 0 || read > this.read) {
      this.read = read;
      this.readAt = now;
    } else if (now - this.readAt > STALLED_MOST) socket.destroy();
  }

  /** Ends the connection once what was written is read, or at once. */
  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private tellLost(): void {
    if (this.lost === 0) return;
    this.socket.write(`{"lost":${this.lost}}\n`);
    this.lost = 0;
  }

  private drained(): void {
    if (this.socket.destroyed) return;
    this.tellLost();
    if (this.waiting < WAITING_MOST) this.socket.resume();
    if (this.jobs.length > 0) this.nextSlice();
  }

  /** A client that does not read its answers, or asks faster than it is answered, has to wait. */
  private brake(): void {
    if (this.waiting >= WAITING_MOST || this.socket.writableLength > OUTSTANDING_MOST) this.socket.pause();
  }

  private refuse(why: string): void {
    if (this.socket.destroyed) return;
    this.socket.end(`${JSON.stringify({ id: null, error: why })}\n`);
    // Whatever else it sends is of no interest.
    this.socket.removeAllListeners('data');
    this.socket.resume();
    const { socket } = this;
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  /** @returns whether to go on reading */
  private take(line: string): boolean {
    if (this.socket.destroyed || this.socket.writableEnded) return false;
    const request = parseRequest(line);
    if (request === null) {
      this.refuse('that is no request: expected a line such as {"id":1,"op":"status"}');
      return false;
    }
    if (!this.isKnown) {
      if (request.op !== 'hello' || !this.hub.isToken(request.args.token)) {
        this.refuse('the token is wrong');
        return false;
      }
      this.isKnown = true;
    }
    this.answer(request);
    return true;
  }

  private answer({ id, op, args }: Request): void {
    try {
      if (op === 'events') {
        this.hub.follow(this, args);
        this.reply(id, null);
        return;
      }
      const slices = this.hub.handlers.list(op, args);
      if (slices !== null) {
        this.begin(id, slices);
        return;
      }
      const answer = this.hub.handlers.call(op, args);
      if (answer instanceof Promise) this.await(id, answer);
      else this.reply(id, answer);
    } catch (error) {
      this.fail(id, error);
    }
  }

  private await(id: number, answer: Promise<unknown>): void {
    this.waiting++;
    answer
      .then(
        (value) => this.reply(id, value),
        (error: unknown) => this.fail(id, error),
      )
      .finally(() => this.answered());
  }

  private answered(): void {
    this.waiting--;
    if (!this.socket.destroyed && this.socket.writableLength <= OUTSTANDING_MOST) this.socket.resume();
    this.endIfAnswered();
  }

  /** Ends the connection of one that asks no more, once it has all answers. */
  private endIfAnswered(): void {
    if (this.isDone && this.waiting === 0) this.socket.end();
  }

  private reply(id: number, value: unknown): void {
    this.write({ id, ok: value ?? null });
  }

  private fail(id: number, error: unknown): void {
    this.write({ id, error: error instanceof Error ? error.message : String(error) });
  }

  private write(answer: object): void {
    if (!this.socket.destroyed && !this.socket.writableEnded)
      this.socket.write(`${JSON.stringify(answer)}\n`);
  }

  private begin(id: number, slices: ListJob['slices']): void {
    this.waiting++;
    this.jobs.push({ id, slices });
    if (this.jobs.length === 1) this.nextSlice();
  }

  /** Writes slices of the first list, one in each turn, until it is done or the client has enough to read. */
  private nextSlice(): void {
    const job = this.jobs[0];
    if (job === undefined || this.socket.destroyed || this.socket.writableLength > OUTSTANDING_MOST) return;
    try {
      const { done, value } = job.slices.next();
      if (done !== true) {
        if (value.length > 0) this.write({ id: job.id, items: value });
        setImmediate(() => {
          if (this.jobs[0] === job) this.nextSlice();
        });
        return;
      }
      this.write({ id: job.id, end: true });
    } catch (error) {
      this.fail(job.id, error);
    }
    this.jobs.shift();
    this.answered();
    if (this.jobs.length > 0) this.nextSlice();
  }
}
