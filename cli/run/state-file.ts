import { closeSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  type Conntrack,
  type Restored,
  type RestoreOptions,
  restore,
  Snapshot,
  SnapshotError,
} from '@keepstate/engine';
import { counted } from '../counted.ts';
import { errnoText } from '../errno-text.ts';
import { Failure } from '../trouble.ts';
import { OPEN_NEW, OPEN_READ, StateFolder, troubleWith } from './state-folder.ts';

/** Rows of the table that are written between two turns of the event loop. */
const ROWS = 512;

/** What was found in the file. */
export interface StateRestored {
  readonly flows: number;
  readonly expectations: number;
  /** Why nothing was restored, in a sentence: the file is damaged and was set aside. Null if all is well. */
  readonly trouble: string | null;
  /** What could not be restored though the file is whole, each in a sentence. */
  readonly notes: readonly string[];
  /** All that is known of it; null if there was no file, or it was damaged. */
  readonly restored: Restored | null;
}

/** What was written. */
export interface StateSaved {
  readonly flows: number;
  readonly bytes: number;
}

/** What a state file needs of its surroundings. */
export interface StateFileOptions {
  /** The time (ms since the epoch), the same that packets have. */
  readonly clock: () => number;
  /** What is to be kept beside the table, as JSON: names of devices by their numbers … */
  readonly meta?: () => unknown;
  /** Which number a device has now, by what {@link meta} said and the number it had; left out: the same. */
  readonly device?: (meta: unknown, saved: number) => number;
  /** Whether no packet has passed since it was saved, by what {@link meta} said; left out: none has. */
  readonly isLast?: (meta: unknown) => boolean;
}

/**
 * The file in which flows and expectations outlive the process. A new one is written beside it and then takes its
 * place, so that there is a whole one at any moment. Only its owner may read it; no link is followed.
 */
export class StateFile {
  private readonly conntrack: Conntrack;
  private readonly options: StateFileOptions;
  private readonly folder: StateFolder;

  /**
   * @param path as the user gave it
   * @throws UsageError if state cannot be kept there: see {@link StateFolder}
   */
  constructor(path: string, conntrack: Conntrack, options: StateFileOptions) {
    this.folder = new StateFolder(path);
    this.conntrack = conntrack;
    this.options = options;
  }

  /** Where it is, links on the way resolved. */
  get path(): string {
    return this.folder.path;
  }

  /**
   * Puts what was saved into the table, which is as yet empty. A damaged file changes nothing: it gets the name
   * `NAME.damaged-TIME`.
   * @throws Failure if the file cannot be read, or not be set aside
   */
  restore(): StateRestored {
    this.folder.sweep();
    const bytes = this.read();
    if (bytes === null) return { flows: 0, expectations: 0, trouble: null, notes: [], restored: null };
    const { conntrack } = this;
    try {
      const restored = restore(conntrack, bytes, this.restoreOptions());
      const { flows, expectations } = restored;
      return { flows, expectations, trouble: null, notes: notesOf(restored), restored };
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      return { flows: 0, expectations: 0, trouble: this.setAside(error), notes: [], restored: null };
    }
  }

  /**
   * Saves the table as it is when this ends, in slices between which packets go on ({@link Snapshot}). One at a time.
   * @throws Failure if that fails: what was saved before is still there
   */
  async save(): Promise<StateSaved> {
    const { beside } = this.folder;
    let file: FileHandle | null = null;
    let isMade = false;
    try {
      rmSync(beside, { force: true });
      file = await open(beside, OPEN_NEW, 0o600);
      isMade = true;
      const saved = await this.write(file);
      await file.sync();
      await file.close();
      file = null;
      renameSync(beside, this.folder.path);
      this.folder.sync();
      return saved;
    } catch (error) {
      await file?.close().catch(() => {});
      if (isMade) rmSync(beside, { force: true });
      throw new Failure(`cannot save the state to ${this.folder.path}: ${errnoText(error)}`);
    }
  }

  private async write(file: FileHandle): Promise<StateSaved> {
    const { conntrack, options } = this;
    conntrack.comeTo(options.clock());
    const snapshot = new Snapshot(conntrack, options.meta?.() ?? null);
    let bytes = 0;
    for (;;) {
      const slice = snapshot.next(ROWS);
      if (slice === null) return { flows: snapshot.flows, bytes };
      // Where there was nothing to be written packets have their turn, too.
      if (slice.length === 0) await new Promise((resolve) => setImmediate(resolve));
      for (let at = 0; at < slice.length; ) at += (await file.write(slice, at)).bytesWritten;
      bytes += slice.length;
    }
  }

  /** @returns null if there is no file */
  private read(): Uint8Array | null {
    let fd: number;
    try {
      fd = openSync(this.folder.path, OPEN_READ);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new Failure(`cannot read the state of ${this.folder.path}: ${errnoText(error)}`);
    }
    try {
      const trouble = troubleWith(fd);
      if (trouble !== null) throw new Failure(`cannot read the state of ${this.folder.path}: ${trouble}`);
      return readFileSync(fd);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`cannot read the state of ${this.folder.path}: ${errnoText(error)}`);
    } finally {
      closeSync(fd);
    }
  }

  private restoreOptions(): RestoreOptions {
    const now = this.options.clock();
    const { device, isLast } = this.options;
    return { now, ...(device === undefined ? {} : { device }), ...(isLast === undefined ? {} : { isLast }) };
  }

  private setAside(error: SnapshotError): string {
    const { path } = this.folder;
    try {
      const aside = this.folder.setAside(Date.now());
      return `${path} is damaged, ${error.message}: it is ${aside} now, and the table begins empty`;
    } catch (failed) {
      throw new Failure(
        `${path} is damaged, ${error.message}, and cannot be set aside: ${errnoText(failed)}`,
      );
    }
  }
}

/** What a person should know of a restored table. */
function notesOf({ unknownHelpers, unknownExpectations, taken }: Restored): string[] {
  const notes: string[] = [];
  if (unknownHelpers.length > 0)
    notes.push(`flows go on without helpers that are not there: ${unknownHelpers.join(', ')}`);
  if (unknownExpectations > 0)
    notes.push(
      `${counted(unknownExpectations, 'expectation of theirs was', 'expectations of theirs were')} left out`,
    );
  if (taken > 0) notes.push(`${counted(taken, 'flow was', 'flows were')} left out: others have their tuples`);
  return notes;
}
