import type { CounterTest, SetQuery } from './set-base.ts';

function allows(test: CounterTest | null, value: number): boolean {
  if (test === null) return true;
  if (test.op === '=') return value === test.value;
  if (test.op === '!') return value !== test.value;
  return test.op === '<' ? value < test.value : value > test.value;
}

/** Whether an element's counters are as the query wants them. */
export function countersAllow(query: SetQuery, packets: number, bytes: number): boolean {
  return allows(query.packets, packets) && allows(query.bytes, bytes);
}
