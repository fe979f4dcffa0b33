/** What a command that runs between two packets does to keepstate. */
import { parseArguments } from '../../cli/conntrack/command-line.ts';
import { Labels } from '../../cli/conntrack/labels.ts';
import { matches, stateName } from '../../cli/conntrack/match.ts';
import { changeOf, newEntry } from '../../cli/conntrack/new-entry.ts';
import { LiveTable } from '../../cli/run/live-table.ts';
import type { Firewall } from '../../engine/hook/firewall.ts';
import { parsePrefix } from '../../engine/host/prefix.ts';
import type { RuleTable } from '../../engine/rules/chain.ts';
import { fillHost } from './rules-engine.ts';
import { LINKS } from './rules-namespace-links.ts';

const world = { say: () => {}, labels: new Labels(() => {}) };

function conntrack(firewall: Firewall, words: readonly string[], now: number): void {
  const table = new LiveTable(firewall.conntrack, () => now);
  const request = parseArguments(words, world);
  const found = (): ReturnType<LiveTable['list']> =>
    table.list('conntrack').filter((entry) => matches(request, entry));
  const state = request.fields.get('state');
  switch (request.command) {
    case 'I':
    case 'A':
      table.create(newEntry(request));
      break;
    case 'D':
      for (const entry of found()) table.delete(entry);
      break;
    case 'U':
      for (const entry of found())
        table.update(
          entry,
          changeOf(request, entry, state === undefined ? null : stateName(entry.protonum, state)),
        );
      break;
    case 'F':
      table.flush();
      break;
    default:
      throw new Error(`conntrack ${words.join(' ')}: not wired`);
  }
}

/** `ip addr del ADDRESS dev DEVICE`: the host is what is left of its lines. */
function removeAddress(firewall: Firewall, tables: readonly RuleTable[], words: readonly string[]): void {
  const { host } = firewall;
  const [, , , address, , device] = words as [string, string, string, string, string, string];
  const lines = LINKS.filter((line) => !line.startsWith(`addr add ${address} `));
  if (lines.length === LINKS.length) throw new Error(`${address}: no address of this host`);
  const { index, type } = host.deviceNamed(device)!;
  const both = ['eth0', 'eth1'].map((name) => [name, host.deviceNamed(name)!.index] as const);
  host.clear();
  for (const [name, number] of both) host.addDevice(name, { index: number, type });
  fillHost(host, lines);
  firewall.addressGone(index, parsePrefix(address)!.words);
  firewall.loadRules(tables);
}

/**
 * Does what a command does.
 * @param tables the rules
 * @param now virtual time (ms)
 * @throws Error for any other command
 */
export function carryOut(
  firewall: Firewall,
  tables: readonly RuleTable[],
  words: readonly string[],
  now: number,
): void {
  const [name, ...rest] = words;
  if (name === 'conntrack') conntrack(firewall, words, now);
  else if (name === 'ip') removeAddress(firewall, tables, words);
  else if (name === 'sysctl') {
    const [key = '', value] = rest.at(-1)!.replace('net.netfilter.', '').split('=');
    firewall.settings.set(key, Number(value));
  } else throw new Error(`${words.join(' ')}: not wired`);
}
