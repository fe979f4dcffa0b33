/**
 * `live-stalls.ts SECONDS`: how often the machine takes the core away from a program that never waits: what no latency
 * measured on it can be better than. A shared virtual machine gives others their turns.
 */
const SHORT = 0.2;
const seconds = Number(process.argv[2]);
const start = performance.now();
let stalls = 0;
let lost = 0;
let longest = 0;
for (let last = start, now = start; now - start < seconds * 1000; last = now) {
  now = performance.now();
  const gap = now - last;
  if (gap <= SHORT) continue;
  stalls++;
  lost += gap;
  longest = Math.max(longest, gap);
}
const share = ((lost / seconds / 1000) * 100).toFixed(2);
console.log(
  `${(stalls / seconds).toFixed(0)} stalls/s of more than 200 us, ${share} % of the time, longest ${longest.toFixed(1)} ms`,
);
