import { constants } from './rolldown.constants.ts';

/**
 * The engine and the command line as they are shipped: one file each. V8 takes a top-level `const` of the same file
 * for the constant that it is, but loads one that is imported anew each time: a sixth of a packet's time.
 */
const source = {
  platform: 'neutral',
  resolve: { conditionNames: ['keepstate-source'] },
  plugins: [constants],
  logLevel: 'warn',
};

// biome-ignore lint/style/noDefaultExport: rolldown asks for it
export default [
  { ...source, input: 'engine/index.ts', output: { file: 'engine/dist/engine.js', format: 'esm' } },
  {
    ...source,
    input: 'cli/main.ts',
    external: /^node:/,
    output: { file: 'cli/dist/keepstate.js', format: 'esm' },
  },
];
