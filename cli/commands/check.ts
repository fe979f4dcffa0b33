import type { Command } from '../command.ts';

/** `keepstate check`: reads rulesets, says what is wrong, lists them back. */
export const CHECK: Command = {
  name: 'check',
  takes: 'FILE…',
  summary: 'read rulesets, report every error, list them back',
  about: [
    'Reads nft files, nft -j, iptables-save, ip6tables-save, shell scripts of iptables commands and ipset save, ' +
      'recognised by content, as one host would load them in this order. Errors go to standard error with file, ' +
      'line and column; status 1 if there is any, or if --lint finds something.',
  ],
  examples: [
    { command: 'keepstate check rules.nft', says: 'every error, with its place and a suggestion' },
    { command: 'keepstate check --list rules.v4', says: 'as iptables-save would list it' },
    { command: 'keepstate check --list --json rules.nft', says: 'as nft -j list ruleset' },
    { command: 'keepstate check --lint rules.v4 rules.v6', says: 'what is legal and most likely not meant' },
    { command: 'keepstate check --batch < requests.ndjson', says: 'thousands in one process' },
  ],
  // Rulesets' languages are half of the program: only who needs them waits for them to be loaded.
  run: async (words, given, world) => (await import('../with-rules.ts')).check(words, given, world),
};
