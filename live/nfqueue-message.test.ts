import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageWriter } from './netlink-writer.ts';
import { QueuedPacket } from './nfqueue-message.ts';

/** A message as the kernel sends one. */
function message(build: (writer: MessageWriter) => void): MessageWriter {
  const writer = new MessageWriter();
  writer.beginNetfilter(3, 0, 0, 0, 2, 0);
  build(writer);
  writer.end();
  return writer;
}

function header(writer: MessageWriter, id: number, hook: number): void {
  const at = writer.head(1);
  writer.be32(id);
  writer.be16(0x0800);
  writer.u8(hook);
  writer.close(at);
}

test('a queued packet is read with its devices, its mark and what is known of its checksum', () => {
  const { view, bytes, length } = message((writer) => {
    header(writer, 42, 3);
    writer.attrBe32(3, 0x80000005);
    writer.attrBe32(5, 7);
    writer.attrBe32(6, 8);
    writer.attrBe32(13, 1500);
    writer.attrBe32(14, 3);
    writer.attrBytes(10, Uint8Array.of(0x45, 1, 2), 0, 3);
  });
  const packet = new QueuedPacket();
  expect(packet.read(view, 0, length)).toBe(true);
  expect(packet).toMatchObject({
    id: 42,
    hook: 3,
    mark: 0x80000005,
    indev: 7,
    outdev: 8,
    info: 3,
    missing: 1497,
  });
  expect([...bytes.subarray(packet.from, packet.end)]).toEqual([0x45, 1, 2]);
});

test('nothing of the packet before is left, and a message without packet or id is none', () => {
  const packet = new QueuedPacket();
  const full = message((writer) => {
    header(writer, 1, 0);
    writer.attrBe32(3, 9);
    writer.attrBe32(5, 9);
    writer.attrBytes(10, Uint8Array.of(1), 0, 1);
  });
  packet.read(full.view, 0, full.length);
  const bare = message((writer) => {
    header(writer, 2, 0);
    writer.attrBytes(10, Uint8Array.of(1, 2), 0, 2);
  });
  expect(packet.read(bare.view, 0, bare.length)).toBe(true);
  expect(packet).toMatchObject({ id: 2, mark: 0, indev: 0, missing: 0 });
  const idle = message((writer) => header(writer, 3, 0));
  expect(packet.read(idle.view, 0, idle.length)).toBe(false);
  const nameless = message((writer) => writer.attrBytes(10, Uint8Array.of(1), 0, 1));
  expect(packet.read(nameless.view, 0, nameless.length)).toBe(false);
});

test('whatever the message holds, the packet lies within it', () => {
  const packet = new QueuedPacket();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 120 }), (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      if (packet.read(view, 0, bytes.length)) {
        expect(packet.from).toBeLessThanOrEqual(packet.end);
        expect(packet.end).toBeLessThanOrEqual(bytes.length);
        expect(packet.missing).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});
