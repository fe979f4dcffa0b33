import type { Command } from '../command.ts';
import { FINE } from '../play.ts';
import { VERSION } from '../version.ts';

/** `keepstate version`. */
export const VERSION_COMMAND: Command = {
  name: 'version',
  takes: '',
  summary: 'prints the version',
  about: [],
  examples: [],
  run: async (_words, _given, world) => {
    world.out.write(`keepstate ${VERSION}\n`);
    return FINE;
  },
};
