// Two ends of SCTP associations in user space, over raw sockets: the kernel need not have SCTP (the one of
// this project's machine has it not). A server that answers each chunk as RFC 9260 wants it, and a client
// that goes through associations. Usage: sctp.ts serve LOCAL | sctp.ts talk LOCAL SERVER

import { RawSocket } from './raw-socket.ts';
import { CHUNK, type Chunk, chunk, readSctp, type SctpPacket, writeSctp } from './sctp-wire.ts';
import { READY } from './start.ts';

const IPPROTO_SCTP = 132;
/** The server knows this port only (9899 is IANA's for SCTP tunnelling). */
const PORT = 9899;
const WINDOW = 65_536;
/** T bit: the tag is the sender's own, for the receiver keeps none (RFC 9260, 3.3.7). */
const T_BIT = 1;
/** Whole message in one chunk: B and E bits (RFC 9260, 3.3.1). */
const UNFRAGMENTED = 3;
const PARAMETER_COOKIE = 7;

/** INIT and INIT ACK: tag, window, one stream each way, first TSN (RFC 9260, 3.3.2). */
function initChunk(type: number, tag: number, tsn: number, cookie: Buffer = Buffer.alloc(0)): Chunk {
  const fields: [16 | 32, number][] = [
    [32, tag],
    [32, WINDOW],
    [16, 1],
    [16, 1],
    [32, tsn],
  ];
  if (cookie.length > 0) fields.push([16, PARAMETER_COOKIE], [16, 4 + cookie.length]);
  return chunk(type, fields, cookie);
}

function dataChunk(tsn: number, serial: number, text: string): Chunk {
  const fields: [16 | 32, number][] = [
    [32, tsn],
    [16, 0],
    [16, serial],
    [32, 0],
  ];
  return chunk(CHUNK.DATA, fields, Buffer.from(text), UNFRAGMENTED);
}

function sackChunk(tsn: number): Chunk {
  return chunk(CHUNK.SACK, [
    [32, tsn],
    [32, WINDOW],
    [16, 0],
    [16, 0],
  ]);
}

/** What the server remembers of a client port, from INIT to SHUTDOWN COMPLETE. */
type Association = { readonly mine: number; readonly theirs: number; tsn: number; serial: number };

/** The chunks with which the server answers one chunk. */
function answer(association: Association, received: Chunk): Chunk[] {
  switch (received.type) {
    case CHUNK.COOKIE_ECHO:
      return [chunk(CHUNK.COOKIE_ACK)];
    case CHUNK.DATA:
      // Acknowledged and echoed in one packet.
      return [
        sackChunk(received.value.readUInt32BE(0)),
        dataChunk(association.tsn++, association.serial++, received.value.toString('latin1', 12)),
      ];
    case CHUNK.HEARTBEAT:
      return [chunk(CHUNK.HEARTBEAT_ACK, [], received.value)];
    case CHUNK.SHUTDOWN:
      return [chunk(CHUNK.SHUTDOWN_ACK)];
    default:
      return [];
  }
}

function serve(local: string, peer: string): never {
  const socket = new RawSocket(local, IPPROTO_SCTP);
  const associations = new Map<number, Association>();
  console.log(READY);
  for (;;) {
    const bytes = socket.receive(60_000);
    if (bytes === null) continue;
    const packet = readSctp(bytes);
    const first = packet.chunks[0];
    const reply = (tag: number, chunks: Chunk[]): void => {
      if (chunks.length > 0) {
        socket.send(peer, writeSctp({ source: packet.destination, destination: packet.source, tag, chunks }));
      }
    };
    if (first.type === CHUNK.INIT) {
      const theirs = first.value.readUInt32BE(0);
      if (packet.destination !== PORT) {
        reply(theirs, [chunk(CHUNK.ABORT)]);
        continue;
      }
      const association = { mine: 0x5e000000 + packet.source, theirs, tsn: 5000, serial: 0 };
      associations.set(packet.source, association);
      reply(theirs, [initChunk(CHUNK.INIT_ACK, association.mine, 5000, Buffer.from('keepstate cookie'))]);
      continue;
    }
    const association = associations.get(packet.source);
    if (association === undefined) reply(packet.tag, [chunk(CHUNK.ABORT, [], undefined, T_BIT)]);
    else
      reply(
        association.theirs,
        packet.chunks.flatMap((received) => answer(association, received)),
      );
    if (first.type === CHUNK.ABORT || first.type === CHUNK.SHUTDOWN_COMPLETE)
      associations.delete(packet.source);
  }
}

/** The client's side of one association. */
class Client {
  readonly #socket: RawSocket;
  readonly #server: string;
  readonly #source: number;
  readonly #destination: number;
  #tag = 0;

  constructor(local: string, server: string, source: number, destination: number) {
    this.#socket = new RawSocket(local, IPPROTO_SCTP);
    this.#server = server;
    this.#source = source;
    this.#destination = destination;
  }

  send(...chunks: Chunk[]): void {
    const packet = { source: this.#source, destination: this.#destination, tag: this.#tag, chunks };
    this.#socket.send(this.#server, writeSctp(packet));
  }

  /** The next packet for this association, which must begin with a chunk of this type. */
  expect(type: number): SctpPacket {
    for (;;) {
      const bytes = this.#socket.receive(2_000);
      if (bytes === null) throw new Error(`no chunk of type ${type} came`);
      const packet = readSctp(bytes);
      if (packet.destination !== this.#source) continue;
      if (packet.chunks[0].type !== type)
        throw new Error(`chunk ${packet.chunks[0].type} instead of ${type}`);
      return packet;
    }
  }

  /** INIT to COOKIE ACK (RFC 9260, 5.1). */
  connect(): void {
    this.send(initChunk(CHUNK.INIT, 0xc1000000 + this.#source, 1000));
    const { value } = this.expect(CHUNK.INIT_ACK).chunks[0];
    this.#tag = value.readUInt32BE(0);
    this.send(chunk(CHUNK.COOKIE_ECHO, [], value.subarray(20)));
    this.expect(CHUNK.COOKIE_ACK);
  }

  /** A message there and its echo back, acknowledged. */
  exchange(tsn: number, text: string): void {
    this.send(dataChunk(tsn, tsn - 1000, text));
    const echo = this.expect(CHUNK.SACK).chunks[1];
    if (echo.value.toString('latin1', 12) !== text) throw new Error('another text came back');
    this.send(sackChunk(echo.value.readUInt32BE(0)));
  }
}

function talk(local: string, server: string): void {
  const whole = new Client(local, server, 40_001, PORT);
  whole.connect();
  for (let i = 0; i < 3; i++) whole.exchange(1000 + i, `message ${'x'.repeat(100 * i)}${i}`);
  // A heartbeat's information is opaque: type 1, length 8, four bytes (RFC 9260, 3.3.5).
  whole.send(chunk(CHUNK.HEARTBEAT, [], Buffer.from([0, 1, 0, 8, 1, 2, 3, 4])));
  whole.expect(CHUNK.HEARTBEAT_ACK);
  whole.send(chunk(CHUNK.SHUTDOWN, [[32, 5002]]));
  whole.expect(CHUNK.SHUTDOWN_ACK);
  whole.send(chunk(CHUNK.SHUTDOWN_COMPLETE));

  const aborted = new Client(local, server, 40_002, PORT);
  aborted.connect();
  aborted.exchange(1000, 'no more');
  aborted.send(chunk(CHUNK.ABORT));

  const refused = new Client(local, server, 40_003, PORT + 1);
  refused.send(initChunk(CHUNK.INIT, 0xc1abcdef, 1000));
  refused.expect(CHUNK.ABORT);
}

const [mode, local, remote] = process.argv.slice(2);
if (mode === 'serve') serve(local, remote);
else if (mode === 'talk') talk(local, remote);
else throw new Error(`unknown mode '${mode}'`);
