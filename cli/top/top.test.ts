import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { World } from '../command.ts';
import type { Entry } from '../conntrack/table.ts';
import { type Given, parseCommandLine } from '../options.ts';
import { Output } from '../output.ts';
import { segment } from '../testing/captures.ts';
import { type Running, RunPlace, until } from '../testing/daemon.ts';
import { Place } from '../testing/keepstate.ts';
import { counted, MemorySource, topEntry } from '../testing/top-flows.ts';
import { ControlSource } from './control-source.ts';
import { TopModel } from './model.ts';
import { KEPT, Monitor } from './monitor.ts';
import { ORDERS } from './order.ts';
import { showTop } from './run-top.ts';
import type { Look } from './source.ts';

// What paints asks the process for its terminal, once: here there is none.
process.env.FORCE_COLOR = '1';

/** What begins what a terminal obeys. */
const ESC = '\x1b';
const ESCAPES = new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]`, 'g');

/** A terminal that remembers what was written to it. */
class FakeOut extends EventEmitter {
  readonly columns = 80;
  readonly rows = 25;
  readonly isTTY = true;
  text = '';
  write(chunk: string): boolean {
    this.text += chunk;
    return true;
  }
  /** The lines of the last screen that was drawn. */
  get lines(): string[] {
    const at = this.text.lastIndexOf('keepstate top: ');
    return this.text.slice(at).replace(ESCAPES, '').split('\n');
  }
}

/** Its keyboard. */
class FakeIn extends EventEmitter {
  readonly isTTY = true;
  isRaw = false;
  private readonly typed: string[] = [];
  setRawMode(raw: boolean): void {
    this.isRaw = raw;
  }
  setEncoding(): void {}
  ref(): void {}
  unref(): void {}
  read(): string | null {
    return this.typed.shift() ?? null;
  }
  type(text: string): void {
    this.typed.push(text);
    this.emit('readable');
  }
}

/** `keepstate top` at such a terminal. */
class Session {
  readonly stdout: FakeOut = new FakeOut();
  readonly stdin: FakeIn = new FakeIn();
  readonly source: MemorySource;
  readonly done: Promise<number>;

  constructor(source: MemorySource, args: readonly string[] = [], env: Record<string, string> = {}) {
    this.source = source;
    const given: Given = parseCommandLine(['top', '--interval', '0.1', ...args]).given;
    const world: World = { out: new Output(1), say: () => {}, env, outIsTTY: true, errIsTTY: true };
    const { stdout, stdin } = this;
    this.done = showTop(source, given, world, {
      stdout: stdout as unknown as NodeJS.WriteStream,
      stdin: stdin as unknown as NodeJS.ReadStream,
    });
    this.done.catch(() => {});
  }

  async sees(text: string): Promise<void> {
    await until(() => this.stdout.lines.some((line) => line.includes(text))).catch(() => {
      throw new Error(`there is no '${text}' on the screen:\n${this.stdout.lines.join('\n')}`);
    });
  }
}

describe('top at a terminal', () => {
  test('draws the table, obeys keys, asks before it deletes, and gives the screen back', async () => {
    const session = new Session(new MemorySource([topEntry(1), topEntry(2), topEntry(3)]), ['--sort', 'id']);
    await session.sees('>tcp   431999 ESTABLISHED src=10.0.0.3');
    expect(session.stdout.lines.every((line) => line.length <= 80)).toBe(true);
    expect(session.stdin.isRaw).toBe(true);
    session.stdin.type('\x1b[B');
    await session.sees('>tcp   431999 ESTABLISHED src=10.0.0.2');
    session.stdin.type('d');
    await session.sees('delete tcp src=10.0.0.2 dst=192.0.2.1 sport=40002 dport=443? (y/N)');
    expect(session.source.deleted).toEqual([]);
    session.stdin.type('y');
    await session.sees('tcp 2: ESTABLISHED 2');
    expect(session.source.deleted).toEqual([2]);
    session.stdin.type('/src 10.0.0.3\r');
    await session.sees('1-1 of 1 matched, 2 in all; filter src 10.0.0.3');
    session.stdin.type('q');
    expect(await session.done).toBe(0);
    expect(session.stdout.text.startsWith(`${ESC}[?1049h`)).toBe(true);
    expect(session.stdout.text).toContain('\x1b[?1049l');
    expect(session.stdin.isRaw).toBe(false);
    expect(session.source.isClosed).toBe(true);
  });

  test('uses colours, and none where NO_COLOR is set', async () => {
    const colours = new RegExp(`${ESC}\\[3\\d`);
    const plain = new Session(new MemorySource([topEntry(1)]), [], { NO_COLOR: '1' });
    await plain.sees('src=10.0.0.1');
    plain.stdin.type('q');
    await plain.done;
    expect(plain.stdout.text).not.toMatch(colours);
    const coloured = new Session(new MemorySource([topEntry(1)]));
    await coloured.sees('src=10.0.0.1');
    coloured.stdin.type('q');
    await coloured.done;
    expect(coloured.stdout.text).toMatch(colours);
  });

  test('ends with what went wrong when the table is gone', async () => {
    const session = new Session(new MemorySource([topEntry(1)]));
    await session.sees('src=10.0.0.1');
    session.source.end('keepstate closed the connection');
    await expect(session.done).rejects.toThrow('keepstate closed the connection');
    expect(session.stdout.text).toContain('\x1b[?1049l');
  });
});

describe('top of a large table', () => {
  const entries = Array.from({ length: 20_000 }, (_, i) => topEntry(i + 1, counted(2, i)));

  test('goes through it in slices, keeps the first thousand, and reads again what is on the screen', async () => {
    const source = new MemorySource(entries);
    const model = new TopModel('', ORDERS.find(({ name }) => name === 'bytes')!, false, '');
    model.fit(10);
    let drawn = 0;
    const failures: unknown[] = [];
    const monitor = new Monitor(
      source,
      model,
      20,
      () => drawn++,
      (error) => failures.push(error),
    );
    monitor.start();
    await until(() => model.snapshot.total === entries.length);
    expect(source.slices).toBeGreaterThanOrEqual(20_000 / 256);
    expect(model.snapshot.rows).toHaveLength(KEPT);
    expect(model.row!.entry.flowId).toBe(20_000);
    // Only what is on the screen can show this before the next pass.
    source.entries = source.entries.filter(({ flowId }) => flowId !== 20_000);
    await until(() => model.snapshot.rows[0]!.isGone || model.row!.entry.flowId === 19_999);
    model.press({ text: 'r', name: null });
    monitor.do({ kind: 'look' });
    await until(() => model.row!.entry.flowId === 1);
    monitor.stop();
    expect(drawn).toBeGreaterThan(1);
    expect(failures).toEqual([]);
  });

  test('looks no more while it is held still', async () => {
    const source = new MemorySource([topEntry(1)]);
    const model = new TopModel('', ORDERS[0]!, false, '');
    const monitor = new Monitor(
      source,
      model,
      5,
      () => {},
      () => {},
    );
    monitor.start();
    await until(() => model.snapshot.total === 1);
    model.press({ text: ' ', name: null });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = source.slices;
    source.entries = [];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([source.slices, model.snapshot.total]).toEqual([before, 1]);
    const deed = model.press({ text: ' ', name: null });
    monitor.do(deed!);
    await until(() => model.snapshot.total === 0);
    monitor.stop();
  });
});

describe('keepstate top', () => {
  const instances = new RunPlace();
  const place = new Place();
  let running: Running;
  beforeAll(async () => {
    const rules = instances.file(
      'rules.nft',
      'table inet fw { chain forward { type filter hook forward priority filter; policy accept; }; }\n',
    );
    running = await instances.run(['--rules', rules, '--sysctl', 'nf_conntrack_acct=1']);
    for (let port = 1; port <= 5; port++)
      running.driver.push(segment('client', 'SYN', 1000, 0, { port: 1000 + port }), 2, 3);
  });
  afterAll(async () => {
    place.end();
    await instances.end();
  });

  test('--once prints the table of a running keepstate, and so it does without a terminal', async () => {
    const args = ['top', '--control', running.socket, '--sort', 'sport', '--lines', '2', '--interval', '0.1'];
    for (const more of [['--once'], []]) {
      const { status, lines, err } = await place.run(...args, ...more);
      expect({ status, err }).toEqual({ status: 0, err: '' });
      expect(lines[0]).toMatch(/^keepstate [\d.]+, bridge, process \d+$/);
      expect(lines[1]).toMatch(/^flows 5 of 262,144 \[#-+\] 0\.0% {2}accepted \d+\/s refused 0\/s$/);
      expect(lines[3]).toBe('tcp 5: SYN_SENT 5');
      expect(lines[4]).toBe('by source port, lowest first; 2 of 5');
      expect(lines.slice(7)).toEqual([
        expect.stringMatching(/ tcp {6}6 11\d SYN_SENT src=\S+ dst=\S+ sport=1001 dport=80 packets=1 /),
        expect.stringMatching(/ tcp {6}6 11\d SYN_SENT src=\S+ dst=\S+ sport=1002 dport=80 packets=1 /),
      ]);
    }
  });

  test('counts what comes, goes and passes, and finds and deletes single flows', async () => {
    const source = await ControlSource.open(running.socket, {});
    const before = await source.look();
    running.driver.push(segment('client', 'SYN', 1000, 0, { port: 2000 }), 2, 3);
    const seen: Entry[] = [];
    await source.flows((slice) => {
      seen.push(...slice);
      return true;
    });
    const flow = seen.find(({ original }) => original.sport === 2000)!;
    expect(await source.get(flow)).toMatchObject({ flowId: flow.flowId, state: 'SYN_SENT' });
    await source.delete(flow);
    expect(await source.get(flow)).toBe(null);
    const after = await source.look();
    const grown = (of: (look: Look) => number | null): number => of(after)! - of(before)!;
    expect([
      grown((look) => look.flows),
      grown((look) => look.created),
      grown((look) => look.destroyed),
      grown((look) => look.packets!.accepted),
    ]).toEqual([0, 1, 1, 1]);
    source.close();
  });

  test('a - in front of --sort shows the last first', async () => {
    for (const sort of [['--sort', '-sport'], ['--sort=-sport']]) {
      const { lines } = await place.run(
        ...['top', '--once', '--control', running.socket, '--lines', '1', '--interval', '0.1', ...sort],
      );
      expect(lines[4]).toBe('by source port, highest first; 1 of 5');
      expect(lines[7]).toContain(' sport=1005 ');
    }
  });

  test.each([
    [['--sort', 'speed'], "unknown value of --sort 'speed'"],
    [['--interval', '0'], "bad value '0' of --interval: expected 0.1 to 3600 seconds"],
    [['--filter', 'port x'], "'x' is no port"],
    [['--filter', 'ctstate NEW'], 'only trace can filter by it'],
    [['word'], "'top' takes no word 'word'"],
    [['--kernel', '--control', 'x'], '--control and --kernel contradict each other'],
    [['--control', '/nonexistent/x'], 'no keepstate is running: there is no socket /nonexistent/x'],
  ])('%j is refused', async (args, message) => {
    const { status, out, err } = await place.run('top', '--once', ...args);
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });
});

test('the terminal library is loaded by nothing but top at a terminal', () => {
  const sources = ['terminal.ts', 'run-top.ts', 'screen.ts', '../commands/top.ts', '../run.ts'];
  for (const file of sources) {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    expect(text, file).not.toMatch(/^import (?!type)[^;]*'(ink|react)';/m);
  }
});
