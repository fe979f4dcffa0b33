import { describe, expect, test } from 'vitest';
import { concat, viewOf } from '../packet/build-bytes.ts';
import {
  authenticationHeader,
  destinationOptions,
  type ExtensionHeader,
  fragmentHeader,
  hopByHop,
  ipv6,
  routingHeader,
} from '../packet/build-ipv6.ts';
import {
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_ICMPV6,
  IPPROTO_NONE,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../packet/protocols.ts';
import { Bench, datagram, type Piece, piece6 } from './testing.mts';

const DATA = datagram(64);
const HELD = 'held frag-held';
const FIRST = piece6(0, DATA.subarray(0, 32), true);
const LAST = piece6(32, DATA.subarray(32), false);
const ENDS = { src: '2001:db8::1', dst: '2001:db8::2' };

const whole = (extensions: readonly ExtensionHeader[] = []): Uint8Array =>
  ipv6({ ...ENDS, proto: IPPROTO_UDP, extensions, payload: DATA });

describe('a reassembled IPv6 datagram', () => {
  test('has no fragment header, and keeps the extension headers before it', () => {
    for (const before of [
      [],
      [hopByHop()],
      [hopByHop(), destinationOptions(), routingHeader()],
      [authenticationHeader()],
    ]) {
      const bench = new Bench();
      bench.send(piece6(32, DATA.subarray(32), false, { before }));
      const { bytes, pkt } = bench.send(piece6(0, DATA.subarray(0, 32), true, { before }));
      expect(bytes).toEqual(whole(before));
      expect(pkt).toMatchObject({ proto: IPPROTO_UDP, l4: bytes!.length - 64, frag: 0 });
    }
  });

  test('has the headers of its first fragment, whatever the others have', () => {
    const before = [destinationOptions()];
    const bench = new Bench();
    bench.send(LAST);
    expect(bench.send(piece6(0, DATA.subarray(0, 32), true, { before })).bytes).toEqual(whole(before));
    bench.send(FIRST);
    expect(bench.send(piece6(32, DATA.subarray(32), false, { before, proto: IPPROTO_TCP })).bytes).toEqual(
      whole(),
    );
  });

  test('may have a payload of 65535 bytes, and not one more', () => {
    const fates = (total: number, o: Piece): string[] =>
      new Bench().fates(
        piece6(0, new Uint8Array(32000), true, o),
        piece6(32000, new Uint8Array(32000), true, o),
        piece6(64000, new Uint8Array(total - 64000), false, o),
      );
    expect(fates(65535, {})).toEqual([HELD, HELD, 'pass']);
    expect(fates(65536, {})).toEqual([HELD, HELD, 'drop frag-too-big']);
    expect(fates(65527, { before: [destinationOptions()] })).toEqual([HELD, HELD, 'pass']);
    expect(fates(65528, { before: [destinationOptions()] })).toEqual([HELD, HELD, 'drop frag-too-big']);
  });

  test('remembers how large its largest fragment was', () => {
    const bench = new Bench();
    bench.fates(piece6(0, new Uint8Array(800), true), piece6(800, new Uint8Array(40), false));
    expect(bench.defrag.maxSize).toBe(848);
  });

  test('has broken headers if more than 255 bytes of them came before: so does Linux 6.18', () => {
    const long = destinationOptions(new Uint8Array(214));
    const before = [long, destinationOptions(), destinationOptions()];
    const at = 40 + long.bytes.length + 8;
    expect(at).toBe(256 + 8);
    const bench = new Bench();
    bench.send(piece6(0, DATA.subarray(0, 32), true, { before }));
    const { bytes, pkt } = bench.send(piece6(32, DATA.subarray(32), false, { before }));
    const expected = whole(before);
    expected[at] = IPPROTO_FRAGMENT;
    expected[at - 256] = IPPROTO_UDP;
    expect(bytes).toEqual(expected);
    expect(pkt.l4).toBe(-1);
  });

  test('is not searched for a second fragment header', () => {
    const inner = (offset: number): Uint8Array => {
      const header = fragmentHeader({ offset, more: true }).bytes;
      return concat(Uint8Array.of(IPPROTO_UDP), header.subarray(1), DATA);
    };
    const first = new Bench().send(piece6(0, inner(0), false, { proto: IPPROTO_FRAGMENT }));
    expect(first.pkt).toMatchObject({ proto: IPPROTO_UDP, l4: 48, frag: 1 });
    const later = new Bench().send(piece6(0, inner(8), false, { proto: IPPROTO_FRAGMENT }));
    expect(later.pkt).toMatchObject({ proto: IPPROTO_FRAGMENT, l4: -1, frag: 9 });
    expect(later.fate).toBe('pass');
  });
});

describe('an atomic IPv6 fragment', () => {
  test('loses its fragment header and passes at once', () => {
    const bench = new Bench();
    const { fate, bytes, pkt } = bench.send(piece6(0, DATA, false, { before: [destinationOptions()] }));
    expect([fate, bytes]).toEqual(['pass', whole([destinationOptions()])]);
    expect(pkt).toMatchObject({ proto: IPPROTO_UDP, l4: 48, frag: 0 });
    expect(bench.defrag.queues).toBe(0);
  });

  test('ends a waiting datagram of the same identification, against RFC 6946', () => {
    expect(new Bench().fates(FIRST, piece6(0, DATA, false), LAST)).toEqual([HELD, 'drop frag-overlap', HELD]);
  });

  test('is refused when memory is used up', () => {
    const bench = new Bench({ nf_conntrack_frag6_high_thresh: 0 });
    expect(bench.fates(piece6(0, DATA, false))).toEqual(['drop frag-memory']);
  });
});

describe('an IPv6 fragment', () => {
  test('with more to come and an odd length passes as it is and ends its datagram', () => {
    const bench = new Bench();
    const odd = piece6(32, DATA.subarray(32, 45), true);
    expect(bench.fates(FIRST)).toEqual([HELD]);
    const { fate, bytes, pkt } = bench.send(odd);
    expect([fate, bytes]).toEqual(['pass frag-odd', odd]);
    expect(pkt).toMatchObject({ l4: -1, frag: 33 });
    expect(bench.defrag.queues).toBe(0);
  });

  test('that is the first and odd passes with its transport header', () => {
    const { fate, pkt } = new Bench().send(piece6(0, DATA.subarray(0, 29), true));
    expect(fate).toBe('pass frag-odd');
    expect(pkt).toMatchObject({ proto: IPPROTO_UDP, l4: pkt.end - 29 });
  });

  test('that contradicts the known end, has no data or ends too far out is dropped alone', () => {
    for (const [odd, reason] of [
      [piece6(32, DATA.subarray(32, 40), false), 'drop frag-end'],
      [piece6(64, DATA.subarray(0, 8), true), 'drop frag-end'],
      [piece6(40, DATA.subarray(0, 0), true), 'drop frag-empty'],
      [piece6(64, DATA.subarray(0, 0), false), 'drop frag-empty'],
      [piece6(65528, DATA.subarray(0, 8), true), 'drop frag-too-big'],
    ] as const) {
      expect(new Bench().fates(LAST, odd, FIRST)).toEqual([HELD, reason, 'pass']);
    }
  });

  test('without data tells the end nevertheless', () => {
    const bench = new Bench();
    const end = piece6(32, DATA.subarray(0, 0), false);
    expect(bench.fates(end, FIRST)).toEqual(['drop frag-empty', 'pass']);
    expect(bench.defrag.queues).toBe(0);
    expect(bench.fates(FIRST, end, LAST)).toEqual([HELD, 'drop frag-empty', 'drop frag-end']);
  });

  test('that was dropped alone leaves an empty queue, which costs memory', () => {
    const bench = new Bench();
    bench.send(piece6(65528, DATA.subarray(0, 8), true));
    expect([bench.defrag.queues, bench.defrag.memory]).toEqual([1, 184]);
  });

  test('that is the first and lacks its transport header passes as it is', () => {
    const least = [
      [IPPROTO_TCP, 20],
      [IPPROTO_UDP, 8],
      [IPPROTO_ICMPV6, 8],
      [IPPROTO_SCTP, 1],
    ] as const;
    for (const [proto, bytes] of least) {
      const fate = (length: number): string =>
        new Bench().send(piece6(0, DATA.subarray(0, length), false, { proto })).fate;
      expect([proto, fate(bytes - 1), fate(bytes)]).toEqual([proto, 'pass frag-first', 'pass']);
    }
  });

  test('that is the first may end before an extension header does, but not right behind one', () => {
    const options = Uint8Array.of(IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0);
    const inner = (length: number): string =>
      new Bench().send(piece6(0, options.subarray(0, length), false, { proto: IPPROTO_DSTOPTS })).fate;
    expect([inner(0), inner(1), inner(8)]).toEqual(['drop frag-empty', 'pass', 'pass frag-first']);
    expect(new Bench().fates(piece6(0, DATA, false, { proto: IPPROTO_NONE }))).toEqual(['pass']);
  });

  test('whose header is cut off is dropped, or passes if a payload length of 0 calls it a jumbogram', () => {
    const cut = (bytes: number): string => {
      const packet = piece6(8, DATA, true).slice(0, 40 + bytes);
      viewOf(packet).setUint16(4, bytes);
      return new Bench().send(packet).fate;
    };
    expect([cut(0), cut(1), cut(7), cut(8)]).toEqual([
      'pass',
      'drop frag-malformed',
      'drop frag-malformed',
      'drop frag-empty',
    ]);
  });

  test('of another protocol belongs to the same datagram, one with another identification does not', () => {
    expect(new Bench().fates(FIRST, piece6(32, DATA.subarray(32), false, { id: 65537 }), LAST)).toEqual([
      HELD,
      HELD,
      'pass',
    ]);
  });
});
