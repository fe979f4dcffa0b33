import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFlow, Firewall } from '@keepstate/engine';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure, UsageError } from '../trouble.ts';
import { StateFile } from './state-file.ts';

const NOW = 1_700_000_000_000;

let folder: string;
let now = NOW;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-state-'));
  now = NOW;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A firewall with so many flows, and its state file. */
function instance(flows: number, path = join(folder, 'table')): { firewall: Firewall; file: StateFile } {
  const firewall = new Firewall();
  firewall.tick(now);
  for (let i = 0; i < flows; i++) {
    const original = { src: '10.0.0.1', dst: `10.1.${i >> 8}.${i & 255}`, sport: 5, dport: 53 };
    expect(typeof createFlow(firewall.conntrack, { protonum: 17, original, timeout: 60_000 })).toBe('number');
  }
  return { firewall, file: new StateFile(path, firewall.conntrack, { clock: () => now }) };
}

describe('a state file', () => {
  test('brings back what was saved, less the time that has passed', async () => {
    const { file } = instance(5000);
    expect(await file.save()).toMatchObject({ flows: 5000 });
    now += 20_000;
    const other = instance(0);
    expect(other.file.restore()).toMatchObject({ flows: 5000, expectations: 0, trouble: null, notes: [] });
    expect(other.firewall.conntrack.left(1)).toBe(40_000);
  });

  test('that is not there yet is an empty table', () => {
    expect(instance(0).file.restore()).toMatchObject({ flows: 0, trouble: null, restored: null });
  });

  test('may be read by its owner only, and is the only file that is left', async () => {
    const { file } = instance(3);
    await file.save();
    await file.save();
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['table']);
  });

  test('lets the event loop go on while it is written', async () => {
    const { file } = instance(30_000);
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    count();
    await file.save();
    isDone = true;
    expect(turns).toBeGreaterThan(10);
  });

  test('that is damaged is set aside under a name with the time, and nothing of it is restored', async () => {
    const { file } = instance(100);
    await file.save();
    truncateSync(file.path, 1000);
    const other = instance(0);
    const { flows, trouble } = other.file.restore();
    expect([flows, other.firewall.conntrack.table.count]).toEqual([0, 0]);
    const [aside] = readdirSync(folder);
    expect(aside).toMatch(/^table\.damaged-\d{8}T\d{9}Z$/);
    expect(trouble).toMatch(
      /^\S+\/table is damaged, byte \d+: expected .*: it is \S+ now, and the table begins empty$/,
    );
    expect(statSync(join(folder, aside!)).size).toBe(1000);
    await other.file.save();
    expect(instance(0).file.restore()).toMatchObject({ flows: 0, trouble: null });
  });

  test('keeps the old one if there is no more room, and says so', async () => {
    const { file } = instance(10);
    await file.save();
    const before = readFileSync(file.path);
    // Every write to this device fails as on a full disk.
    const full = openSync('/dev/full', 'w');
    closeSync(full);
    const broken = instance(20, file.path);
    const write = (broken.file as unknown as { write: unknown }).write as (file: unknown) => Promise<unknown>;
    (broken.file as unknown as { write: unknown }).write = async (handle: unknown) => {
      void handle;
      const { open } = await import('node:fs/promises');
      const device = await open('/dev/full', 'w');
      try {
        return await write.call(broken.file, device);
      } finally {
        await device.close();
      }
    };
    await expect(broken.file.save()).rejects.toThrow(
      new Failure(`cannot save the state to ${file.path}: no space is left on the device`),
    );
    expect(readFileSync(file.path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['table']);
  });

  test('sweeps away what a process that was killed left half written, and nothing else', () => {
    for (const name of [
      'table.new-999999999',
      `table.new-${process.ppid}`,
      'table.new-x',
      'other.new-999999999',
    ])
      writeFileSync(join(folder, name), 'x');
    instance(0).file.restore();
    expect(readdirSync(folder).sort()).toEqual(
      ['other.new-999999999', `table.new-${process.ppid}`, 'table.new-x'].sort(),
    );
  });
});

describe('a state file is refused', () => {
  const refusal = (path: string): string => {
    try {
      instance(0, path);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return (error as Error).message;
    }
    return 'taken';
  };

  test('if it is a symbolic link, wherever that leads', () => {
    writeFileSync(join(folder, 'secret'), 'x');
    symlinkSync(join(folder, 'secret'), join(folder, 'table'));
    symlinkSync('/nowhere', join(folder, 'dangling'));
    expect(refusal(join(folder, 'table'))).toContain('cannot use it: it is a symbolic link');
    expect(refusal(join(folder, 'dangling'))).toContain('it is a symbolic link');
    expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe('x');
  });

  test('if it is a folder, or names none', () => {
    mkdirSync(join(folder, 'table'));
    expect(refusal(join(folder, 'table'))).toContain('it is no plain file');
    expect(refusal(`${folder}/`)).toContain('expected the name of a file');
    expect(refusal(join(folder, 'missing', 'table'))).toContain('there is no such file or folder');
  });

  test('if others may write to it or to its folder', () => {
    writeFileSync(join(folder, 'table'), 'x');
    chmodSync(join(folder, 'table'), 0o666);
    expect(refusal(join(folder, 'table'))).toContain('others may write to it');
    chmodSync(folder, 0o777);
    expect(refusal(join(folder, 'other'))).toContain(`others may write to ${folder}`);
    // As /tmp: there nobody can take away what is another's.
    chmodSync(folder, 0o1777);
    expect(refusal(join(folder, 'other'))).toBe('taken');
  });

  test('when it is to be saved, a link put in its place is replaced, not followed', async () => {
    const { file } = instance(3);
    writeFileSync(join(folder, 'secret'), 'x');
    symlinkSync(join(folder, 'secret'), file.path);
    symlinkSync(join(folder, 'secret'), `${file.path}.new-${process.pid}`);
    await file.save();
    expect(lstatSync(file.path).isFile()).toBe(true);
    expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe('x');
  });

  test('when it is to be read and a link was put in its place', () => {
    const { file } = instance(0);
    symlinkSync('/etc/passwd', file.path);
    expect(() => file.restore()).toThrow(`cannot read the state of ${file.path}: it is a symbolic link`);
  });
});
