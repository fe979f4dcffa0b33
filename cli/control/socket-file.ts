import { chmodSync, lstatSync, mkdirSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { errnoText } from '../errno-text.ts';
import { UsageError } from '../trouble.ts';

/** Write permission of the group and of all others. */
const OTHERS_WRITE = 0o022;
/** The sticky bit: in such a folder nobody removes what is another's. */
const STICKY = 0o1000;

function look(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UsageError(`cannot make a control socket at ${path}: ${errnoText(error)}`, false);
  }
}

/** A folder; what a link to one leads to, as /var/run does to /run. @throws UsageError if it leads nowhere */
function folderAt(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new UsageError(`cannot make a control socket in ${path}: ${errnoText(error)}`, false);
  }
}

/**
 * Makes sure that a file's folder is there, and that nobody but us can put something else in its place. One that is
 * not there is made, for us alone.
 * @throws UsageError for a folder in which others can do as they like
 */
function prepareFolder(file: string): void {
  const folder = dirname(file);
  const there = look(folder);
  if (there === null) {
    try {
      // One level: with `recursive` Node 20 tries for ever in a file system that makes no folders, such as /proc.
      mkdirSync(folder, { mode: 0o700 });
      // The mode that mkdir takes is what the umask leaves of it.
      chmodSync(folder, 0o700);
    } catch (error) {
      const why = `${errnoText(error)}; --control names another place`;
      throw new UsageError(`cannot make the folder ${folder}: ${why}`, false);
    }
    return;
  }
  const { uid, mode } = folderAt(folder);
  const isTrusted = (owner: number): boolean => owner === process.getuid!() || owner === 0;
  if (!isTrusted(uid) || !isTrusted(there.uid))
    throw new UsageError(
      `${folder} belongs to another user, who could replace what keepstate has there`,
      false,
    );
  if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)
    throw new UsageError(
      `other users may write to ${folder}: keepstate's socket needs a folder of its own`,
      false,
    );
}

/** Whether somebody listens at a socket. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Somebody who has no time to answer is there, too.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EAGAIN' || code === 'EACCES'),
    );
  });
}

/**
 * Makes the way free for a socket: one that a dead run left behind is removed.
 * @throws UsageError if a keepstate is running there, or the file is no socket
 */
export async function clearSocket(path: string): Promise<void> {
  prepareFolder(path);
  const there = look(path);
  if (there === null) return;
  if (!there.isSocket()) throw new UsageError(`${path} is there and is no socket`, false);
  if (await isAlive(path))
    throw new UsageError(
      `a keepstate is running already with the control socket ${path}: --control names another`,
      false,
    );
  unlinkSync(path);
}
