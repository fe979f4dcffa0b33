import type { Command, World } from '../command.ts';
import { ControlTable, connectControl } from '../conntrack/control-table.ts';
import { Labels } from '../conntrack/labels.ts';
import { openTable } from '../conntrack/open-table.ts';
import type { ConntrackTable } from '../conntrack/table.ts';
import type { ControlClient } from '../control/client.ts';
import { procExpect } from '../format/expect-line.ts';
import { procIpConntrack } from '../format/proc-ip-conntrack.ts';
import { type GreTimeouts, procNfConntrack } from '../format/proc-nf-conntrack.ts';
import { procStat } from '../format/proc-stat.ts';
import type { Given } from '../options.ts';
import { FINE } from '../play.ts';
import { refuse, UsageError } from '../trouble.ts';

/** What the files show of the settings of a table. */
interface Shown {
  readonly gre: GreTimeouts;
  /** Whether ip_conntrack has marks: not Linux 2.4's. */
  readonly marks: boolean;
}

/** Those of Linux 6.18. */
const DEFAULT: Shown = { gre: { timeout: 30, stream: 180 }, marks: true };
/** Measured: a flow that a command made has no timeouts of GRE until a packet comes. */
const BY_COMMAND: Shown = { gre: { timeout: 0, stream: 0 }, marks: true };

const ELSEWHERE = '--from FILE, --table FILE and --control SOCKET look elsewhere';

type Print = (line: string) => void;

async function flows(table: ConntrackTable, print: Print, { gre }: Shown): Promise<void> {
  const { now } = table;
  for (const flow of await table.list('conntrack')) print(procNfConntrack(flow, now, gre));
}

async function classicFlows(table: ConntrackTable, print: Print, { gre, marks }: Shown): Promise<void> {
  const { now } = table;
  for (const flow of await table.list('conntrack')) print(procIpConntrack(flow, now, gre, marks));
}

async function expectations(table: ConntrackTable, print: Print): Promise<void> {
  for (const one of await table.expectations()) print(procExpect(one));
}

async function stat(table: ConntrackTable, print: Print): Promise<void> {
  for (const line of procStat(await table.count(), await table.stats())) print(line);
}

/** The files, by the names that they have below /proc/net. */
const FILES: Readonly<Record<string, (table: ConntrackTable, print: Print, shown: Shown) => Promise<void>>> =
  {
    nf_conntrack: flows,
    ip_conntrack: classicFlows,
    nf_conntrack_expect: expectations,
    stat,
  };

/** A path as it may be pasted: /proc/net/nf_conntrack, /proc/net/stat/nf_conntrack. */
function fileName(word: string): string {
  const name = word.replace(/^\/?proc(\/self)?\/net\//, '');
  return name === 'stat/nf_conntrack' ? 'stat' : name;
}

/** What a running keepstate is set to. */
async function shownBy(client: ControlClient): Promise<Shown> {
  const values = new Map((await client.call('sysctl-get', {})).map(({ name, value }) => [name, value]));
  const seconds = (name: string, otherwise: number): number =>
    values.get(`net.netfilter.nf_conntrack_${name}`) ?? otherwise;
  const { gre } = DEFAULT;
  return {
    gre: {
      timeout: seconds('gre_timeout', gre.timeout),
      stream: seconds('gre_timeout_stream', gre.stream),
    },
    // Only profiles of 2.4 have this one.
    marks: !values.has('net.netfilter.nf_conntrack_tcp_timeout_none'),
  };
}

async function open(given: Given, world: World): Promise<readonly [ConntrackTable, Shown]> {
  const named = (['from', 'table', 'control'] as const).filter((name) => given.has(name));
  if (named.length > 1) {
    const [one, other] = named;
    throw new UsageError(`--${one} and --${other} contradict each other: a command looks at one table`);
  }
  const [kind] = named;
  if (kind === 'from' || kind === 'table') {
    const { say, env } = world;
    const labels = new Labels(say, env.KEEPSTATE_CONNLABEL);
    const table = await openTable({ kind, name: given.value(kind)! }, { say, labels }, env, false);
    return [table, kind === 'from' ? DEFAULT : BY_COMMAND];
  }
  const client = await connectControl(given.value('control'), world.env, ELSEWHERE);
  try {
    return [new ControlTable(client), await shownBy(client)];
  } catch (error) {
    client.close();
    throw error;
  }
}

/** `keepstate proc`: what Linux shows under /proc/net. */
export const PROC: Command = {
  name: 'proc',
  takes: 'FILE',
  summary: 'the files of /proc/net, of a running keepstate',
  about: [
    'FILE is nf_conntrack, ip_conntrack (as older kernels had it), nf_conntrack_expect, or stat for ' +
      '/proc/net/stat/nf_conntrack. What is printed is what the file of Linux 6.18 would hold: same words, same blanks. ' +
      'Flows come in the order in which they began, where Linux follows its hash table; there is one CPU.',
    'Without --from and --table it is about the running keepstate. A dump has no sysctls: the two timeouts that lines of ' +
      'GRE show are the defaults of Linux.',
  ],
  examples: [
    { command: 'keepstate proc nf_conntrack | grep -c ASSURED', says: 'scripts go on as they are' },
    { command: 'keepstate proc stat', says: 'counts in hexadecimal, as lnstat reads them' },
    {
      command: 'keepstate proc ip_conntrack --from dump.txt',
      says: 'a saved listing as Linux 2.6 showed it',
    },
  ],
  run: async (words, given, world) => {
    const [word, ...rest] = words;
    const names = Object.keys(FILES);
    if (word === undefined) throw new UsageError(`no file is given: expected ${names.join(', ')}`);
    if (rest.length > 0) throw new UsageError(`'proc' takes one file, not '${rest[0]}' besides`);
    const name = fileName(word);
    if (!Object.hasOwn(FILES, name)) refuse('file', word, names);
    const [table, shown] = await open(given, world);
    try {
      await FILES[name]!(table, (line) => world.out.write(`${line}\n`), shown);
    } finally {
      await table.close();
    }
    return FINE;
  },
};
