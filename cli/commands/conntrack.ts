import type { Command } from '../command.ts';
import { runConntrack } from '../conntrack/main.ts';

/** Its name, which is what conntrack(8) is called by, too. */
export const CONNTRACK_NAME = 'conntrack';

/** `keepstate conntrack`: conntrack(8) on a running keepstate, the kernel, dumps, captures and tables of its own. */
export const CONNTRACK: Command = {
  name: CONNTRACK_NAME,
  takes: '-L|-G|-D|-I|-A|-U|-E|-F|-C|-S|-R …',
  summary: 'conntrack(8) on a running keepstate, the kernel or a file',
  about: [
    'Takes the command line of conntrack(8) 1.4.7 and does what that does, with the same output, messages and exit ' +
      'status. `keepstate conntrack -h` lists it. Options of keepstate besides those below are not taken.',
    '--from reads a dump (conntrack -L, also with -o extended, save or xml; /proc/net/nf_conntrack and ip_conntrack; ' +
      'JSON of keepstate) or plays a capture and shows what is in the table after its last packet; -E shows its events. ' +
      'What is wrong with a dump is said with file, line and column, and nothing of it is used.',
    '--table keeps a table in a file: commands change it as conntrack(8) changes that of the kernel, and timeouts run ' +
      'down in between. The first command that changes it makes the file. Two commands at the same time are not kept apart.',
    '--control is the table of a running keepstate, by the socket that keepstate run makes; that of the default socket is ' +
      'looked at where nothing else is named. -E shows its events until SIGINT or SIGTERM.',
    "--kernel is the Linux kernel's own table, in the network namespace of the command; it takes CAP_NET_ADMIN. -E shows " +
      'its events until SIGINT or SIGTERM.',
    '-o json prints one JSON object a line. -U prints every entry that it changes, where conntrack(8) 1.4.7 loses some ' +
      'of several. -R says, behind the message of conntrack(8), which line of the file it is about.',
    'Called by the name conntrack, as through a link, keepstate is this command, and says nothing of its own.',
  ],
  examples: [
    {
      command: 'keepstate conntrack -L -p tcp --state ESTABLISHED',
      says: 'connections of the running keepstate',
    },
    {
      command: 'keepstate conntrack --from dump.txt -L -p tcp --dport 80',
      says: 'what a saved listing has',
    },
    {
      command: 'keepstate conntrack --from capture.pcap -E -e NEW -o timestamp',
      says: 'what began in a capture',
    },
    {
      command: 'keepstate conntrack --table t -D -p udp -d 198.51.100.80',
      says: 'remove from a table of your own',
    },
    {
      command: 'keepstate conntrack --table t -R saved.txt',
      says: 'fill it with what conntrack -L -o save printed',
    },
  ],
  run: (words, _given, world) => runConntrack(words, world),
};
