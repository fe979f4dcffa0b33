import { connect, type Socket } from 'node:net';
import { Failure, UsageError } from '../trouble.ts';
import { addressText, type ControlAddress, clientToken, controlAddress, socketToFind } from './address.ts';
import { LineReader } from './line-reader.ts';
import {
  ANSWER_MOST,
  type EventWish,
  type ExpectNews,
  type FlowNews,
  type Hello,
  type Lists,
  type Ops,
  PROTOCOL_VERSION,
} from './protocol.ts';

/** How often to try to connect, a millisecond longer apart each time: five seconds. */
const TRIES = 100;

/** A running keepstate refused what it was asked: the message says why. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/** Told of events. */
export interface EventListener {
  flow?(news: FlowNews): void;
  expectation?(news: ExpectNews): void;
  /** So many events were left out because this client read too slowly. */
  lost?(count: number): void;
}

/** A question that waits for its answer. */
interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onItems: ((items: readonly unknown[]) => void) | null;
}

/** One line of a server. */
interface Answer {
  readonly id?: number | null;
  readonly ok?: unknown;
  readonly error?: string;
  readonly items?: readonly unknown[];
  readonly end?: boolean;
  readonly event?: FlowNews;
  readonly expect?: ExpectNews;
  readonly lost?: number;
}

/** Reads a line of a server, null if it is none of a keepstate. */
function answerOf(line: string): Answer | null {
  try {
    const answer = JSON.parse(line) as Answer | null;
    const isList = answer?.items === undefined || Array.isArray(answer.items);
    return typeof answer === 'object' && isList ? answer : null;
  } catch {
    return null;
  }
}

/** What connecting failed with, in words for users. */
function whyNot(address: ControlAddress, { code = '', message }: NodeJS.ErrnoException): string {
  const where = addressText(address);
  if (code === 'ENOENT')
    return `no keepstate is running: there is no socket ${where} (keepstate run makes it)`;
  if (code === 'ECONNREFUSED') return `no keepstate is running: nobody listens at ${where}`;
  if (code === 'EACCES' || code === 'EPERM')
    return `cannot connect to ${where}: it belongs to another user (only that one and root may)`;
  return `cannot connect to ${where}: ${message}`;
}

function connectOnce(address: ControlAddress): Promise<Socket | NodeJS.ErrnoException> {
  // A path by its name: as a mere word Node takes one of digits for a port.
  const socket =
    address.kind === 'unix' ? connect({ path: address.path }) : connect(address.port, address.host);
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** Connects. Where many do so at once, Linux tells those for whom there is no room to come again: EAGAIN. */
async function connected(address: ControlAddress): Promise<Socket> {
  for (let tries = 1; ; tries++) {
    const socket = await connectOnce(address);
    if (!(socket instanceof Error)) return socket;
    if (socket.code !== 'EAGAIN' || tries === TRIES) throw new UsageError(whyNot(address, socket), false);
    await new Promise((resolve) => setTimeout(resolve, tries));
  }
}

/** A connection to a running keepstate. */
export class ControlClient {
  /** Who answers. */
  readonly hello: Hello;
  /** Settled when the connection has ended: null if {@link close} ended it, else why. */
  readonly closed: Promise<string | null>;

  private readonly socket: Socket;
  private readonly pending: Map<number, Pending> = new Map();
  private nextId = 1;
  private listener: EventListener | null = null;
  private ended: string | null = null;
  private isClosing = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    // Filled in by connect before anybody gets it.
    this.hello = { protocol: 0, version: '', pid: 0, mode: '', started: 0, now: 0 };
    const reader = new LineReader(ANSWER_MOST, (line) => this.take(line));
    socket.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) this.fail('it sent a line that is too long');
    });
    socket.on('error', (error) => {
      this.ended ??= error.message;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        const why = this.isClosing ? null : (this.ended ?? 'keepstate closed the connection');
        for (const { reject } of this.pending.values())
          reject(new Failure(why ?? 'the connection was closed'));
        this.pending.clear();
        resolve(why);
      });
    });
  }

  /**
   * Connects to a running keepstate.
   * @param where as --control has it; null for the default socket
   * @param env for the default socket, and the token of a TCP port
   * @throws UsageError if none is running there, or it may not be talked to
   */
  static async connect(
    where: string | null,
    env: Readonly<Record<string, string | undefined>>,
  ): Promise<ControlClient> {
    const address = controlAddress(where ?? socketToFind(env));
    const token = address.kind === 'tcp' ? clientToken(env) : undefined;
    const client = new ControlClient(await connected(address));
    try {
      const hello = await client.call('hello', token === undefined ? {} : { token });
      if (hello?.protocol !== PROTOCOL_VERSION) {
        const versions = `protocol ${hello?.protocol}, not ${PROTOCOL_VERSION}`;
        throw new UsageError(`the keepstate at ${addressText(address)} speaks ${versions}`, false);
      }
      Object.assign(client.hello, hello);
      return client;
    } catch (error) {
      client.close();
      if (error instanceof UsageError) throw error;
      throw new UsageError(`cannot talk to ${addressText(address)}: ${(error as Error).message}`, false);
    }
  }

  /**
   * Asks for something that has one answer.
   * @throws ControlError if it is refused, Failure if the connection ends before
   */
  call<K extends keyof Ops>(op: K, args: Ops[K]['in']): Promise<Ops[K]['out']> {
    return this.ask(op, args, null) as Promise<Ops[K]['out']>;
  }

  /**
   * Asks for a list.
   * @param onItems told of each slice as it comes
   * @throws as {@link call} does
   */
  async list<K extends keyof Lists>(
    op: K,
    args: Lists[K]['in'],
    onItems: (items: readonly Lists[K]['item'][]) => void,
  ): Promise<void> {
    await this.ask(op, args, onItems as (items: readonly unknown[]) => void);
  }

  /** Asks for a list, all of it. */
  async all<K extends keyof Lists>(op: K, args: Lists[K]['in']): Promise<Lists[K]['item'][]> {
    const all: Lists[K]['item'][] = [];
    await this.list(op, args, (items) => {
      for (const item of items) all.push(item);
    });
    return all;
  }

  /** Follows events from now on, in place of what was followed before. @returns when the server has begun to tell them */
  async follow(wish: EventWish, listener: EventListener): Promise<void> {
    this.listener = listener;
    await this.call('events', wish);
  }

  /** Ends the connection. */
  close(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  private ask(op: string, args: object, onItems: Pending['onItems']): Promise<unknown> {
    if (this.socket.destroyed) return Promise.reject(new Failure(this.ended ?? 'the connection has ended'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onItems });
      this.socket.write(`${JSON.stringify({ ...args, id, op })}\n`);
    });
  }

  private fail(why: string): void {
    this.ended = why;
    this.socket.destroy();
  }

  /** @returns whether to go on */
  private take(line: string): boolean {
    const answer = answerOf(line);
    if (answer === null) {
      this.fail('it sent something that is no answer of a keepstate');
      return false;
    }
    if (answer.event !== undefined) this.listener?.flow?.(answer.event);
    else if (answer.expect !== undefined) this.listener?.expectation?.(answer.expect);
    else if (answer.lost !== undefined) this.listener?.lost?.(answer.lost);
    else this.settle(answer);
    return !this.socket.destroyed;
  }

  private settle(answer: Answer): void {
    if (answer.id === null) {
      this.ended = answer.error ?? null;
      return;
    }
    const waiting = this.pending.get(answer.id ?? -1);
    if (waiting === undefined) return;
    if (answer.items !== undefined) {
      waiting.onItems?.(answer.items);
      return;
    }
    this.pending.delete(answer.id!);
    if (answer.error !== undefined) waiting.reject(new ControlError(answer.error));
    else waiting.resolve(answer.ok);
  }
}
