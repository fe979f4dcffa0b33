/**
 * A million damaged packets of every kind over every link type through all profiles: nothing is thrown, and the table
 * stays whole. Every day another seed, or KEEPSTATE_SEED; KEEPSTATE_FUZZ=10 sends ten times as many.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { PROFILES } from '../engine/conntrack/profile.ts';
import { FACTOR, SEED } from './fuzz/budget.ts';
import { Storm } from './fuzz/storm.ts';
import { checkTable } from './fuzz/table-check.ts';

const MUTATED = Math.ceil((1_000_000 * FACTOR) / PROFILES.length);
const CHECK_EVERY = 1000;

const sums = { packets: 0, mutated: 0, accepted: 0, invalid: 0, never: 0, held: 0 };
afterAll(() => console.log(`fuzz: KEEPSTATE_SEED=${SEED}: ${JSON.stringify(sums)}`));

describe('damaged packets', () => {
  test.each(PROFILES.map((profile, i) => [profile.name, profile, i] as const))(
    'through %s: nothing is thrown, the table keeps its limit and holds together',
    (_name, profile, i) => {
      const storm = new Storm(profile, SEED * 10 + i);
      while (storm.mutated < MUTATED) {
        for (let n = 0; n < CHECK_EVERY; n++) storm.send();
        try {
          checkTable(storm.firewall);
        } catch (error) {
          throw new Error(`seed ${SEED}, after packet ${storm.packets}`, { cause: error });
        }
      }
      // All kinds of ends were met, so that the storm is one.
      for (const count of Object.values(storm.seen)) expect(count).toBeGreaterThan(storm.packets / 200);
      const { conntrack } = storm.firewall;
      expect(conntrack.stats.early_drop).toBeGreaterThan(0);
      conntrack.flush();
      expect([conntrack.table.count, conntrack.pool.size, conntrack.nextDue()]).toEqual([0, 0, Infinity]);
      sums.packets += storm.packets;
      sums.mutated += storm.mutated;
      for (const [end, count] of Object.entries(storm.seen)) sums[end as keyof typeof storm.seen] += count;
    },
    180_000 * Math.max(1, FACTOR),
  );
});
