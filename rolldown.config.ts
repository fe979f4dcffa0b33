import { constants } from './rolldown.constants.ts';
import { eager } from './rolldown.eager.ts';

/** What only rulesets need. */
const WITH_RULES = /with-rules/;
/** What only real packets need. */
const WITH_LIVE = /with-live|@keepstate\/live/;
/** What stays where it is installed: compiled code, and what only `keepstate top` loads, at a terminal. */
const INSTALLED = ['koffi', 'ink', 'react'];

/**
 * The engine (and what makes packets for tests), live and the command line as they are shipped: one file each, of the command line three, between which
 * cli/bin.js chooses: without the languages of rulesets, with them, and with what `keepstate run` needs besides. A third of
 * the time to start goes into rulesets. V8 takes a top-level `const` of the same file for the constant that it is, but
 * loads one that is imported anew each time: a sixth of a packet's time. So `run` has live and the engine in its own file.
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
  { ...source, input: 'engine/packet/build.ts', output: { file: 'engine/dist/build.js', format: 'esm' } },
  {
    ...source,
    input: 'live/index.ts',
    external: [/^node:/, '@keepstate/engine', ...INSTALLED],
    output: { file: 'live/dist/live.js', format: 'esm' },
  },
  {
    ...source,
    input: 'cli/main.ts',
    external: [/^node:/, ...INSTALLED, WITH_RULES, WITH_LIVE],
    output: { file: 'cli/dist/keepstate.js', format: 'esm' },
  },
  {
    ...source,
    input: 'cli/main.ts',
    plugins: [eager(WITH_LIVE), constants],
    external: [/^node:/, ...INSTALLED, WITH_LIVE],
    output: { file: 'cli/dist/keepstate-rules.js', format: 'esm' },
  },
  {
    ...source,
    input: 'cli/main.ts',
    plugins: [eager(null), constants],
    external: [/^node:/, ...INSTALLED],
    output: { file: 'cli/dist/keepstate-run.js', format: 'esm' },
  },
];
