// TCP connections that end in unusual ways, by the kernel's own TCP.
// Usage: tcp.ts serve | tcp.ts half-close ADDRESS | tcp.ts reset ADDRESS

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { READY } from './start.ts';

// One port for each way to end.
const CLIENT_ENDS_FIRST = 7001;
const SERVER_ENDS_FIRST = 7002;
const SERVER_RESETS = 7003;
const BYTES = 20_000;

const SERVES: readonly (readonly [number, (socket: Socket) => void])[] = [
  // Answers only after the client's FIN, which must not end the other direction.
  [CLIENT_ENDS_FIRST, (socket) => socket.resume().on('end', () => socket.end(Buffer.alloc(BYTES)))],
  // Sends its FIN at once and goes on reading.
  [SERVER_ENDS_FIRST, (socket) => socket.resume().end('goodbye\n')],
  [SERVER_RESETS, (socket) => socket.once('data', () => socket.resetAndDestroy())],
];

async function serve(): Promise<void> {
  await Promise.all(
    SERVES.map(async ([port, handle]) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => {}); // a reset, as wanted
        handle(socket);
      });
      await once(server.listen(port, '::'), 'listening');
    }),
  );
  console.log(READY);
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** One direction ends, the other goes on: FIN_WAIT and CLOSE_WAIT last for a while. */
async function halfClose(host: string): Promise<void> {
  const first = await open(host, CLIENT_ENDS_FIRST);
  let received = 0;
  first.on('data', (data) => {
    received += data.length;
  });
  first.end(Buffer.alloc(BYTES));
  await once(first, 'end');
  if (received !== BYTES) throw new Error(`received ${received} bytes of ${BYTES} after the FIN`);

  const second = (await open(host, SERVER_ENDS_FIRST)).resume();
  await once(second, 'end');
  for (let i = 0; i < 5; i++) await new Promise((resolve) => second.write('still here\n', resolve));
  second.end();
  await once(second, 'close');
}

/** A RST from either side (SO_LINGER of zero seconds is what resetAndDestroy uses). */
async function reset(host: string): Promise<void> {
  const mine = await open(host, CLIENT_ENDS_FIRST);
  await new Promise((resolve) => mine.write('hello\n', resolve));
  const closed = once(mine, 'close');
  mine.resetAndDestroy();
  await closed;

  const theirs = await open(host, SERVER_RESETS);
  const end = new Promise<NodeJS.ErrnoException>((resolve) => theirs.once('error', resolve));
  theirs.write('hello\n');
  const { code } = await end;
  if (code !== 'ECONNRESET') throw new Error(`expected a reset, got ${code}`);
}

const [mode, host] = process.argv.slice(2);
if (mode === 'serve') await serve();
else if (mode === 'half-close') await halfClose(host);
else if (mode === 'reset') await reset(host);
else throw new Error(`unknown mode '${mode}'`);
