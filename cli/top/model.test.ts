import { describe, expect, test } from 'vitest';
import { counted, topEntry } from '../testing/top-flows.ts';
import { type Deed, type KeyName, TopModel } from './model.ts';
import { ORDERS } from './order.ts';
import { Sampler } from './sampler.ts';

/** A model that shows so many flows, ten on a page; the first has the highest id. */
function model(flows: number): TopModel {
  const made = new TopModel('test', ORDERS.find(({ name }) => name === 'id')!, false, '');
  fill(made, flows);
  made.fit(10);
  return made;
}

function fill(made: TopModel, flows: number, without: readonly number[] = []): void {
  const sampler = new Sampler(1000);
  sampler.begin(made.wish, 0);
  const ids = Array.from({ length: flows }, (_, i) => i + 1).filter((id) => !without.includes(id));
  sampler.add(
    ids.map((id) => topEntry(id, counted(2, id))),
    0,
  );
  made.take(sampler.end());
}

function type(made: TopModel, text: string): (Deed | null)[] {
  return [...text].map((letter) => made.press({ text: letter, name: null }));
}

function press(made: TopModel, ...names: readonly KeyName[]): (Deed | null)[] {
  return names.map((name) => made.press({ text: '', name }));
}

describe('keys of top', () => {
  test('move the mark, and what is shown follows it', () => {
    const made = model(100);
    press(made, 'down', 'down');
    expect([made.marked, made.first]).toEqual([2, 0]);
    press(made, 'page-down');
    expect([made.marked, made.first]).toEqual([12, 3]);
    press(made, 'end', 'down');
    expect([made.marked, made.first]).toEqual([99, 90]);
    press(made, 'up', 'page-up');
    expect([made.marked, made.first]).toEqual([88, 88]);
    type(made, 'g');
    expect([made.marked, made.first]).toEqual([0, 0]);
    press(made, 'up', 'page-up');
    expect([made.marked, made.first]).toEqual([0, 0]);
    expect(made.shown).toHaveLength(10);
  });

  test('leave the mark on its flow when others come or go', () => {
    const made = model(100);
    press(made, 'down', 'down');
    expect(made.row!.entry.flowId).toBe(98);
    fill(made, 120);
    expect([made.row!.entry.flowId, made.marked]).toEqual([98, 22]);
    fill(made, 120, [120, 119]);
    expect([made.row!.entry.flowId, made.marked]).toEqual([98, 20]);
    fill(made, 3);
    expect(made.row!.entry.flowId).toBe(1);
  });

  test('d asks first, and only y deletes, and only the flow that was asked about', () => {
    const made = model(5);
    press(made, 'down');
    expect(type(made, 'd')).toEqual([null]);
    expect(made.mode).toBe('delete');
    // Another flow has come above meanwhile.
    fill(made, 6);
    const [deed] = type(made, 'y');
    expect(deed).toMatchObject({ kind: 'delete', row: { entry: { flowId: 4 } } });
    expect(made.mode).toBe('list');
  });

  test.each(['n', 'q', ' ', 'd', 'x'])('d and then %j deletes nothing', (key) => {
    const made = model(5);
    expect(type(made, `d${key}`)).toEqual([null, null]);
    expect([made.mode, made.message]).toEqual(['list', 'not deleted']);
    expect(press(made, 'delete', 'enter')).toEqual([null, null]);
    expect(type(made, 'y')).toEqual([null]);
  });

  test('d deletes nothing where there is nothing, or it is gone already', () => {
    const empty = model(0);
    type(empty, 'd');
    expect([empty.mode, empty.message]).toEqual(['list', 'there is no flow to delete']);
    const made = model(1);
    made.row!.isGone = true;
    type(made, 'd');
    expect([made.mode, made.message]).toEqual(['list', 'it is gone already']);
  });

  test('/ takes a filter, and says what is wrong with one until it is right', () => {
    const made = model(5);
    expect(type(made, '/state ESTABLISHD')).not.toContainEqual({ kind: 'look' });
    expect(press(made, 'enter')).toEqual([null]);
    expect(made.mode).toBe('filter');
    expect(made.draftError).toContain("column 7: 'ESTABLISHD' is no state");
    press(made, 'clear');
    type(made, 'q dport 443');
    expect(press(made, 'enter')).toEqual([null]);
    press(made, 'clear');
    // q is a letter here.
    expect(type(made, 'dport 4433')).not.toContainEqual({ kind: 'quit' });
    expect(press(made, 'backspace', 'enter')).toEqual([null, { kind: 'look' }]);
    expect([made.mode, made.filterText]).toEqual(['list', 'dport 443']);
    expect(made.filter).not.toBe(null);
    expect(press(made, 'escape')).toEqual([{ kind: 'look' }]);
    expect([made.filterText, made.filter]).toEqual(['', null]);
  });

  test('escape in the filter leaves the one that there was', () => {
    const made = new TopModel('test', ORDERS[0]!, false, 'tcp');
    type(made, '/ and dport 1');
    expect(made.draft).toBe('tcp and dport 1');
    press(made, 'escape');
    expect([made.mode, made.filterText]).toEqual(['list', 'tcp']);
  });

  test('> and < go through all orders and come round, r turns one round', () => {
    const made = model(20);
    const seen = ORDERS.map(() => {
      expect(type(made, '>')).toEqual([{ kind: 'look' }]);
      return made.order.name;
    });
    expect(new Set(seen).size).toBe(ORDERS.length);
    expect(made.order.name).toBe('id');
    type(made, '<');
    expect(made.order.name).toBe('left');
    type(made, '>');
    expect(made.row!.entry.flowId).toBe(20);
    // What is there is in the new order at once.
    type(made, 'r');
    expect(made.row!.entry.flowId).toBe(1);
  });

  test('space holds, ? explains, q and Ctrl-C end', () => {
    const made = model(5);
    type(made, ' ');
    expect(made.isPaused).toBe(true);
    expect(type(made, ' ')).toEqual([{ kind: 'look' }]);
    type(made, '?');
    expect(made.mode).toBe('help');
    type(made, 'x');
    expect(made.mode).toBe('list');
    expect(type(made, 'q')).toEqual([{ kind: 'quit' }]);
    type(made, '/');
    expect(press(made, 'interrupt')).toEqual([{ kind: 'quit' }]);
  });
});
