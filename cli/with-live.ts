/** What of the command line runs on real packets. Loaded only by `keepstate run`: with it come rulesets and koffi. */
import { DriverError, lockFile, now, restrictProcess } from '@keepstate/live';
import type { World } from './command.ts';
import type { Given } from './options.ts';
import { livePlan } from './run/live-plan.ts';
import { startRun } from './run/start.ts';
import { Failure, UsageError } from './trouble.ts';

/**
 * Carries out `keepstate run` on this machine.
 * @throws UsageError, SysctlError, Failure
 */
export async function runLive(words: readonly string[], given: Given, world: World): Promise<number> {
  if (words.length > 0) throw new UsageError(`'run' takes no word '${words[0]}': rules go with --rules`);
  try {
    // Before anything else: threads of Node's that have privileges can only be got rid of by a new start.
    restrictProcess();
    return await startRun(given, world, {
      plan: livePlan,
      clock: now,
      signals: process,
      lockFile,
    });
  } catch (error) {
    if (error instanceof DriverError) throw new Failure(error.message);
    throw error;
  }
}
