import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoText } from '../errno-text.ts';
import { Failure, UsageError } from '../trouble.ts';

/** Others may write here, and nothing keeps them from putting other files in place of ours. */
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Never follows a link, and does not wait for whoever might open a FIFO. */
export const OPEN_READ: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Only a file that was not there before. */
export const OPEN_NEW: number =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** The file that state is kept in, and its neighbours: all in one folder, which is looked up once. */
export class StateFolder {
  /** The file. */
  readonly path: string;
  private readonly folder: string;
  private readonly name: string;

  /**
   * @param path as the user gave it; the folder must be there, the file need not
   * @throws UsageError if the folder is none or others may write to it, or the file is no plain one of ours
   */
  constructor(path: string) {
    this.name = basename(path);
    try {
      // Links on the way to the folder are the administrator's; from here on none is followed.
      this.folder = realpathSync(dirname(path));
    } catch (error) {
      throw new UsageError(`--state ${path}: cannot use ${dirname(path)}: ${errnoText(error)}`, false);
    }
    this.path = join(this.folder, this.name);
    if (this.name === '' || this.name === '.' || this.name === '..' || path.endsWith('/'))
      throw new UsageError(`--state ${path}: expected the name of a file`, false);
    this.checkFolder();
    this.checkFile();
  }

  /** Where a new file is written before it takes its place. */
  get beside(): string {
    return `${this.path}.new-${process.pid}`;
  }

  /** Removes new files that processes which are no more left half written. @throws Failure */
  sweep(): void {
    const prefix = `${this.name}.new-`;
    for (const name of this.names()) {
      if (!name.startsWith(prefix)) continue;
      const pid = Number(name.slice(prefix.length));
      if (Number.isInteger(pid) && pid > 0 && (pid === process.pid || !isRunning(pid)))
        rmSync(join(this.folder, name), { force: true });
    }
  }

  /** Gives the damaged file another name. @param time now (ms since the epoch). @returns that name */
  setAside(time: number): string {
    const stamp = new Date(time).toISOString().replace(/[-:]/g, '').replace('.', '');
    const aside = `${this.path}.damaged-${stamp}`;
    renameSync(this.path, aside);
    return aside;
  }

  /** Makes sure that a file which took its place stays in it, come what may. @throws Failure */
  sync(): void {
    const fd = openSync(this.folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      syncFolder(fd);
    } finally {
      closeSync(fd);
    }
  }

  private names(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch (error) {
      throw new Failure(`cannot read the folder ${this.folder}: ${errnoText(error)}`);
    }
  }

  private checkFolder(): void {
    const { mode, uid } = lstatSync(this.folder);
    const isOurs = uid === process.getuid?.() || uid === 0;
    if (!isOurs || ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0))
      throw new UsageError(
        `--state ${this.path}: others may write to ${this.folder}: ` +
          'expected a folder that only its owner, you or root, may change (chmod go-w)',
        false,
      );
  }

  /** @throws UsageError if what has the file's name cannot be our state */
  private checkFile(): void {
    let fd: number;
    try {
      fd = openSync(this.path, OPEN_READ);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new UsageError(`--state ${this.path}: cannot use it: ${errnoText(error)}`, false);
    }
    try {
      const trouble = troubleWith(fd);
      if (trouble !== null) throw new UsageError(`--state ${this.path}: ${trouble}`, false);
    } finally {
      closeSync(fd);
    }
  }
}

/** Why an open file cannot be our state, null if it can. */
export function troubleWith(fd: number): string | null {
  const stat = fstatSync(fd);
  if (!stat.isFile()) return 'it is no plain file';
  if (stat.uid !== process.getuid?.() && stat.uid !== 0) return 'it belongs to another user';
  return (stat.mode & OTHERS_WRITE) === 0 ? null : 'others may write to it (chmod go-w)';
}

function syncFolder(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems know no such thing of folders.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw new Failure(errnoText(error));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
