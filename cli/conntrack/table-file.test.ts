import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Place } from '../testing/keepstate.ts';
import { FileTable } from './table-file.ts';

const place = new Place();
afterAll(() => place.end());

const FLOW = '-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 53 -t 100'.split(' ');
let files = 0;
const newFile = (): string => join(place.folder, `table-${files++}`);

/** Runs a command on a table. */
const on = (file: string, line: string) => place.run('conntrack', '--table', file, ...line.split(' '));

async function filled(): Promise<string> {
  const file = newFile();
  expect((await place.run('conntrack', '--table', file, '-I', ...FLOW)).status).toBe(0);
  return file;
}

describe('a table in a file', () => {
  test('is made by the first command, and keeps what commands did', async () => {
    const file = await filled();
    expect((await on(file, '-U -d 10.0.0.2 -m 7')).lines[0]).toContain('mark=7');
    expect((await on(file, '-C')).out).toBe('1\n');
    expect((await on(file, '-L -m 7')).lines).toHaveLength(1);
    expect((await on(file, '-D -m 7')).status).toBe(0);
    expect((await on(file, '-D -m 7')).err).toBe(
      'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.\n',
    );
  });

  test('is not made by commands that only look, which say that there is none', async () => {
    const file = newFile();
    const none = `keepstate: there is no table ${file} yet: a command that changes it, such as -I, makes it\n`;
    const list = await on(file, '-L');
    expect(list).toMatchObject({ status: 0, out: '' });
    expect(list.err).toBe(`${none}conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown.\n`);
    expect(await on(file, '-C')).toMatchObject({ status: 0, out: '0\n', err: none });
    const proc = await place.run('proc', 'nf_conntrack', '--table', file);
    expect(proc).toMatchObject({ status: 0, out: '', err: none });
    expect(existsSync(file)).toBe(false);
    expect((await on(file, '-F')).err).not.toContain('there is no table');
    expect((await on(file, '-C')).err).toBe('');
  });

  test('that cannot be written shows all the same what was done, and then why it is not kept', async () => {
    const file = await filled();
    // Too long for a file beside it, whose name is longer.
    const long = join(place.folder, 'x'.repeat(250));
    renameSync(file, long);
    const { out, err, status } = await on(long, '-D -p udp');
    expect(out).toMatch(/^udp {6}17 .*\n$/);
    expect(err).toBe(`keepstate: cannot write ${long}: the name is too long\n`);
    expect(status).toBe(1);
  });

  test('runs its timeouts down while nobody looks', async () => {
    const file = await filled();
    const [head, flow] = readFileSync(file, 'utf8').split('\n');
    const { now } = JSON.parse(head!) as { now: number };
    const left = (at: number): number[] => new FileTable(file, at).list('conntrack').map((e) => e.timeout);
    expect(left(now)).toEqual([99_999]);
    expect(left(now + 40_000)).toEqual([59_999]);
    expect(left(now + 100_000)).toEqual([]);
    // A clock that was set back stops.
    expect(left(now - 5000)).toEqual([99_999]);
    expect(flow).toContain('"timeoutMs":99999');
  });

  test('is written as a whole or not at all', async () => {
    const file = await filled();
    const before = readFileSync(file, 'utf8');
    const table = new FileTable(file, Date.now());
    table.flush();
    expect(readFileSync(file, 'utf8')).toBe(before);
    table.close();
    expect(readFileSync(file, 'utf8')).toContain('"flows":0');
    expect(readdirSync(place.folder).filter((name) => name.includes('.new-'))).toEqual([]);
  });

  test('is not touched by commands that only look, nor by those that fail', async () => {
    const file = await filled();
    const before = readFileSync(file, 'utf8');
    chmodSync(file, 0o400);
    for (const line of ['-L', '-C', '-S', '-D -s 9.9.9.9', '-I -p udp', `-I ${FLOW.join(' ')}`])
      await on(file, line);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test.each([
    ['no table', () => 'hello\n', ':1: this is no table of keepstate'],
    [
      'of another version',
      (text: string) => text.replace('Table":1', 'Table":9'),
      ':1: the table is of version 9',
    ],
    ['cut off', (text: string) => text.split('\n')[0]!, 'the table is cut off'],
    ['cut off in the middle of a flow', (text: string) => text.slice(0, -9), 'the table is cut off'],
    [
      'damaged',
      (text: string) => text.replace('"family":"ipv4"', '"family":"ipv5"'),
      ":2:15: field 'family': expected",
    ],
    ['without its numbers', () => '{"keepstateTable":1}\n', ':1: the first line lacks now'],
    [
      'without one of its counts',
      (text: string) => text.replace(/"expectNew":\d+,/, ''),
      ':1: the first line lacks now',
    ],
  ])('that is %s is refused and left alone', async (_what, damage, message) => {
    const file = await filled();
    const damaged = damage(readFileSync(file, 'utf8'));
    writeFileSync(file, damaged);
    const { status, err, out } = await on(file, '-F');
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(message);
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });

  test('keeps expectations of a flow that has a helper', async () => {
    const file = await filled();
    writeFileSync(file, readFileSync(file, 'utf8').replace('"helper":null', '"helper":"tftp"'));
    const expectation =
      '-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 53 --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 ' +
      '--mask-src 255.255.255.255 --mask-dst 255.255.255.255 -t 50 ' +
      '--tuple-port-src 0 --tuple-port-dst 4000 --mask-port-src 0 --mask-port-dst 65535';
    expect((await on(file, `-I expect ${expectation}`)).err).toContain('1 expectations have been created.');
    const { lines } = await on(file, '-L expect');
    expect(lines).toEqual([
      expect.stringMatching(
        /^4[89] proto=17 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=4000 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.0.1 master-dst=10.0.0.2 sport=1 dport=53 class=0 helper=tftp$/,
      ),
    ]);
    expect((await on(file, '-C expect')).out).toBe('1\n');
    // With its master it goes.
    await on(file, '-D -p udp');
    expect((await on(file, '-C expect')).out).toBe('0\n');
  });
});
