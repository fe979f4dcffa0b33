import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { udpPacket } from '../packet/build.ts';
import { arrive, newState } from '../rules/testing.mts';
import { ConnNetworks } from './conn-networks.ts';

test('networks that nobody has a connection with are forgotten, those with one are not', () => {
  const networks = new ConnNetworks(1, new Random(1));
  const state = newState();
  const from = (i: number): void => {
    const src = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    arrive(state, udpPacket({ src, dst: '192.0.2.9', sport: 1000, dport: 53, payload: 8 }), 1000 + i);
  };
  const count = (i: number): number => networks.add(Int32Array.of(i), state);
  from(1);
  expect(count(1)).toBe(1);
  state.conntrack.confirm(state.pkt);
  // Made up by somebody: none of these flows is ever confirmed.
  for (let i = 2; i < 20_000; i++) {
    from(i);
    count(i);
  }
  expect(networks.size).toBeLessThan(10_000);
  from(1);
  expect(count(1)).toBe(1);
});
