import { expect, test } from 'vitest';
import { AGEING, BridgeTable } from './bridge-table.ts';

function mac(text: string): DataView {
  return new DataView(Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16)).buffer);
}

const STATION = mac('02:00:00:00:00:01');

test('a station is where it was seen last', () => {
  const table = new BridgeTable();
  expect(table.portOf(STATION, 0, 0)).toBe(-1);
  table.learn(STATION, 0, 3, 0);
  expect(table.portOf(STATION, 0, 1)).toBe(3);
  table.learn(STATION, 0, 1023, 2);
  expect(table.portOf(STATION, 0, 3)).toBe(1023);
  expect(table.portOf(mac('02:00:00:00:00:02'), 0, 3)).toBe(-1);
});

test('a station that was silent for long may be anywhere', () => {
  const table = new BridgeTable();
  table.learn(STATION, 0, 1, 1000);
  expect(table.portOf(STATION, 0, 1000 + AGEING)).toBe(1);
  expect(table.portOf(STATION, 0, 1001 + AGEING)).toBe(-1);
});

test('a group is nowhere, whoever claims to be one', () => {
  const table = new BridgeTable();
  const group = mac('01:00:5e:00:00:01');
  table.learn(group, 0, 1, 0);
  expect(table.portOf(group, 0, 0)).toBe(-1);
});

test('the stations of a port that is gone are forgotten, others stay', () => {
  const table = new BridgeTable();
  const other = mac('02:00:00:00:00:02');
  table.learn(STATION, 0, 1, 0);
  table.learn(other, 0, 2, 0);
  table.forget(1);
  expect(table.portOf(STATION, 0, 1)).toBe(-1);
  expect(table.portOf(other, 0, 1)).toBe(2);
});

test('a flood of made up stations pushes out those that were silent longest, and nothing else breaks', () => {
  const table = new BridgeTable();
  const view = new DataView(new ArrayBuffer(6));
  let random = 1;
  let misplaced = 0;
  for (let i = 0; i < 100_000; i++) {
    random = (Math.imul(random, 1103515245) + 12345) | 0;
    view.setInt32(2, random);
    view.setUint16(0, 0x0200);
    table.learn(view, 0, 1, i);
    if (table.portOf(view, 0, i) !== 1) misplaced++;
    // One that speaks now and then is never the oldest of its set.
    table.learn(STATION, 0, 2, i);
    if (table.portOf(STATION, 0, i) !== 2) misplaced++;
  }
  expect(misplaced).toBe(0);
});
