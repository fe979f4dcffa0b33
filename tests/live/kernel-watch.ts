/** `conntrack -E` and `keepstate conntrack --kernel -E` at the same events. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type Did, wordsOf } from '../kernel/conntrack-command-run.ts';
import type { KernelNamespace } from './kernel-table-run.ts';

/** What both said, asked in one way. */
export interface Seen {
  readonly view: string;
  readonly theirs: Did;
  readonly ours: Did;
}

/** Waits until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(50);
}

/** Bytes that wait at each netfilter socket that is in a group: words of /proc/net/netlink. */
export function listeners(space: KernelNamespace): number[] {
  const table = space.inside(['cat', '/proc/net/netlink']).out.split('\n').slice(1);
  const sockets = table.map((line) => line.trim().split(/\s+/));
  return sockets
    .filter(([, eth, , groups]) => eth === '12' && Number(`0x${groups}`) !== 0)
    .map((w) => Number(w[4]));
}

/** Both look in each of these ways while something happens. @returns what each said, by the way */
export async function watched(
  space: KernelNamespace,
  views: readonly string[],
  happen: () => Promise<void>,
): Promise<Seen[]> {
  const ours = views.map((view) => space.ours(view));
  const theirs = views.map((view) => {
    const child = space.start(['conntrack', ...wordsOf(view)]);
    let out = '';
    let err = '';
    child.stdout!.on('data', (data: Buffer) => {
      out += data.toString();
    });
    child.stderr!.on('data', (data: Buffer) => {
      err += data.toString();
    });
    const did = once(child, 'close').then(([status]) => ({ status: status as number, out, err }));
    return { child, did };
  });
  // A wrong command line ends at once.
  let ended = 0;
  for (const one of [...ours, ...theirs.map(({ did }) => did)]) void one.then(() => ended++);
  await until(() => listeners(space).length + ended === 2 * views.length);
  await happen();
  await until(() => listeners(space).every((waiting) => waiting === 0));
  // What was taken last may still be being told: the program that did it is looked for in all of /proc.
  await wait(300);
  for (const { child } of theirs) child.kill('SIGINT');
  space.interrupt();
  const all: Seen[] = [];
  for (const [i, view] of views.entries())
    all.push({ view, theirs: await theirs[i]!.did, ours: await ours[i]! });
  return all;
}

/** Ports of programs differ, and whether the program was still there when it was looked for; times, too. */
function comparable({ status, out, err }: Did): Did {
  const text = out
    .replace(/ \[USERSPACE\] portid=\d+( progname=\S+)?/g, ' [USERSPACE]')
    // conntrack(8) leaves the zeros out that microseconds of expectations begin with.
    .replace(/^\[\d{10}\.\d{1,6} *\]\t/gm, '[T]\t');
  return { status, out: text, err };
}

/** The lines that only one of two has, or all where only their order differs. */
function unlike(theirs: Did, ours: Did): string {
  const text = ({ status, out, err }: Did): string[] => [
    `status ${status}`,
    ...err.split('\n'),
    ...out.split('\n'),
  ];
  const [a, b] = [text(theirs), text(ours)];
  if (a.join('\n') === b.join('\n')) return '';
  const only = [
    ...a.filter((line) => !b.includes(line)).map((line) => `conntrack: ${line}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `keepstate: ${line}`),
  ];
  return (only.length > 0 ? only : ['the order differs', ...a, ...b]).join('\n');
}

/** The views in which the two differ, with what differs. */
export function unlikeViews(all: readonly Seen[]): string {
  return all
    .flatMap(({ view, theirs, ours }) => {
      const text = unlike(comparable(theirs), comparable(ours));
      return text === '' ? [] : [`$ conntrack ${view}\n${text}`];
    })
    .join('\n\n');
}
