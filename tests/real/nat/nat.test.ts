import { describe, expect, test } from 'vitest';
import { BASE_PROGRAMS, missingPrograms, missingText } from '../programs.ts';
import { realUnavailable } from '../record.ts';
import { recordThrough } from './record.ts';
import { Replayed, withoutTime } from './replay.ts';
import { NAT_SCENARIOS } from './scenarios.ts';

/** Why nothing can be recorded here, or null. */
function unavailable(): string | null {
  const missing = missingPrograms([...BASE_PROGRAMS, ...NAT_SCENARIOS.flatMap(({ needs }) => needs)]);
  return realUnavailable() ?? (missing.length > 0 ? missingText(missing) : null);
}

function usable(): boolean {
  const reason = unavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

// Four tcpdumps on a busy machine may tell two packets' order wrongly: then they are recorded once more.
describe.skipIf(!usable())('what real programs send through a translating router', { retry: 2 }, () => {
  test.each(NAT_SCENARIOS)(
    '$name: leaves keepstate as it left the kernel, byte for byte',
    async (scenario) => {
      const recorded = await recordThrough(scenario);
      const replayed = new Replayed(recorded);
      expect(recorded.left.length).toBeGreaterThan(1);
      expect(replayed.differences(recorded)).toEqual([]);
      const kernel = recorded.table.split('\n').filter((line) => line !== '');
      // Without a rule of its family that asks for it, the kernel does not track IPv6 at all.
      const isIpv4Only = scenario.rules.startsWith('#!/bin/sh');
      const own = replayed.table().filter((line) => !isIpv4Only || !line.includes('src=2001:'));
      expect(own).toEqual(kernel.map(withoutTime).sort());
    },
  );
});
