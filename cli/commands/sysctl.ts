import type { Command, World } from '../command.ts';
import { connectControl } from '../conntrack/control-table.ts';
import { type ControlClient, ControlError } from '../control/client.ts';
import type { SysctlValue } from '../control/protocol.ts';
import type { Given } from '../options.ts';
import { FINE, FOUND } from '../play.ts';
import { UsageError } from '../trouble.ts';

/** What one word asks for: to set something, or to show it. */
interface Wish {
  readonly name: string;
  readonly value: string | null;
}

/** `name=value`, blanks around the sign allowed where a shell left them in one word. */
function wishOf(word: string, mustSet: boolean): Wish {
  const at = word.indexOf('=');
  const name = (at < 0 ? word : word.slice(0, at)).trim();
  const value = at < 0 ? null : word.slice(at + 1).trim();
  if (value === null && mustSet) throw new UsageError(`-w needs NAME=VALUE, not '${word}'`);
  if (name === '' || value === '')
    throw new UsageError(`bad word '${word}': expected NAME, or NAME=VALUE to set one`);
  return { name, value };
}

/** Asks for each, and goes on where one is refused, as sysctl(8) does. @returns whether none was */
async function carryOut(
  wishes: readonly Wish[],
  client: ControlClient,
  print: (one: SysctlValue) => void,
  world: World,
): Promise<boolean> {
  let fine = true;
  for (const { name, value } of wishes) {
    try {
      if (value === null) for (const one of await client.call('sysctl-get', { name })) print(one);
      else print(await client.call('sysctl-set', { name, value }));
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      world.out.flush();
      world.say(`keepstate: ${error.message}`);
      fine = false;
    }
  }
  return fine;
}

async function runSysctl(words: readonly string[], given: Given, world: World): Promise<number> {
  const all = given.has('all');
  if (all && words.length > 0) throw new UsageError(`-a shows all: it takes no name '${words[0]}'`);
  if (all && given.has('set')) throw new UsageError('-a and -w contradict each other');
  if (!all && words.length === 0)
    throw new UsageError('no sysctl is given: expected NAME, NAME=VALUE, or -a');
  const wishes = words.map((word) => wishOf(word, given.has('set')));
  const print = ({ name, value }: SysctlValue): void =>
    world.out.write(given.has('values') ? `${value}\n` : `${name} = ${value}\n`);
  const client = await connectControl(given.value('control'), world.env, '--control SOCKET names another');
  try {
    if (all) {
      for (const one of await client.call('sysctl-get', {})) print(one);
      return FINE;
    }
    return (await carryOut(wishes, client, print, world)) ? FINE : FOUND;
  } finally {
    client.close();
  }
}

/** `keepstate sysctl`: sysctl(8) on a running keepstate. */
export const SYSCTL: Command = {
  name: 'sysctl',
  takes: 'NAME[=VALUE]…|-a',
  summary: 'show and set the sysctls of a running keepstate',
  about: [
    'Names are those of Linux, with or without net.netfilter. in front, with dots or slashes; also those that older ' +
      'kernels had (net.ipv4.netfilter.ip_conntrack_max). Values are what the kernel takes. What is set holds until ' +
      'keepstate ends; at its start, keepstate run --sysctl sets.',
    'Output is that of sysctl(8). What is unknown or refused is said, the rest is done, and the status is 1.',
  ],
  examples: [
    { command: 'keepstate sysctl nf_conntrack_count nf_conntrack_max', says: 'how full the table is' },
    {
      command: 'keepstate sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400',
      says: 'for flows that a packet refreshes from now on',
    },
    { command: 'keepstate sysctl -a | grep timeout', says: 'all timeouts' },
  ],
  run: runSysctl,
};
