import * as FORMAT from '../../engine/capture/format.ts';
import { concat, padTo, viewOf } from '../../engine/packet/build-bytes.ts';
import type { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { type Frame, framesOf } from './frames.ts';

/** A sound capture file. */
export interface CaptureFile {
  readonly bytes: Uint8Array;
  /** Where its headers, records and blocks begin. */
  readonly headers: readonly number[];
}

/** Bytes in one of the two byte orders. */
class Words {
  private readonly little: boolean;

  constructor(bigEndian: boolean) {
    this.little = !bigEndian;
  }

  /** Numbers of 32 bits. */
  longs(...values: readonly number[]): Uint8Array {
    const out = new Uint8Array(values.length * 4);
    for (const [i, value] of values.entries()) viewOf(out).setUint32(i * 4, value, this.little);
    return out;
  }

  /** Numbers of 16 bits. */
  shorts(...values: readonly number[]): Uint8Array {
    const out = new Uint8Array(values.length * 2);
    for (const [i, value] of values.entries()) viewOf(out).setUint16(i * 2, value, this.little);
    return out;
  }

  /** A pcapng block: its type, its length, what is in it, its length again. */
  block(type: number, ...body: readonly Uint8Array[]): Uint8Array {
    const inner = padTo(concat(...body), 4);
    const length = this.longs(inner.length + 12);
    return concat(this.longs(type), length, inner, length);
  }

  /** pcapng options, ended. */
  options(...all: readonly (readonly [code: number, value: Uint8Array])[]): Uint8Array {
    const each = all.map(([code, value]) => concat(this.shorts(code, value.length), padTo(value, 4)));
    return concat(...each, this.shorts(FORMAT.OPT_END, 0));
  }
}

const TEXT = Uint8Array.from('eth0 caf\u00e9', (c) => c.charCodeAt(0));
const SECONDS = 1_700_000_000;

function joined(pieces: readonly Uint8Array[]): CaptureFile {
  let at = 0;
  const headers = pieces.map((piece) => {
    at += piece.length;
    return at - piece.length;
  });
  return { bytes: concat(...pieces), headers };
}

/** pcap in all its magic numbers, versions and byte orders. */
function pcapFile(dice: Dice, frames: readonly Frame[]): CaptureFile {
  const w = new Words(dice.chance(50));
  const magic = dice.pick([FORMAT.MAGIC_MICRO, FORMAT.MAGIC_NANO, FORMAT.MAGIC_KUZNETSOV]);
  const version = dice.weighted({ current: 8, old: 1, older: 1 });
  const minor = { current: 4, old: 3, older: 2 }[version];
  const { linktype } = frames[0]!;
  const head = concat(w.longs(magic), w.shorts(2, minor), w.longs(0, 0, dice.pick([0, 96, 65535]), linktype));
  const records = frames.map(({ bytes }, i) => {
    const more = magic === FORMAT.MAGIC_KUZNETSOV ? new Uint8Array(8) : new Uint8Array(0);
    const wire = bytes.length + (dice.chance(10) ? dice.below(100) : 0);
    const lengths = minor === 2 ? [wire, bytes.length] : [bytes.length, wire];
    return concat(w.longs(SECONDS + (i >> 2), dice.below(1e6), ...lengths), more, bytes);
  });
  return joined([head, ...records]);
}

/** One pcapng block around a packet, of any of the three kinds. */
function packetBlock(dice: Dice, w: Words, { bytes }: Frame, i: number): Uint8Array {
  const ticks = BigInt(SECONDS) * 1_000_000n + BigInt(i * 250_000);
  const time = w.longs(Number(ticks >> 32n), Number(ticks & 0xffffffffn));
  const sizes = w.longs(bytes.length, bytes.length);
  const data = padTo(bytes, 4);
  const notes = dice.chance(20) ? w.options([FORMAT.OPT_COMMENT, TEXT], [2, w.longs(5)]) : new Uint8Array(0);
  switch (dice.weighted({ enhanced: 8, simple: 2, old: 2 })) {
    case 'enhanced':
      return w.block(FORMAT.BLOCK_ENHANCED, w.longs(dice.below(2)), time, sizes, data, notes);
    case 'simple':
      return w.block(FORMAT.BLOCK_SIMPLE, w.longs(bytes.length), data);
    case 'old':
      return w.block(FORMAT.BLOCK_PACKET, w.shorts(dice.below(2), 0xffff), time, sizes, data, notes);
  }
}

/** Blocks that hold no packet: names, statistics, secrets, custom ones and one that nobody knows. */
function otherBlock(dice: Dice, w: Words): Uint8Array {
  const nowhere = w.options([FORMAT.OPT_COMMENT, TEXT]);
  switch (dice.below(6)) {
    case 0:
      return w.block(
        4,
        w.shorts(1, 9),
        Uint8Array.of(10, 0, 0, 1, 104, 111, 115, 116, 0),
        w.shorts(0, 0),
        nowhere,
      );
    case 1:
      return w.block(5, w.longs(0, SECONDS, 0), w.options([4, w.longs(0, 12)], [5, w.longs(0, 3)]));
    case 2:
      return w.block(0x0a, w.longs(0x544c534b, TEXT.length), TEXT, nowhere);
    case 3:
      return w.block(0x0bad, w.longs(32473), dice.bytes(dice.below(20)));
    case 4:
      return w.block(0x40000bad, w.longs(32473), dice.bytes(dice.below(20)));
    default:
      return w.block(0x8badf00d, dice.bytes(4 * dice.below(20)));
  }
}

/** A section of a pcapng file: two interfaces, packets of three kinds of blocks, other blocks between them. */
function section(dice: Dice, frames: readonly Frame[]): Uint8Array[] {
  const w = new Words(dice.chance(50));
  const interfaceBlock = (linktype: number): Uint8Array =>
    w.block(
      FORMAT.BLOCK_INTERFACE,
      w.shorts(linktype, 0),
      w.longs(dice.pick([0, 96, 262144])),
      w.options(
        [FORMAT.IF_NAME, TEXT],
        [FORMAT.IF_DESCRIPTION, TEXT],
        [FORMAT.IF_TSRESOL, Uint8Array.of(dice.pick([6, 9, 3, 0x8a, 0]))],
        [FORMAT.IF_FCSLEN, Uint8Array.of(dice.pick([0, 4]))],
        [FORMAT.IF_TSOFFSET, w.longs(0, dice.below(1000))],
      ),
    );
  const blocks = frames.flatMap((frame, i) => {
    const block = packetBlock(dice, w, frame, i);
    return dice.chance(25) ? [otherBlock(dice, w), block] : [block];
  });
  const interfaces = [interfaceBlock(frames[0]!.linktype), interfaceBlock(frames.at(-1)!.linktype)];
  const length = [...interfaces, ...blocks].reduce((sum, block) => sum + block.length, 0);
  const head = w.block(
    FORMAT.BLOCK_SECTION,
    w.longs(FORMAT.BYTE_ORDER_MAGIC),
    w.shorts(1, 0),
    dice.chance(50)
      ? w.longs(0xffffffff, 0xffffffff)
      : w.longs(...(w.shorts(1)[0] === 1 ? [length, 0] : [0, length])),
    w.options([FORMAT.OPT_COMMENT, TEXT], [FORMAT.SHB_USERAPPL, TEXT]),
  );
  return [head, ...interfaces, ...blocks];
}

/** A capture file of mixed traffic: pcap or pcapng, of any kind. */
export function captureFile(dice: Dice): CaptureFile {
  const frames = framesOf(dice, new MixedTraffic(dice), dice.between(2, 30));
  if (dice.chance(40)) return pcapFile(dice, frames);
  const pieces = section(dice, frames);
  return joined(dice.chance(30) ? [...pieces, ...section(dice, frames)] : pieces);
}
