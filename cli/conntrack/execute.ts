import { AF_INET, type ExpectRecord } from '@keepstate/engine';
import { wordsText } from './address.ts';
import type { ParseWorld } from './command-line.ts';
import { usageText } from './help.ts';
import { fits, matches, stateName } from './match.ts';
import { changeOf, newEntry, newExpectation, portsOf } from './new-entry.ts';
import { Printer } from './printer.ts';
import type { Request } from './request.ts';
import { statsText } from './stats.ts';
import type { Change, ConntrackTable, Entry, Wanted } from './table.ts';
import { type Errno, failedText, TOOL, ToolError } from './words.ts';

/** What carrying out a request may use. */
export interface ExecuteWorld extends ParseWorld {
  readonly write: (text: string) => void;
  /** Writes out what was collected, for whoever follows events. */
  readonly flush?: () => void;
  /** For where a running keepstate is, if nobody says. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What came of a request: the status to exit with, and the line that sums it up (null for none). */
export interface Outcome {
  readonly status: number;
  readonly summary: string | null;
}

const fail = (command: string, errno: Errno): never => {
  throw new ToolError(failedText(command, errno), 1);
};

/** What is changed is looked for by its family; -m and -u say what it shall be, too. */
const familyOf = ({ family }: Request): Wanted => ({ family, mark: null, status: null });

async function list(request: Request, table: ConntrackTable, world: ExecuteWorld): Promise<Outcome> {
  const { status } = request;
  // A status of no bits is what the kernel calls invalid.
  if (status !== null && status.mask === 0 && request.table === 'conntrack') fail('list', 'EINVAL');
  if (request.output.has('labels')) world.labels.load();
  const printer = new Printer(request, table.now, world.labels, world.write);
  const which = request.table === 'expect' ? 'conntrack' : request.table;
  const zero = request.given.has('zero') && which === 'conntrack';
  const { mark, family } = request;
  const asked = mark === null ? null : { value: mark.asked, mask: mark.mask };
  const bits = status === null ? null : { value: status.bits, mask: status.mask };
  const wanted: Wanted = { family, mark: asked, status: bits };
  const entries =
    zero && table.listAndZero !== undefined ? table.listAndZero(wanted) : table.list(which, wanted);
  for (const entry of await entries) if (matches(request, entry)) printer.flow(entry);
  printer.endFlows();
  if (zero && table.listAndZero === undefined) await table.zero();
  return { status: 0, summary: `${printer.shown} flow entries have been shown.` };
}

async function get(request: Request, table: ConntrackTable, world: ExecuteWorld): Promise<Outcome> {
  const wanted = newEntry({ ...request, given: new Set() });
  if (wanted.original === null) fail('get', 'EINVAL');
  // Ports of the reply without its addresses end in this text, whatever is in the table (measured).
  const replyPorts = [...request.fields.keys()].some((field) => field.startsWith('reply.'));
  if (replyPorts && request.replySrc === null && request.replyDst === null) {
    throw new ToolError('Operation failed: Success', 1);
  }
  const { family, protonum } = wanted;
  if ((protonum === 1 && family !== 2) || (protonum === 58 && family !== 10)) fail('get', 'EINVAL');
  const entry = await table.get(family, protonum, wanted.original!);
  if (entry === null) fail('get', 'ENOENT');
  const printer = new Printer(request, table.now, world.labels, world.write);
  if (matches(request, entry!)) printer.flow(entry!);
  const { shown } = printer;
  return { status: shown > 0 ? 0 : 1, summary: `${shown} flow entries have been shown.` };
}

async function create(request: Request, table: ConntrackTable): Promise<Outcome> {
  const adding = request.command === 'A';
  const errno = await table.create(newEntry(request));
  if (errno !== null && !(adding && errno === 'EEXIST')) fail(adding ? 'add' : 'create', errno);
  return {
    status: 0,
    summary: `${errno === null ? 1 : 0} flow entries have been ${adding ? 'added' : 'created'}.`,
  };
}

async function remove(request: Request, table: ConntrackTable, world: ExecuteWorld): Promise<Outcome> {
  const printer = new Printer(request, table.now, world.labels, world.write);
  for (const entry of await table.list('conntrack', familyOf(request))) {
    if (!matches(request, entry)) continue;
    await table.delete(entry);
    printer.flow(entry);
  }
  const { shown } = printer;
  return { status: shown > 0 ? 0 : 1, summary: `${shown} flow entries have been deleted.` };
}

/** Changes one flow. @returns it as it is then, null if that does not count as updated */
async function updateOne(
  request: Request,
  table: ConntrackTable,
  world: ExecuteWorld,
  entry: Entry,
  change: Change,
): Promise<Entry | null> {
  if (request.family === null) {
    // Measured in 1.4.7: without an address or -f the family is left open, and the kernel refuses that.
    const text = failedText('update', 'EOPNOTSUPP');
    world.say(text);
    throw new ToolError(text, 1);
  }
  // Measured, too: zones are not sent along, so that the kernel looks in the default zone.
  const zoned = entry.zoneOriginal !== 0 || entry.zoneReply !== 0;
  const isNat = request.srcNat?.to != null || request.dstNat?.to != null;
  // And the address of a translation is sent along, which the kernel does not change.
  const after = zoned ? 'ENOENT' : isNat ? 'EOPNOTSUPP' : await table.update(entry, change);
  if (typeof after !== 'string') return after;
  world.say(failedText('update', after));
  // What the kernel refuses to change is shown and counted all the same, if it is found.
  return after === 'ENOENT' ? null : entry;
}

async function update(request: Request, table: ConntrackTable, world: ExecuteWorld): Promise<Outcome> {
  const printer = new Printer(request, table.now, world.labels, world.write);
  for (const entry of await table.list('conntrack', familyOf(request))) {
    if (!matches(request, entry)) continue;
    const state = request.fields.get('state');
    const change = changeOf(request, entry, state === undefined ? null : stateName(entry.protonum, state));
    if (Object.keys(change).length === 0) continue;
    const after = await updateOne(request, table, world, entry, change);
    if (after !== null) printer.flow(after);
  }
  const { shown } = printer;
  return { status: shown > 0 ? 0 : 1, summary: `${shown} flow entries have been updated.` };
}

/** The expectation that -G or -D is about. */
async function expectationOf(request: Request, table: ConntrackTable): Promise<ExpectRecord> {
  const { src, dst, protonum } = request;
  const tuple = {
    src: wordsText(src!.words),
    dst: wordsText(dst!.words),
    ...portsOf(request, 'original'),
  };
  if (table.getExpectation !== undefined) {
    return (await table.getExpectation(request.family!, protonum!, tuple)) ?? fail('get expect', 'ENOENT');
  }
  const all = await table.expectations();
  const found = all.find((e) => e.protonum === protonum && fits(e, tuple));
  return found ?? fail('get expect', 'ENOENT');
}

async function expectations(request: Request, table: ConntrackTable, world: ExecuteWorld): Promise<Outcome> {
  const printer = new Printer(request, table.now, world.labels, world.write);
  // Measured: without -f these are IPv4's only, where those of flows are both families'.
  const { family: wanted } = request;
  const ofFamily = ({ family }: ExpectRecord): boolean => family === (wanted ?? AF_INET);
  switch (request.command) {
    case 'L':
      for (const one of await table.expectations()) if (ofFamily(one)) printer.expectation(one);
      printer.endExpectations();
      return { status: 0, summary: `${printer.shown} expectations have been shown.` };
    case 'G':
      printer.expectation(await expectationOf(request, table));
      return { status: 0, summary: null };
    case 'D':
      await table.deleteExpectation(await expectationOf(request, table));
      // Measured in 1.4.7: whoever deletes one is told this, and of status 1.
      return { status: 1, summary: '0 expectations have been shown.' };
    case 'I': {
      const errno = await table.createExpectation(newExpectation(request));
      if (errno !== null) fail('create expect', errno);
      return { status: 0, summary: '1 expectations have been created.' };
    }
    case 'F':
      await table.flushExpectations();
      return { status: 0, summary: 'expectation table has been emptied.' };
    default:
      world.write(`${[...(await table.expectations())].filter(ofFamily).length}\n`);
      return { status: 0, summary: null };
  }
}

/** -h and -V, which need no table. */
export function printAbout(request: Request, write: (text: string) => void): void {
  write(request.command === 'V' ? `${TOOL}\n` : usageText());
}

/** Whether a command changes a table. */
export function changes({ command, given }: Request): boolean {
  return 'DIAUF'.includes(command) || given.has('zero');
}

/**
 * Carries out a request, but for -E, -h and -V.
 * @throws ToolError
 */
export async function execute(
  request: Request,
  table: ConntrackTable,
  world: ExecuteWorld,
): Promise<Outcome> {
  const { command } = request;
  if (command === 'S') {
    world.write(statsText(await table.stats(), request.table === 'expect'));
    return { status: 0, summary: null };
  }
  if (request.table === 'expect') return expectations(request, table, world);
  switch (command) {
    case 'L':
      return list(request, table, world);
    case 'G':
      return get(request, table, world);
    case 'I':
    case 'A':
      return create(request, table);
    case 'D':
      return remove(request, table, world);
    case 'U':
      return update(request, table, world);
    case 'F':
      await table.flush();
      return { status: 0, summary: 'connection tracking table has been emptied.' };
    default:
      world.write(`${await table.count()}\n`);
      return { status: 0, summary: null };
  }
}
