import { AF_INET, type ExpectRecord, ips, type TupleRecord } from '@keepstate/engine';
import type { Ctnetlink, FlowRequest, KernelFilter, KernelFlow } from '@keepstate/live';
import { kernelEntry, kernelExpectation } from './kernel-entry.ts';
import { errnoOf, refused } from './kernel-errno.ts';
import type { Change, ConntrackTable, Entry, NewEntry, NewExpectation, TableStats, Wanted } from './table.ts';
import { invert, portKind } from './tuple.ts';
import { type Errno, failedText, ToolError } from './words.ts';

/** What of @keepstate/live is used; it is loaded when it is needed. */
export type Live = typeof import('@keepstate/live');

/** Loads what speaks with the kernel. @throws ToolError where that does not run */
export async function loadLive(): Promise<Live> {
  if (process.platform !== 'linux') throw new ToolError('--kernel: only Linux has this table', 1);
  try {
    return await import('@keepstate/live');
  } catch (error) {
    throw new ToolError(`--kernel: cannot load @keepstate/live: ${(error as Error).message}`, 1);
  }
}

/** The zones of a flow as a request names them. */
function zonesOf({
  zoneOriginal,
  zoneReply,
}: Entry): Pick<FlowRequest, 'zone' | 'zoneOriginal' | 'zoneReply'> {
  return zoneOriginal === zoneReply ? { zone: zoneOriginal } : { zoneOriginal, zoneReply };
}

/** An address that was not given goes as zeros, as conntrack(8) sends it (measured). */
function whole(family: number, tuple: TupleRecord): TupleRecord {
  const none = family === AF_INET ? '0.0.0.0' : '::';
  return { ...tuple, src: tuple.src || none, dst: tuple.dst || none };
}

/**
 * Whether a tuple has what its protocol asks for. A reply that lacks it goes without a protocol, as conntrack(8) sends
 * it: the kernel refuses it, but only once it has looked for the original tuple.
 */
function hasPorts(protonum: number, tuple: TupleRecord): boolean {
  const kind = portKind(protonum);
  if (kind === 'port') return tuple.sport !== undefined || tuple.dport !== undefined;
  return kind !== 'key' || tuple.srckey !== undefined || tuple.dstkey !== undefined;
}

/** The table of the Linux kernel, in the network namespace of this process. Takes CAP_NET_ADMIN. */
export class KernelTable implements ConntrackTable {
  readonly readOnly = null;
  private readonly live: Live;
  private readonly kernel: Ctnetlink;

  /** @throws ToolError */
  constructor(live: Live) {
    this.live = live;
    this.kernel = this.named('open', () => new live.Ctnetlink());
  }

  get now(): number {
    return Date.now();
  }

  list(which: 'conntrack' | 'dying' | 'unconfirmed', wanted?: Wanted): Iterable<Entry> {
    return this.entries(this.kernel.flows(which, filterOf(wanted)));
  }

  listAndZero(wanted: Wanted): Iterable<Entry> {
    return this.entries(this.kernel.flows('conntrack', filterOf(wanted), true));
  }

  get(family: number, protonum: number, tuple: TupleRecord): Entry | null {
    const found = this.find({ family, protonum, original: tuple });
    if (typeof found !== 'string') return found;
    if (found !== 'ENOENT') throw new ToolError(failedText('get', found), 1);
    return null;
  }

  create(flow: NewEntry): Errno | null {
    const { family, protonum, fromNat } = flow;
    const original = flow.original ?? (flow.reply === null ? null : invert(family, protonum, flow.reply));
    let reply = flow.reply ?? (original === null ? null : invert(family, protonum, original));
    if (original === null || reply === null) return 'EINVAL';
    // The kernel itself puts the translation in: if it stood there already, the flow would count as not translated.
    if (fromNat?.src === true) reply = { ...reply, src: '' };
    if (fromNat?.dst === true) reply = { ...reply, dst: '' };
    const errno = this.kernel.create({
      family,
      protonum,
      original: whole(family, original),
      reply: whole(family, reply),
      replyProtonum: hasPorts(protonum, reply) ? undefined : 0,
      zone: flow.zone ?? undefined,
      zoneOriginal: flow.zoneOriginal ?? undefined,
      zoneReply: flow.zoneReply ?? undefined,
      status: ips.IPS_CONFIRMED | flow.status,
      timeout: flow.timeout,
      mark: flow.mark,
      state: flow.state ?? undefined,
      vtags: flow.vtags ?? undefined,
      labels: flow.labels.length === 0 ? undefined : flow.labels,
      srcNat: flow.srcNat ?? undefined,
      dstNat: flow.dstNat ?? undefined,
    });
    return errno === 0 ? null : errnoOf(errno);
  }

  update(flow: Entry, change: Change): Entry | Errno | null {
    const { family, protonum, original } = flow;
    const same: FlowRequest = { family, protonum, original, ...zonesOf(flow) };
    const { status, labels } = change;
    // Only the bits that change: others may have been set meanwhile.
    const labelMask = labels && [...new Set([...labels, ...flow.labels])];
    const errno = this.kernel.update({
      ...same,
      timeout: change.timeout,
      status: status === undefined ? undefined : flow.status | status,
      mark: change.mark,
      state: change.state,
      vtags: change.vtags,
      labels,
      labelMask,
    });
    if (errno !== 0) return errnoOf(errno);
    const after = this.find(same);
    return after === 'ENOENT' ? null : after;
  }

  delete(flow: Entry): void {
    const { family, protonum, original, reply, flowId } = flow;
    const errno = this.kernel.delete({ family, protonum, original, reply, id: flowId, ...zonesOf(flow) });
    if (errno !== 0) refused('delete', errno);
  }

  flush(): void {
    const errno = this.kernel.flush();
    if (errno !== 0) refused('flush', errno);
  }

  zero(): void {
    for (const _ of this.listAndZero({ family: null, mark: null, status: null }));
  }

  count(): number {
    const { errno, count } = this.kernel.count();
    if (errno !== 0) refused('count', errno);
    return count;
  }

  expectations(): readonly ExpectRecord[] {
    return this.named('list expect', () => [...this.kernel.expectations()].map(kernelExpectation));
  }

  getExpectation(family: number, protonum: number, tuple: TupleRecord): ExpectRecord | null {
    const found = this.kernel.getExpectation(family, protonum, tuple);
    if (typeof found !== 'number') return kernelExpectation(found);
    return errnoOf(found) === 'ENOENT' ? null : refused('get expect', found);
  }

  createExpectation(expectation: NewExpectation): Errno | null {
    const errno = this.kernel.createExpectation(expectation);
    return errno === 0 ? null : errnoOf(errno);
  }

  deleteExpectation({ family, protonum, tuple, zone }: ExpectRecord): void {
    const errno = this.kernel.deleteExpectation(family, protonum, tuple, zone);
    if (errno !== 0) refused('get expect', errno);
  }

  flushExpectations(): void {
    const errno = this.kernel.flushExpectations();
    if (errno !== 0) refused('flush', errno);
  }

  stats(): TableStats {
    const flows = this.named('stats', () => this.kernel.stats());
    const expectations = this.named('stats', () => this.kernel.stats(true));
    const sum = (of: typeof flows, name: string): number =>
      of.reduce((all, { counts }) => all + (counts.find(([n]) => n === name)?.[1] ?? 0), 0);
    return {
      insert: sum(flows, 'insert'),
      expectNew: sum(expectations, 'expect_new'),
      expectCreate: sum(expectations, 'expect_create'),
      expectDelete: sum(expectations, 'expect_delete'),
      cpus: { flows, expectations },
    };
  }

  close(): void {
    this.kernel.close();
  }

  /** A flow as it is now. The kernel holds it while it answers: that use is not counted. */
  private find(request: FlowRequest): Entry | Errno {
    const found = this.kernel.get(request);
    if (typeof found === 'number') return errnoOf(found);
    return kernelEntry({ ...found, uses: (found.uses ?? 1) - 1 });
  }

  private *entries(flows: Iterable<KernelFlow>): Generator<Entry, void, void> {
    try {
      for (const flow of flows) yield kernelEntry(flow);
    } catch (error) {
      throw this.translated('list', error);
    }
  }

  /** Carries something out; what the kernel refuses ends the command with the text of conntrack(8). */
  private named<T>(command: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.translated(command, error);
    }
  }

  private translated(command: string, error: unknown): unknown {
    if (!(error instanceof this.live.NetlinkError)) return error;
    try {
      return refused(command, error.errno);
    } catch (told) {
      return told;
    }
  }
}

function filterOf(wanted: Wanted | undefined): KernelFilter {
  if (wanted === undefined) return {};
  const { family, mark, status } = wanted;
  return { family: family ?? undefined, mark: mark ?? undefined, status: status ?? undefined };
}
