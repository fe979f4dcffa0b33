import { defineConfig } from 'vitest/config';

/** Tests that ask the kernel or real programs, or look at time or memory: they have the machine to themselves. */
const MACHINE: string[] = [
  'tests/kernel/**/*.test.ts',
  'tests/live/**/*.test.ts',
  'tests/real/**/*.test.ts',
  'tests/heap.test.ts',
  'cli/control/**/*.test.ts',
  'cli/run/**/*.test.ts',
  'cli/top/**/*.test.ts',
];
const OTHERS: string[] = [
  'engine/**/*.test.ts',
  'live/**/*.test.ts',
  'cli/**/*.test.ts',
  'tests/**/*.test.ts',
];
const NEVER: string[] = ['**/node_modules/**', '**/dist/**'];

const shared = {
  resolve: { conditions: ['keepstate-source'] },
  ssr: { resolve: { conditions: ['keepstate-source'] } },
};

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'engine',
          include: OTHERS,
          exclude: [...NEVER, ...MACHINE],
          testTimeout: 60_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          name: 'machine',
          include: MACHINE,
          exclude: NEVER,
          testTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
