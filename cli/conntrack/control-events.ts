import { counted } from '../counted.ts';
import { type EventKind, saysState } from '../format/event-line.ts';
import { secondsText } from '../moment.ts';
import { Failure } from '../trouble.ts';
import { connectControl } from './control-table.ts';
import { EventPrinter } from './event-printer.ts';
import type { ExecuteWorld, Outcome } from './execute.ts';
import { interrupted } from './interrupted.ts';
import type { Request } from './request.ts';

const KINDS: readonly EventKind[] = ['NEW', 'UPDATE', 'DESTROY'];

/**
 * Carries out -E on a running keepstate, until a signal ends it or keepstate itself.
 * @param where as --control has it, null for the default
 * @throws UsageError if none runs there, OutputClosed, Failure if it ends
 */
export async function showControlEvents(
  request: Request,
  where: string | null,
  world: ExecuteWorld,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Outcome> {
  const client = await connectControl(where, env);
  const printer = new EventPrinter(request, world);
  let failure: unknown = null;
  let failed = (): void => {};
  const broken = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const guarded = (print: () => void): void => {
    try {
      print();
      world.flush?.();
    } catch (error) {
      failure ??= error;
      failed();
    }
  };
  const isExpect = request.table === 'expect';
  try {
    // A signal that comes while it begins ends it, too.
    const end = interrupted();
    await client.follow(
      { kinds: isExpect ? [] : KINDS.filter((kind) => printer.wants(kind)), expect: isExpect },
      {
        flow: ({ kind, time, events, reason, flow }) =>
          guarded(() => {
            const state = saysState(kind, events);
            printer.flow({ kind, time, stamp: secondsText(time), entry: flow, state, events, reason });
          }),
        expectation: ({ kind, time, expectation }) =>
          guarded(() => printer.expectation(kind, expectation, secondsText(time))),
        lost: (count) => world.say(`keepstate: ${counted(count, 'event')} came too fast to be shown`),
      },
    );
    const ended = client.closed.then((why) => {
      if (why !== null) failure ??= new Failure(why);
    });
    await Promise.race([end, broken, ended]);
  } finally {
    client.close();
  }
  if (failure !== null) throw failure;
  printer.end();
  return { status: 0, summary: printer.summary };
}
