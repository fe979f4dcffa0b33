import type { ExpectRecord } from '@keepstate/engine';
import type { CtnetlinkEvents, KernelEvent, KernelEventKind, KernelFlow } from '@keepstate/live';
import { type EventKind, eventLine, eventPrefix } from '../format/event-line.ts';
import { expectLine } from '../format/expect-line.ts';
import { jsonEvent } from '../format/json-event.ts';
import { jsonExpectEvent } from '../format/json-expect.ts';
import { XML_EXPECT_HEAD, XML_EXPECT_TAIL, xmlExpect } from '../format/xml-expect.ts';
import { secondsText } from '../moment.ts';
import { SAVED, WORDS, XML_TYPES } from './event-words.ts';
import type { ExecuteWorld, Outcome } from './execute.ts';
import { kernelEntry, kernelExpectation, milliseconds } from './kernel-entry.ts';
import { errnoOf } from './kernel-errno.ts';
import { Programs } from './kernel-program.ts';
import { loadLive } from './kernel-table.ts';
import { matches } from './match.ts';
import type { Request } from './request.ts';
import { saveLine } from './save-line.ts';
import { failedText, ToolError } from './words.ts';
import { XML_HEAD, XML_TAIL, xmlFlow } from './xml-flow.ts';

/**
 * What the kernel keeps of events until they are read, where -b does not say (bytes). The command itself takes the
 * system's default of 208 KiB; this one is slower at times, as when memory is tidied up.
 */
const BUFFER_BYTES = 1 << 23;

const KINDS: readonly KernelEventKind[] = ['NEW', 'UPDATE', 'DESTROY'];

const LOST = [
  'WARNING: We have hit ENOBUFS! We are losing events.',
  'This message means that the current netlink socket buffer size is too small.',
  'Please, check --buffer-size in conntrack(8) manpage.',
].join('\n');

/** Prints the kernel's events as conntrack -E does. */
class KernelWatcher {
  shown = 0;
  private readonly request: Request;
  private readonly world: ExecuteWorld;
  private readonly programs: Programs = new Programs();

  constructor(request: Request, world: ExecuteWorld) {
    this.request = request;
    this.world = world;
  }

  event({ kind, portid, flow, expectation }: KernelEvent): void {
    const now = performance.timeOrigin + performance.now();
    if (flow !== null) this.flow(kind, portid, flow, now);
    else if (expectation !== null) this.expectation(kind, portid, kernelExpectation(expectation), now);
  }

  lost(): void {
    this.world.say(LOST);
  }

  batch(): void {
    this.world.flush?.();
  }

  private flow(kind: EventKind, portid: number, flow: KernelFlow, now: number): void {
    const { request } = this;
    const entry = kernelEntry(flow);
    // A mark that was not told is none, not even 0 (measured).
    if (!matches(request, entry) || (request.mark !== null && flow.mark === null)) return;
    const { output } = request;
    const time = flow.stop === null ? now : milliseconds(flow.stop);
    const tells = { timeout: flow.timeout !== null, mark: flow.mark !== null };
    const event = { kind, time, flow: entry, state: flow.state !== null, tells } as const;
    const labels = this.labelsOf(flow);
    const stamp = secondsText(now);
    const by = portid === 0 || output.has('json') ? '' : this.programText(portid, now);
    if (output.has('json')) {
      this.print(this.withProgram(jsonEvent(event, stamp, 0, 0), portid, now), '');
    } else if (output.has('save')) this.print(saveLine(entry, SAVED[kind], tells) + by, '');
    else if (output.has('xml')) {
      const options = { type: XML_TYPES[kind], ktimestamp: output.has('ktimestamp'), labels, tells };
      this.print(xmlFlow(entry, time, options) + by, XML_HEAD);
    } else {
      const line = eventLine(event, stamp, {
        timestamp: output.has('timestamp'),
        extended: output.has('extended'),
        id: output.has('id'),
        ktimestamp: output.has('ktimestamp'),
      });
      this.print(line + (labels.length === 0 ? '' : ` labels=${labels.join(',')}`) + by, '');
    }
  }

  /** An event of an expectation. Who did it is not said here (measured); JSON has it. */
  private expectation(kind: EventKind, portid: number, one: ExpectRecord, now: number): void {
    const { output } = this.request;
    const stamp = secondsText(now);
    if (output.has('json')) {
      const type = kind === 'DESTROY' ? 'DESTROY' : 'NEW';
      this.print(this.withProgram(jsonExpectEvent(type, one, stamp), portid, now), '');
    } else if (output.has('xml')) {
      this.print(xmlExpect(one, kind === 'DESTROY' ? 'destroy' : 'new'), XML_EXPECT_HEAD);
    } else {
      const front = output.has('timestamp') ? `[${stamp}]\t` : '';
      this.print(`${front}${eventPrefix(kind)} ${expectLine(one)}`, '');
    }
  }

  /** What follows the last event. */
  end(): void {
    const { table, output } = this.request;
    if (this.shown > 0 && output.has('xml'))
      this.world.write(table === 'expect' ? XML_EXPECT_TAIL : XML_TAIL);
    this.world.flush?.();
  }

  /** The names of a flow's labels, if they are to be shown. */
  private labelsOf({ labels }: KernelFlow): readonly string[] {
    if (this.request.output.has('labels')) this.world.labels.load();
    return this.world.labels.loaded?.namesOf(labels ?? []) ?? [];
  }

  private print(text: string, head: string): void {
    if (this.shown++ === 0) this.world.write(head);
    this.world.write(`${text}\n`);
  }

  /** Behind what a program did, and not packets or time. */
  private programText(portid: number, now: number): string {
    const name = this.programs.of(portid, now);
    return ` [USERSPACE] portid=${portid}${name === null ? '' : ` progname=${name}`}`;
  }

  /** The same in JSON. */
  private withProgram(json: string, portid: number, now: number): string {
    if (portid === 0) return json;
    return `${json.slice(0, -1)},"portid":${portid},"program":${JSON.stringify(this.programs.of(portid, now))}}`;
  }
}

/** Until SIGINT or SIGTERM. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      resolve();
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
}

/**
 * Carries out -E on the kernel's table, until a signal ends it.
 * @throws ToolError
 */
export async function showKernelEvents(request: Request, world: ExecuteWorld): Promise<Outcome> {
  const live = await loadLive();
  const watcher = new KernelWatcher(request, world);
  const expect = request.table === 'expect';
  const wanted = ({ events }: Request, kind: KernelEventKind): boolean =>
    expect || events.size === 0 || events.has('ALL') || events.has(WORDS[kind]);
  const kinds = KINDS.filter((kind) => wanted(request, kind));
  let events: CtnetlinkEvents;
  let failure: unknown = null;
  let stop = (): void => undefined;
  const guarded = {
    event: (event: KernelEvent) => watcher.event(event),
    lost: () => watcher.lost(),
    batch: () => watcher.batch(),
    failed: (error: unknown) => {
      failure = error;
      stop();
    },
  };
  try {
    const bytes = request.bufferSize ?? BUFFER_BYTES;
    events = new live.CtnetlinkEvents(expect ? 'expectations' : 'flows', kinds, bytes, guarded);
  } catch (error) {
    if (!(error instanceof live.NetlinkError)) throw error;
    throw new ToolError(failedText('events', errnoOf(error.errno)), 1);
  }
  if (request.bufferSize !== null) {
    world.say(`NOTICE: Netlink socket buffer size has been set to ${events.bufferBytes} bytes.`);
  }
  await Promise.race([
    interrupted(),
    new Promise<void>((resolve) => {
      stop = resolve;
    }),
  ]);
  // What came before the signal is told, too.
  if (failure === null) events.finish();
  events.close();
  if (failure === null) watcher.end();
  if (failure !== null) throw failure;
  return {
    status: 0,
    summary: `${watcher.shown} ${expect ? 'expectation' : 'flow'} events have been shown.`,
  };
}
