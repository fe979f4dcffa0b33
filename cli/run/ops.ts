import { type ExpectRecord, type Firewall, REASONS } from '@keepstate/engine';
import type { Change, Entry, NewEntry, NewExpectation } from '../conntrack/table.ts';
import type { ControlStats, Hello, ReloadReport, Status } from '../control/protocol.ts';
import { SLICE } from '../control/protocol.ts';
import type { Handlers } from '../control/server-client.ts';
import {
  ArgumentError,
  checkFlow,
  checkNumbers,
  checkTuple,
  objectArg,
  textArg,
  wholeArg,
} from './check-args.ts';
import type { LiveTable } from './live-table.ts';
import { eachFlowInSlices } from './rows.ts';
import { allSysctls, oneSysctl, setSysctl } from './sysctls.ts';

const FLUSHED = REASONS.find((r) => r.name === 'flushed')!.id;

type Args = Readonly<Record<string, unknown>>;

/** What the ops need of a running keepstate. */
export interface Instance {
  readonly firewall: Firewall;
  readonly table: LiveTable;
  hello(): Hello;
  status(): Promise<Status>;
  stats(): ControlStats;
  metrics(): Promise<string>;
  reload(): Promise<ReloadReport>;
  /** Saves the state. @throws if there is no file to save to, or that fails */
  save(): Promise<void>;
  stop(): void;
  /** A sysctl was set. */
  settingsChanged(name: string, value: number): void;
}

/** An op: reads its arguments, and answers. */
type Op = (instance: Instance, args: Args) => unknown;

function flowArg(args: Args): Entry {
  checkFlow(args, 'flow');
  return args.flow as Entry;
}

function changeArg(args: Args): Change {
  const change = objectArg(args, 'change');
  checkNumbers(change, ['timeout', 'status', 'mark'], 0xffffffff);
  checkNumbers(change, ['state'], 255);
  checkLabels(change);
  if (change.vtags != null) checkNumbers(objectArg(change, 'vtags'), ['original', 'reply'], 0xffffffff);
  return change as Change;
}

function checkLabels(args: Args): void {
  const { labels } = args;
  if (labels === undefined) return;
  const isLabel = (bit: unknown): boolean =>
    typeof bit === 'number' && Number.isInteger(bit) && bit >= 0 && bit < 128;
  if (!Array.isArray(labels) || !labels.every(isLabel))
    throw new ArgumentError("'labels' is not what it should be: a list of bits from 0 to 127");
}

function checkNat(flow: Args, name: string): void {
  if (flow[name] === null) return;
  const to = objectArg(flow, name);
  textArg(to, 'address');
  checkNumbers(to, ['port'], 0xffff);
}

function newFlowArg(args: Args): NewEntry {
  const flow = objectArg(args, 'flow');
  wholeArg(flow, 'family', 0, 255);
  wholeArg(flow, 'protonum', 0, 255);
  for (const name of ['original', 'reply']) if (flow[name] !== null) checkTuple(flow, name);
  for (const name of ['timeout', 'status', 'mark']) wholeArg(flow, name, 0, 0xffffffff);
  checkNumbers(flow, ['zone', 'zoneOriginal', 'zoneReply'], 0xffff);
  checkNumbers(flow, ['state'], 255);
  for (const name of ['srcNat', 'dstNat']) checkNat(flow, name);
  checkLabels(flow);
  if (flow.vtags !== null) checkNumbers(objectArg(flow, 'vtags'), ['original', 'reply'], 0xffffffff);
  // What may be left out is none.
  const none = { labels: [], zone: null, zoneOriginal: null, zoneReply: null, state: null };
  return { ...none, ...flow } as unknown as NewEntry;
}

function newExpectationArg(args: Args): NewExpectation {
  const expectation = objectArg(args, 'expectation');
  wholeArg(expectation, 'family', 0, 255);
  wholeArg(expectation, 'protonum', 0, 255);
  wholeArg(expectation, 'timeout', 0, 0xffffffff);
  for (const name of ['tuple', 'mask', 'master']) checkTuple(expectation, name);
  return expectation as unknown as NewExpectation;
}

function expectationArg(args: Args): ExpectRecord {
  wholeArg(objectArg(args, 'expectation'), 'id', 0, Number.MAX_SAFE_INTEGER);
  return args.expectation as ExpectRecord;
}

function valueArg(args: Args): string | number {
  return typeof args.value === 'number' ? args.value : textArg(args, 'value');
}

/** Every op with one answer but hello and events, which are the server's. */
const OPS: Readonly<Record<string, Op>> = {
  hello: (instance) => instance.hello(),
  status: (instance) => instance.status(),
  get: ({ table }, args) => {
    checkTuple(args, 'tuple');
    return table.get(
      wholeArg(args, 'family', 0, 255),
      wholeArg(args, 'protonum', 0, 255),
      args.tuple as Entry['original'],
    );
  },
  create: ({ table }, args) => table.create(newFlowArg(args)),
  update: ({ table }, args) => table.update(flowArg(args), changeArg(args)),
  delete: ({ table }, args) => table.delete(flowArg(args)),
  flush: async ({ firewall: { conntrack } }) => {
    await eachFlowInSlices(conntrack, (row) => conntrack.evict(row, FLUSHED));
    return null;
  },
  zero: ({ table }) => table.zero(),
  count: ({ table }) => table.count(),
  'create-expectation': ({ table }, args) => table.createExpectation(newExpectationArg(args)),
  'delete-expectation': ({ table }, args) => table.deleteExpectation(expectationArg(args)),
  'flush-expectations': ({ table }) => table.flushExpectations(),
  stats: (instance) => instance.stats(),
  reload: (instance) => instance.reload(),
  'sysctl-get': ({ firewall }, args) =>
    args.name === undefined ? allSysctls(firewall) : [oneSysctl(firewall, textArg(args, 'name'))],
  'sysctl-set': (instance, args) => {
    const set = setSysctl(instance.firewall, textArg(args, 'name'), valueArg(args));
    instance.settingsChanged(set.name, set.value);
    return set;
  },
  metrics: (instance) => instance.metrics(),
  save: (instance) => instance.save(),
  stop: (instance) => {
    instance.stop();
    return null;
  },
};

/** Cuts a list that is at hand. */
function* slicesOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += SLICE) yield list.slice(at, at + SLICE);
}

/** Every op that answers with a list. */
const LISTS: Readonly<Record<string, (instance: Instance, args: Args) => Iterator<readonly unknown[]>>> = {
  list: ({ table }, { table: which = 'conntrack', zero = false }) => {
    if (which !== 'conntrack' && which !== 'dying' && which !== 'unconfirmed')
      throw new ArgumentError(`there is no table '${String(which)}'`);
    return table.slices(which, SLICE, zero === true);
  },
  expectations: ({ table }) => slicesOf(table.expectations()),
};

/** What answers the questions of the control socket about an instance. */
export function handlersOf(instance: Instance): Handlers {
  return {
    call(op, args): unknown {
      if (!Object.hasOwn(OPS, op)) throw new ArgumentError(`there is no op '${op.slice(0, 40)}'`);
      return OPS[op]!(instance, args);
    },
    list: (op, args) => (Object.hasOwn(LISTS, op) ? LISTS[op]!(instance, args) : null),
  };
}
