import { type FSWatcher, lstatSync, readdirSync, readlinkSync, realpathSync, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Editors write in several steps: files are at rest that are the same at two looks so far apart (ms). */
const SETTLE = 100;

/** What tells one version of a file from another; '' if it is not there. */
function stampOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return '';
  }
}

function namesIn(folder: string): string {
  try {
    return readdirSync(folder).sort().join('/');
  } catch {
    return '';
  }
}

/** Folders in which a change may change a file: its own, and those of the links that lead to it. */
function foldersOf(file: string): Set<string> {
  const folders = new Set<string>();
  let path = resolve(file);
  for (let links = 0; links < 40; links++) {
    folders.add(dirname(path));
    try {
      if (!lstatSync(path).isSymbolicLink()) break;
      path = resolve(dirname(path), readlinkSync(path));
    } catch {
      break;
    }
  }
  try {
    folders.add(dirname(realpathSync(file)));
  } catch {
    // It is not there now. Its folder will tell when it comes.
  }
  return folders;
}

/**
 * Watches files, however they are changed: written in place, or replaced by another of their name. Their folders are
 * what is watched, so that a file that goes and comes again is not lost, nor one that a pattern of include finds.
 */
export class FileWatch {
  private readonly onChange: () => void;
  private readonly watchers: Map<string, FSWatcher> = new Map();
  private files: readonly string[] = [];
  private stamp = '';
  /** At the last look. */
  private seen = '';
  private timer: NodeJS.Timeout | null = null;

  /** @param onChange called when something changed, and is at rest again */
  constructor(onChange: () => void) {
    this.onChange = onChange;
  }

  /** Watches these files from now on, and no others. What changed before, while they were read, is still told. */
  set(files: readonly string[]): void {
    const isSame = files.length === this.files.length && files.every((file, i) => file === this.files[i]);
    // Of others it is not known how they were when they were read: whatever happens next counts as a change.
    if (!isSame) this.stamp = '';
    this.files = files;
    const folders = new Set(files.flatMap((file) => [...foldersOf(file)]));
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const folder of folders) if (!this.watchers.has(folder)) this.watch(folder);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.stir());
      watcher.on('error', () => {
        watcher.close();
        this.watchers.delete(folder);
      });
      this.watchers.set(folder, watcher);
    } catch {
      // Who may read a file but not its folder learns of changes by SIGHUP.
    }
  }

  /** Something happened in a folder. */
  private stir(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), SETTLE);
  }

  private look(): void {
    this.timer = null;
    const stamp = this.stampNow();
    if (stamp === this.stamp) return;
    if (stamp !== this.seen) {
      // Half of a file may be rules as well: nothing tells that somebody still writes it but that it changes.
      this.seen = stamp;
      this.stir();
      return;
    }
    this.stamp = stamp;
    this.onChange();
  }

  private stampNow(): string {
    const folders = [...this.watchers.keys()].sort();
    return [...this.files.map(stampOf), ...folders.map(namesIn)].join('\n');
  }
}
