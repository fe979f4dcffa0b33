import type { Command } from '../command.ts';
import { commandHelp, filterHelp, generalHelp } from '../help-text.ts';
import { FINE } from '../play.ts';
import { refuse, UsageError } from '../trouble.ts';

/**
 * `keepstate help`, which explains the others.
 * @param others the commands besides help itself
 */
export function helpCommand(others: readonly Command[]): Command {
  const help: Command = {
    name: 'help',
    takes: '[COMMAND]',
    summary: 'explains a command, or the language of --filter',
    about: [],
    examples: [{ command: 'keepstate help trace', says: 'what trace does' }],
    run: async (words, _given, world) => {
      const all = [...others, help];
      const [topic] = words;
      if (words.length > 1) throw new UsageError("'help' takes one command");
      if (topic === undefined) world.out.write(generalHelp(all));
      else if (topic === 'filter') world.out.write(filterHelp());
      else {
        const names = [...all.map((c) => c.name), 'filter'];
        world.out.write(commandHelp(all.find((c) => c.name === topic) ?? refuse('command', topic, names)));
      }
      return FINE;
    },
  };
  return help;
}
