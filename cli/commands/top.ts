import type { Command } from '../command.ts';
import { runTop } from '../top/run-top.ts';

/** `keepstate top`: the table as it changes. */
export const TOP: Command = {
  name: 'top',
  takes: '',
  summary: 'watch the flows of a running keepstate, or of the kernel',
  about: [
    'Shows how full the table is, flows by protocol and state, what comes and goes in a second, and the flows themselves ' +
      'in an order of choice: 1,000 of them at most, of a table of any size. A table that takes long to go through is ' +
      'gone through less often; what is on the screen is looked at every time.',
    'Keys: arrows, Page Up and Down, Home and End move; < and > choose the order, r turns it round, / filters, d deletes ' +
      'the flow that is marked once that was confirmed, space holds everything still, ? lists all keys, q ends.',
    'Rates need counters: sysctl nf_conntrack_acct=1. New and destroyed are flows, invalid and dropped packets, as ' +
      'conntrack -S counts them; of a running keepstate also the packets that rules accepted, and all others. On the ' +
      "kernel's table new and destroyed are counted by its events; > says that some were lost.",
  ],
  examples: [
    { command: 'keepstate top', says: 'of the running keepstate' },
    { command: "keepstate top --kernel --sort bytes --filter 'tcp and dport 443'", says: 'of Linux itself' },
    {
      command: 'keepstate top --once --lines 5 --interval 10',
      says: 'the busiest five of ten seconds, as text',
    },
  ],
  run: runTop,
};
