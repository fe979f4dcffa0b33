import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['keepstate-source'] },
  ssr: { resolve: { conditions: ['keepstate-source'] } },
  test: {
    include: ['engine/**/*.test.ts', 'live/**/*.test.ts', 'cli/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    // Vitest leaves one core to itself; much of the time here goes into waiting for the kernel and other programs.
    maxWorkers: '100%',
  },
});
