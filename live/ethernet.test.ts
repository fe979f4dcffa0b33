import { expect, test } from 'vitest';
import { copyBytes, FRAME_BAD, FRAME_OTHER, findNetwork } from './ethernet.ts';

/** A frame of addresses, these words, and some bytes. */
function frame(...words: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(12 + words.length * 2));
  words.forEach((word, i) => {
    view.setUint16(12 + i * 2, word);
  });
  return view;
}

function find(...words: readonly number[]): number {
  const view = frame(...words);
  return findNetwork(view, 0, view.byteLength);
}

test('IP is found behind any number of tags', () => {
  expect(find(0x0800, 0x4500)).toBe(14);
  expect(find(0x86dd, 0x6000)).toBe(14);
  expect(find(0x8100, 7, 0x0800)).toBe(18);
  expect(find(0x88a8, 9, 0x8100, 7, 0x9100, 1, 0x86dd)).toBe(26);
});

test('what is not IP is something else: ARP, lengths of IEEE 802.3, tags around them', () => {
  expect(find(0x0806)).toBe(FRAME_OTHER);
  expect(find(0x0026)).toBe(FRAME_OTHER);
  expect(find(0x8100, 7, 0x0806)).toBe(FRAME_OTHER);
});

test('frames that end before they say what they carry, and pause frames, go nowhere', () => {
  expect(findNetwork(frame(0x0800), 0, 13)).toBe(FRAME_BAD);
  expect(find(0x8100)).toBe(FRAME_BAD);
  expect(find(0x8100, 7, 0x8100, 7)).toBe(FRAME_BAD);
  expect(find(0x8808, 1)).toBe(FRAME_BAD);
});

test('bytes are copied whatever their number and place', () => {
  const from = new DataView(Uint8Array.from({ length: 64 }, (_, i) => i).buffer);
  for (let length = 0; length < 20; length++) {
    const to = new Uint8Array(64);
    copyBytes(from, 3, new DataView(to.buffer), 5, length);
    const expected = new Uint8Array(64);
    expected.set(new Uint8Array(from.buffer, 3, length), 5);
    expect(to).toEqual(expected);
  }
});
