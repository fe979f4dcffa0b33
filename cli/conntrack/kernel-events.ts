import type { CtnetlinkEvents, KernelEvent, KernelEventKind } from '@keepstate/live';
import { secondsText } from '../moment.ts';
import { EventPrinter } from './event-printer.ts';
import type { ExecuteWorld, Outcome } from './execute.ts';
import { interrupted } from './interrupted.ts';
import { kernelEntry, kernelExpectation, milliseconds } from './kernel-entry.ts';
import { errnoOf } from './kernel-errno.ts';
import { Programs } from './kernel-program.ts';
import { loadLive } from './kernel-table.ts';
import type { Request } from './request.ts';
import { failedText, ToolError } from './words.ts';

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

/** Hands the kernel's events to a printer. */
class KernelWatcher {
  private readonly printer: EventPrinter;
  private readonly world: ExecuteWorld;
  private readonly programs: Programs = new Programs();

  constructor(printer: EventPrinter, world: ExecuteWorld) {
    this.printer = printer;
    this.world = world;
  }

  event({ kind, portid, flow, expectation }: KernelEvent): void {
    const now = performance.timeOrigin + performance.now();
    const stamp = secondsText(now);
    const by = portid === 0 ? null : () => ({ portid, name: this.programs.of(portid, now) });
    if (flow !== null) {
      this.printer.flow({
        kind,
        time: flow.stop === null ? now : milliseconds(flow.stop),
        stamp,
        entry: kernelEntry(flow),
        state: flow.state !== null,
        events: 0,
        reason: 0,
        tells: { timeout: flow.timeout !== null, mark: flow.mark !== null },
        by,
      });
    } else if (expectation !== null) {
      this.printer.expectation(kind, kernelExpectation(expectation), stamp, by);
    }
  }

  lost(): void {
    this.world.say(LOST);
  }

  batch(): void {
    this.world.flush?.();
  }
}

/**
 * Carries out -E on the kernel's table, until a signal ends it.
 * @throws ToolError
 */
export async function showKernelEvents(request: Request, world: ExecuteWorld): Promise<Outcome> {
  const live = await loadLive();
  const printer = new EventPrinter(request, world);
  const watcher = new KernelWatcher(printer, world);
  const expect = request.table === 'expect';
  const kinds = KINDS.filter((kind) => expect || printer.wants(kind));
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
  try {
    // What came before the signal is told, too.
    if (failure === null) events.finish();
  } finally {
    events.close();
  }
  if (failure !== null) throw failure;
  printer.end();
  return { status: 0, summary: printer.summary };
}
