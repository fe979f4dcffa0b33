import { closeSync, constants, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { errnoText } from '../errno-text.ts';
import { UsageError } from '../trouble.ts';
import { troubleWith } from './state-folder.ts';

/** Locks an open file until it is closed. @returns false if another process holds it; @throws if it cannot be locked */
export type LockFile = (fd: number) => boolean;

const OPEN_LOCK: number = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Keeps others from a state file, by flock(2) of a file beside it (the state file itself is another one with each saving).
 * The kernel gives the lock back when the process ends, even by SIGKILL. A socket's abstract name would do so, too, but is
 * one in each network namespace, and instances in several of them are usual.
 */
export class StateLock {
  private readonly path: string;
  private fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.fd = fd;
  }

  /**
   * @param state path of the state file
   * @throws UsageError if another one has it, or what has the lock's name is not ours; Error if none can be had
   */
  static take(state: string, lock: LockFile): StateLock {
    const path = `${state}.lock`;
    for (;;) {
      const fd = open(path);
      try {
        refuseOthers(fd, state, lock);
        if (isStill(path, fd)) return new StateLock(path, fd);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      // Who held it took it away in between, and somebody else may have made another.
      closeSync(fd);
    }
  }

  /** Gives it back. */
  release(): void {
    if (this.fd < 0) return;
    // As long as it is locked nobody else takes what is there to be his.
    rmSync(this.path, { force: true });
    closeSync(this.fd);
    this.fd = -1;
  }
}

function open(path: string): number {
  try {
    return openSync(path, OPEN_LOCK, 0o600);
  } catch (error) {
    throw new Error(`cannot open ${path}: ${errnoText(error)}`);
  }
}

function refuseOthers(fd: number, state: string, lock: LockFile): void {
  const trouble = troubleWith(fd);
  if (trouble !== null) throw new UsageError(`--state ${state}: ${state}.lock: ${trouble}`, false);
  if (!lock(fd))
    throw new UsageError(`--state ${state}: another keepstate that runs keeps its state there`, false);
}

/** Whether a name is still that of an open file. */
function isStill(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && named.ino === fstatSync(fd).ino;
}
