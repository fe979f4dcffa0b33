import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AF_INET, AF_INET6 } from '@keepstate/engine';
import { Random } from '../engine/base/random.ts';
import { writeEcho, writeUdp } from './exchange.ts';
import { PcapFile } from './pcap-file.ts';
import { type Ends, TcpConnection } from './tcp-connection.ts';

/** The five kinds of traffic, see docs/performance.md. */
export const KINDS = ['short', 'long', 'mixed', 'manyflows', 'scan'] as const;
export type Kind = (typeof KINDS)[number];

/** Grows whenever what is written changes, so that old files are not taken for new ones. */
const VERSION = 1;
const SEED = 1;
/** Connections of ten packets under way at once in `short`; of some tens of packets in `mixed`. */
const SHORT_LIVE = 1000;
const MIXED_LIVE = 5000;
/** How many datagrams later a reply follows in `manyflows`, and in the DNS and ICMP part of `mixed`. */
const REPLY_LAG = 1000;
/** One flow of `long` for each so many packets. */
const LONG_FLOW = 500;

/** What makes packets: writes one more each time it is called. */
type Source = () => void;

/** Draws for one capture, and the numbers that make its flows distinct. */
class Workshop {
  readonly file: PcapFile;
  readonly random = new Random(SEED);
  private flows = 0;

  constructor(file: PcapFile) {
    this.file = file;
  }

  /** 1 to 10 µs: 5.5 on average, so that 5M packets take 27 s and nothing times out. */
  gap(): number {
    return 1 + this.random.below(10);
  }

  /** A flow like no other: the client's address and port are spread by a bijection of its number. */
  ends(family: number, serverPort: number): Ends {
    const spread = Math.imul(++this.flows, 0x9e3779b1) >>> 0;
    return {
      family,
      client: 0x0a000000 | (spread >>> 8),
      server: 0xac100000 | this.random.below(1 << 16),
      clientPort: 32768 + ((spread & 0xff) << 7) + this.random.below(1 << 7),
      serverPort,
    };
  }
}

/** A crowd of connections of which a random one goes on; one that ends makes room for another. */
function crowd(shop: Workshop, size: number, family: number, exchanges: () => number): Source {
  const open = (): TcpConnection => new TcpConnection(shop.ends(family, 443), shop.random, exchanges());
  const live = Array.from({ length: size }, open);
  return () => {
    const i = shop.random.below(size);
    if (!live[i]!.write(shop.file, shop.gap())) live[i] = open();
  };
}

/** Requests, each with a reply `lag` requests later. */
function exchanges(shop: Workshop, lag: number, open: () => Ends, write: (e: Ends, r: boolean) => void): Source {
  const waiting: Ends[] = [];
  let next = 0;
  let answer = false;
  return () => {
    if (answer && waiting.length === lag) {
      write(waiting[next]!, true);
      waiting[next] = open();
      write(waiting[next]!, false);
      next = (next + 1) % lag;
    }
    answer = true;
    if (waiting.length < lag) {
      const ends = open();
      waiting.push(ends);
      write(ends, false);
    }
    void shop;
  };
}
