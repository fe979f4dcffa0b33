import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  attributeFrom,
  attributeLength,
  attributeText,
  attributeTo,
  attributeType,
  be64At,
  isAttribute,
  isMessage,
  messageEnd,
  messageFamily,
  messageFlags,
  messageResource,
  messageSequence,
  messageType,
  NFNL_HEADER,
  NLM_F_ACK,
  NLM_F_REQUEST,
  nextAttribute,
  nextMessage,
} from './netlink.ts';
import { MessageWriter } from './netlink-writer.ts';

/** Where each attribute in `view[from, end)` is, by type. */
function attributesIn(view: DataView, from: number, end: number): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (let at = from; isAttribute(view, at, end); at = nextAttribute(view, at))
    found.set(attributeType(view, at), at);
  return found;
}

test('messages that are written are read again, one behind the other, padded to four bytes', () => {
  const writer = new MessageWriter(8);
  writer.beginNetfilter(3, 1, NLM_F_ACK, 77, 10, 0x1234);
  writer.attrU8(1, 5);
  writer.attrText(2, 'eth0');
  const nest = writer.open(3);
  writer.attrBe16(1, 0xabcd);
  writer.attrBe32(2, 0xdeadbeef);
  const long = writer.head(3);
  writer.be32(2 ** 8);
  writer.be32(7);
  writer.close(long);
  writer.close(nest);
  writer.attrBytes(4, Uint8Array.of(0, 1, 2, 3, 4), 1, 4);
  writer.end();
  writer.begin(18, 0, 78);
  writer.attrU32(9, 6);
  writer.end();
  const { bytes, view, length } = writer;
  expect(length % 4).toBe(0);

  expect(isMessage(view, 0, length)).toBe(true);
  expect(messageType(view, 0)).toBe(0x301);
  expect(messageFlags(view, 0)).toBe(NLM_F_REQUEST | NLM_F_ACK);
  expect([messageSequence(view, 0), messageFamily(view, 0), messageResource(view, 0)]).toEqual([
    77, 10, 0x1234,
  ]);
  const where = attributesIn(view, NFNL_HEADER, messageEnd(view, 0));
  expect(view.getUint8(attributeFrom(where.get(1)!))).toBe(5);
  expect(attributeText(bytes, view, where.get(2)!)).toBe('eth0');
  const inner = attributesIn(view, attributeFrom(where.get(3)!), attributeTo(view, where.get(3)!));
  expect(view.getUint16(attributeFrom(inner.get(1)!))).toBe(0xabcd);
  expect(view.getUint32(attributeFrom(inner.get(2)!))).toBe(0xdeadbeef);
  expect(be64At(view, attributeFrom(inner.get(3)!))).toBe(2 ** 40 + 7);
  const last = where.get(4)!;
  expect([...bytes.subarray(attributeFrom(last), attributeTo(view, last))]).toEqual([1, 2, 3]);

  const second = nextMessage(view, 0);
  expect([messageType(view, second), messageSequence(view, second)]).toEqual([18, 78]);
  expect(attributeType(view, second + 16)).toBe(9);
  expect(attributeLength(view, second + 16)).toBe(4);
  expect(isMessage(view, nextMessage(view, second), length)).toBe(false);
});

test('whatever bytes come, messages and attributes stay within them, and walks come to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; isMessage(view, at, bytes.length); ) {
        const end = messageEnd(view, at);
        expect(end).toBeLessThanOrEqual(bytes.length);
        for (let i = at + 16; isAttribute(view, i, end); ) {
          expect(attributeTo(view, i)).toBeLessThanOrEqual(end);
          const next = nextAttribute(view, i);
          expect(next).toBeGreaterThan(i);
          i = next;
        }
        const next = nextMessage(view, at);
        expect(next).toBeGreaterThan(at);
        at = next;
      }
    }),
  );
});
