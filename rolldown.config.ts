import { constants } from './rolldown.constants.ts';
import { eager } from './rolldown.eager.ts';

/** What only rulesets need. */
const WITH_RULES = /with-rules/;

/**
 * The engine and the command line as they are shipped: one file each, of the command line two, without the languages of
 * rulesets and with them, between which cli/bin.js chooses: a third of the time to start goes into those. V8 takes a top-level `const` of the same file
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
    input: 'live/index.ts',
    external: [/^node:/, '@keepstate/engine', 'koffi'],
    output: { file: 'live/dist/live.js', format: 'esm' },
  },
  {
    ...source,
    input: 'cli/main.ts',
    external: [/^node:/, WITH_RULES],
    output: { file: 'cli/dist/keepstate.js', format: 'esm' },
  },
  {
    ...source,
    input: 'cli/main.ts',
    plugins: [eager, constants],
    external: /^node:/,
    output: { file: 'cli/dist/keepstate-rules.js', format: 'esm' },
  },
];
