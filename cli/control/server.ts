import { createHash, timingSafeEqual } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { EventKind } from '../format/event-line.ts';
import { UsageError } from '../trouble.ts';
import { Broadcast, type Reader } from './broadcast.ts';
import { CLIENTS_MOST } from './protocol.ts';
import { type Handlers, type Hub, ServerClient } from './server-client.ts';
import { clearSocket } from './socket-file.ts';

/** How often clients are looked at that do not read (ms). */
const LOOK_EVERY = 5_000;
/** Connections that the kernel holds ready while we are busy with packets. */
const BACKLOG = 511;

/** Bits of what clients follow. */
export const FOLLOW_BITS: Readonly<Record<EventKind, number>> = { NEW: 1, UPDATE: 2, DESTROY: 4 };
export const FOLLOW_EXPECT = 8;

const ALL_KINDS = FOLLOW_BITS.NEW | FOLLOW_BITS.UPDATE | FOLLOW_BITS.DESTROY;

function wishOf({ kinds, expect }: Readonly<Record<string, unknown>>): number {
  const expectBit = expect === true ? FOLLOW_EXPECT : 0;
  if (kinds === undefined) return ALL_KINDS | expectBit;
  if (!Array.isArray(kinds)) throw new TypeError('kinds is no list');
  let wish = expectBit;
  for (const kind of kinds) {
    if (!Object.hasOwn(FOLLOW_BITS, kind as string))
      throw new TypeError(`unknown kind of event: ${String(kind)}`);
    wish |= FOLLOW_BITS[kind as EventKind];
  }
  return wish;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The control socket: who may connect, who is connected, and who follows events. */
export class ControlServer implements Hub {
  readonly handlers: Handlers;
  /** Hands events to those who follow them. */
  readonly broadcast: Broadcast = new Broadcast();
  /** Called when somebody begins to follow events, or the last one stops. */
  onFollowers: (() => void) | null = null;

  private readonly servers: Server[] = [];
  private readonly clients: Set<ServerClient> = new Set();
  private readonly timer: NodeJS.Timeout;
  private tokenDigest: Buffer = digest('');
  private socketPath: string | null = null;

  constructor(handlers: Handlers) {
    this.handlers = handlers;
    this.timer = setInterval(() => this.look(), LOOK_EVERY);
    this.timer.unref();
  }

  /** How many are connected. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * Listens at a Unix socket that only our own user (and root) can open: its mode is 0600 from its first moment on.
   * @throws UsageError if the socket cannot be made
   */
  async listenUnix(path: string): Promise<void> {
    await clearSocket(path);
    await this.listen((server) => {
      // Node binds a path within the call, so that the umask is that of this socket alone.
      const before = process.umask(0o177);
      try {
        server.listen({ path, backlog: BACKLOG });
      } finally {
        process.umask(before);
      }
    }, false);
    this.socketPath = path;
  }

  /**
   * Listens at a TCP port of the loopback interface.
   * @param port 0 takes any
   * @param token what clients have to say first
   * @returns the port
   * @throws UsageError if that cannot be done
   */
  async listenTcp(port: number, token: string): Promise<number> {
    if (token === '') throw new UsageError('the token of the control port is empty', false);
    this.tokenDigest = digest(token);
    const server = await this.listen((s) => s.listen({ host: '127.0.0.1', port, backlog: BACKLOG }), true);
    return (server.address() as { port: number }).port;
  }

  isToken(token: unknown): boolean {
    // Digests have one length, and comparing them takes one time.
    return typeof token === 'string' && timingSafeEqual(digest(token), this.tokenDigest);
  }

  follow(reader: Reader, wish: Readonly<Record<string, unknown>>): void {
    this.broadcast.set(reader, wishOf(wish));
    this.onFollowers?.();
  }

  gone(client: ServerClient): void {
    this.clients.delete(client);
    this.broadcast.set(client, 0);
    this.onFollowers?.();
  }

  /** Ends all connections, and removes the socket. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.broadcast.flush();
    for (const client of this.clients) client.end();
    const ended = this.servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    // Node has removed the socket itself by now.
    if (this.socketPath !== null) {
      try {
        unlinkSync(this.socketPath);
      } catch {
        // So it is gone.
      }
    }
    const patience = setTimeout(() => {
      for (const client of this.clients) client.destroy();
    }, 200);
    await Promise.all(ended);
    clearTimeout(patience);
    this.broadcast.close();
  }

  private async listen(bind: (server: Server) => void, needsToken: boolean): Promise<Server> {
    // Who has asked all, as `echo … | nc -U` has, still waits for answers.
    const server = createServer({ allowHalfOpen: true }, (socket) => this.accept(socket, needsToken));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new UsageError(`cannot open the control socket: ${error.message}`, false)),
      );
      server.once('listening', resolve);
      bind(server);
    });
    // What goes wrong with a single connection (EMFILE) is no reason to end.
    server.on('error', () => {});
    this.servers.push(server);
    return server;
  }

  private accept(socket: Socket, needsToken: boolean): void {
    if (this.clients.size >= CLIENTS_MOST) {
      socket.on('error', () => {});
      // Whatever it sends is of no interest; read it is, or it would be there until it goes by itself.
      socket.resume();
      socket.end('{"id":null,"error":"there are too many clients"}\n', () => socket.destroySoon());
      return;
    }
    this.clients.add(new ServerClient(socket, this, needsToken));
  }

  private look(): void {
    const now = performance.now();
    for (const client of this.clients) client.checkStalled(now);
  }
}
