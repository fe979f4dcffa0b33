/** Measures the oracle: node --conditions=keepstate-source --import tsx tests/kernel/rate.ts [packets] */
import { Kernel, type KernelOptions, kernelUsable, type ReplayOptions } from './oracle.ts';
import { tcp, udp } from './packets.ts';

/** Half UDP exchanges, a quarter lone TCP ACKs (picked up), a quarter flagless TCP packets (INVALID with reason). */
function traffic(count: number): { bytes: Uint8Array }[] {
  return Array.from({ length: count }, (_, i) => {
    const port = 1000 + ((i >> 2) % 60_000);
    const client = `10.0.${(i >> 10) & 255}.1`;
    if (i % 4 === 0) return { bytes: udp(client, port, '10.1.0.1', 53) };
    if (i % 4 === 1) return { bytes: udp('10.1.0.1', 53, client, port) };
    return { bytes: tcp(client, port, '10.1.0.1', 80, i % 4 === 2 ? 16 : 0, i, 1) };
  });
}

const CASES: readonly (readonly [string, KernelOptions, ReplayOptions])[] = [
  ['verdicts only', { log: false }, {}],
  ['and reasons (default)', {}, {}],
  ['and output', {}, { output: true }],
  ['and stages', { stages: true }, {}],
  ['and events', { events: true }, {}],
];

async function main(): Promise<void> {
  if (!kernelUsable()) return;
  const packets = traffic(Number(process.argv[2] ?? 40_000));
  for (const [name, options, replay] of CASES) {
    const kernel = await Kernel.open(options);
    const { elapsedMs } = await kernel.replay(packets, { ...replay, table: false });
    await kernel.close();
    console.log(`${name.padEnd(24)} ${Math.round((packets.length / elapsedMs) * 1000)} packets/s`);
  }
  const kernel = await Kernel.open();
  const flows = packets.slice(0, 2000).map((_, i) => packets[i % 20]!);
  const { elapsedMs, table } = await kernel.replay(flows, { dumpEvery: true });
  await kernel.close();
  console.log(
    `dumpEvery, ${table.length} entries`.padEnd(24),
    `${Math.round((2000 / elapsedMs) * 1000)} packets/s`,
  );
}

await main();
