import { spawnSync } from 'node:child_process';

/** Core to measure on; KEEPSTATE_CORE names another. */
const CORE: string = process.env.KEEPSTATE_CORE ?? '1';

/** What to put before a command so that it runs on one core; nothing where that cannot be. */
export const PINNED: readonly string[] =
  spawnSync('taskset', ['-c', CORE, 'true']).status === 0 ? ['taskset', '-c', CORE] : [];
