import type { Command } from '../command.ts';
import { FINE } from '../play.ts';
import { UsageError } from '../trouble.ts';
import { VERSION } from '../version.ts';

/** `keepstate version`. */
export const VERSION_COMMAND: Command = {
  name: 'version',
  takes: '',
  summary: 'prints the version',
  about: [],
  examples: [],
  run: async (words, _given, world) => {
    if (words.length > 0) throw new UsageError(`'version' takes no word, but has '${words[0]}'`);
    world.out.write(`keepstate ${VERSION}\n`);
    return FINE;
  },
};
