// Two people on an IRC server, one of whom offers a file by DCC: the other fetches it where the offer says.
//
//   irc take SERVER            waits for an offer, fetches it, prints what it got
//   irc offer SERVER ADDRESS   offers a file at ADDRESS (its own), ends when it was fetched

import { connect, createServer, type Socket } from 'node:net';
import { READY } from './start.ts';

const CONTENT = 'a file by DCC\n'.repeat(50);
const PORT = 6667;

/** Registers, answers PING, and tells of every line. */
function join(server: string, nick: string, onLine: (line: string, socket: Socket) => void): Socket {
  const socket = connect(PORT, server);
  let rest = '';
  socket.setEncoding('latin1');
  socket.on('connect', () => socket.write(`NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`));
  socket.on('data', (data) => {
    const lines = (rest + String(data)).split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('PING')) socket.write(`PONG${line.slice(4)}\r\n`);
      else onLine(line, socket);
    }
  });
  return socket;
}

function take(server: string): void {
  join(server, 'bob', (line, socket) => {
    if (/ 001 /.test(line)) console.log(READY);
    const offer = /DCC SEND \S+ (\d+) (\d+)/.exec(line);
    if (offer === null) return;
    const address = Number(offer[1]);
    const host = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
    let got = '';
    const data = connect(Number(offer[2]), host);
    data.setEncoding('latin1');
    data.on('data', (bytes) => {
      got += bytes;
    });
    data.on('end', () => {
      console.log(got === CONTENT ? 'whole' : `only ${got.length} bytes`);
      data.end();
      socket.end('QUIT\r\n');
    });
  });
}

function offer(server: string, address: string): void {
  const word = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const files = createServer((socket) => {
    socket.end(CONTENT);
    socket.on('close', () => {
      files.close();
      irc.end('QUIT\r\n');
    });
  });
  const irc = join(server, 'alice', (line, socket) => {
    if (!/ 001 /.test(line)) return;
    const { port } = files.address() as { port: number };
    socket.write(`PRIVMSG bob :\u0001DCC SEND file.txt ${word} ${port} ${CONTENT.length}\u0001\r\n`);
  });
  files.listen(5001);
}

const [role, server, address] = process.argv.slice(2);
if (role === 'take') take(server!);
else offer(server!, address!);
