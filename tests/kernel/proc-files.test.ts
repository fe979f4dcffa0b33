/** `keepstate proc` beside the kernel's own files, on equal tables. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Place } from '../../cli/testing/keepstate.ts';
import { FILL } from './conntrack-command-list.ts';
import { commandUsable, TwoTables } from './conntrack-command-run.ts';

/** Seconds by which timeouts may differ: one table is looked at after the other. */
const SLACK = 2;

/** Lines in one order, and their timeouts apart. */
function linesOf(text: string): { texts: string[]; timeouts: number[] } {
  const found = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^(?:((?:ipv[46] +\d+ )?\S+ +\d+ )|)(\d+)(?= )/.exec(line)!;
      const front = match[1] ?? '';
      return { text: `${front}T${line.slice(match[0].length)}`, timeout: Number(match[2]) };
    })
    .sort((a, b) => (a.text < b.text ? -1 : 1));
  return { texts: found.map(({ text }) => text), timeouts: found.map(({ timeout }) => timeout) };
}

/** Says that two files have the same lines, but for the time that went by. */
function expectSame(ours: string, kernel: string): void {
  const [a, b] = [linesOf(ours), linesOf(kernel)];
  expect(a.texts).toEqual(b.texts);
  for (const [i, timeout] of a.timeouts.entries())
    expect(Math.abs(timeout - b.timeouts[i]!), a.texts[i]).toBeLessThanOrEqual(SLACK);
}

/** Packets are tracked where a rule asks for it. */
const SETUP = `ip link set lo up
nft 'table ip t { chain c { type filter hook output priority 0; ct state new accept; }; }'`;

describe.skipIf(!commandUsable())('keepstate proc prints what the files of the kernel have', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-proc-'));
  const place = new Place();
  let tables: TwoTables;
  beforeAll(async () => {
    tables = await TwoTables.open(folder, SETUP);
  });
  beforeEach(async () => {
    for (const line of FILL) await tables.both(line);
  });
  afterAll(() => {
    tables.close();
    place.end();
    rmSync(folder, { recursive: true });
  });

  function kernel(file: string): string {
    return tables.inside(['cat', `/proc/net/${file}`]).out;
  }

  test('of flows of every protocol, in a table that the same commands filled', async () => {
    const { out } = await place.run('proc', 'nf_conntrack', '--table', join(folder, 'table'));
    expect(out.split('\n').length).toBe(FILL.length + 1);
    expectSame(out, kernel('nf_conntrack'));
  });

  test('of flows with counters and times, out of the file itself', async () => {
    for (const name of ['acct', 'timestamp'])
      tables.inside(['sysctl', '-q', '-w', `net.netfilter.nf_conntrack_${name}=1`]);
    tables.inside(['ping', '-q', '-c', '2', '-i', '0.1', '127.0.0.1']);
    const file = kernel('nf_conntrack');
    expect(file).toMatch(/packets=2 bytes=168 .* delta-time=\d /);
    writeFileSync(join(folder, 'dump'), file);
    const { out } = await place.run('proc', 'nf_conntrack', '--from', join(folder, 'dump'));
    // What the file says of GRE's timeouts is not kept.
    const gre = / timeout=\d+, stream_timeout=\d+/;
    const texts = (text: string): string[] => linesOf(text).texts.map((line) => line.replace(gre, ''));
    expect(texts(out)).toEqual(texts(file));
  });

  test('of counts: a head, and a line whose numbers stand in the same columns', async () => {
    const { out } = await place.run('proc', 'stat', '--table', join(folder, 'table'));
    const [head, ...cpus] = kernel('stat/nf_conntrack').trimEnd().split('\n');
    const [ourHead, ourLine, ...rest] = out.trimEnd().split('\n');
    expect(ourHead).toBe(head);
    expect(rest).toEqual([]);
    expect(ourLine!.replace(/[\da-f]{8}/g, 'N')).toBe(cpus[0]!.replace(/[\da-f]{8}/g, 'N'));
    const column = (lines: readonly string[], name: string): number => {
      const at = head!.split(/ +/).indexOf(name);
      return lines.reduce((sum, line) => sum + Number.parseInt(line.split(/ +/)[at]!, 16), 0);
    };
    expect(column([ourLine!], 'entries')).toBe(FILL.length);
    expect(column([ourLine!], 'insert')).toBe(FILL.length);
    // Each test has filled the kernel's table, and what was there already was not made again.
    expect(column(cpus, 'insert')).toBe(FILL.length);
  });
});
