/**
 * Servers for clients behind a firewall: `server-worker.ts PORT`. HTTP on that port gives a body of so many bytes as the
 * path names (`/200000000`), of which byte i is a function of i, and answers a POST with the SHA-256 of what it got; UDP
 * on that port sends everything back. Says `ready`.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { pipeline, Readable } from 'node:stream';

const CHUNK = 1 << 20;

/** The body of a given length. */
export function* body(length: number): Generator<Buffer> {
  const chunk = Buffer.from(Array.from({ length: 65521 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  const large = Buffer.concat(Array.from({ length: Math.ceil(CHUNK / chunk.length) }, () => chunk));
  for (let left = length; left > 0; left -= large.length)
    yield large.subarray(0, Math.min(left, large.length));
}

/** SHA-256 of the body of a given length, in hex. */
export function bodyHash(length: number): string {
  const hash = createHash('sha256');
  for (const chunk of body(length)) hash.update(chunk);
  return hash.digest('hex');
}

function serve(port: number): void {
  const http = createServer((request, response) => {
    if (request.method === 'GET') {
      pipeline(Readable.from(body(Number(request.url!.slice(1)))), response, () => {});
      return;
    }
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
  });
  const udp = createSocket('udp6', (message, from) => udp.send(message, from.port, from.address));
  http.listen(port, '::', () => udp.bind(port, '::', () => console.log('ready')));
}

if (process.argv[2] !== undefined && process.argv[1]!.endsWith('server-worker.ts'))
  serve(Number(process.argv[2]));
