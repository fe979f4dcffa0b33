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
/** Connections of `long`, which all go on to the end. */
const LONG_LIVE = 10_000;

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

/** Requests and replies of UDP by turns, each flow one of both; a reply comes REPLY_LAG requests later. */
function questions(shop: Workshop, family: number, port: number): Source {
  const asked: Ends[] = [];
  let oldest = 0;
  let answering = false;
  const size = (): number => 20 + shop.random.below(44);
  return () => {
    if (answering) {
      writeUdp(shop.file, shop.gap(), asked[oldest]!, true, size());
      answering = false;
      return;
    }
    asked[oldest] = shop.ends(family, port);
    writeUdp(shop.file, shop.gap(), asked[oldest]!, false, size());
    oldest = (oldest + 1) % REPLY_LAG;
    answering = asked.length === REPLY_LAG;
  };
}

/** A crowd of pings: ten requests with their replies each. */
function pings(shop: Workshop, size: number, family: number): Source {
  const open = (): { ends: Ends; sent: number } => ({ ends: shop.ends(family, 1), sent: 0 });
  const live = Array.from({ length: size }, open);
  return () => {
    const i = shop.random.below(size);
    const ping = live[i]!;
    writeEcho(shop.file, shop.gap(), ping.ends, (ping.sent & 1) === 1);
    if (++ping.sent === 20) live[i] = open();
  };
}

/** 60 % TCP, 30 % DNS, 8 % ICMP; 2 % the same over IPv6. */
function mixture(shop: Workshop): Source {
  const tens = (): number => 1 + shop.random.below(21);
  const dice: readonly (readonly [number, Source])[] = [
    [600, crowd(shop, MIXED_LIVE, AF_INET, tens)],
    [900, questions(shop, AF_INET, 53)],
    [980, pings(shop, MIXED_LIVE / 10, AF_INET)],
    [992, crowd(shop, MIXED_LIVE / 50, AF_INET6, tens)],
    [998, questions(shop, AF_INET6, 53)],
    [1000, pings(shop, MIXED_LIVE / 500, AF_INET6)],
  ];
  return () => {
    const roll = shop.random.below(1000);
    dice.find(([below]) => roll < below)![1]();
  };
}

/** The first packets of connections that go no further: a SYN each. */
function syns(shop: Workshop): Source {
  return () => {
    const port = 1 + shop.random.below(1 << 16);
    new TcpConnection(shop.ends(AF_INET, port), shop.random, 1).write(shop.file, shop.gap());
  };
}

function sourceOf(kind: Kind, shop: Workshop): Source {
  switch (kind) {
    case 'short':
      return crowd(shop, SHORT_LIVE, AF_INET, () => 2);
    case 'long':
      return crowd(shop, LONG_LIVE, AF_INET, () => Number.POSITIVE_INFINITY);
    case 'mixed':
      return mixture(shop);
    case 'manyflows':
      return questions(shop, AF_INET, 4000);
    case 'scan':
      return syns(shop);
  }
}

/**
 * The capture of one kind with so many packets, made if it is not there yet. The same bytes every time.
 * @returns its path
 */
export function capture(kind: Kind, packets: number): string {
  const folder = join(tmpdir(), 'keepstate-bench');
  const path = join(folder, `${kind}-${packets}-v${VERSION}.pcap`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const file = new PcapFile(path);
  const next = sourceOf(kind, new Workshop(file));
  for (let i = 0; i < packets; i++) next();
  file.close();
  return path;
}
