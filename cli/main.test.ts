import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { CaptureRecord, PcapngWriter } from '@keepstate/engine';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, pcap, type Timed } from './testing/captures.ts';
import { FROM_SOURCES, Place } from './testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const WHOLE = pcap(connection());
const WEB = place.file('web.pcap', WHOLE);

describe('input', () => {
  test('comes from standard input as - or with --stdin', () => {
    const { out } = place.spawn(['flows', WEB]);
    expect(place.spawn(['flows', '-'], WHOLE).out).toBe(out);
    expect(place.spawn(['flows', '--stdin'], WHOLE).out).toBe(out);
    expect(place.spawn(['flows', '-'], gzipSync(WHOLE)).out).toBe(out);
  });

  test('may be gzip, whatever its name, also in several members', async () => {
    const { out } = await place.run('trace', WEB);
    const half = WHOLE.length >> 1;
    const members = Buffer.concat([gzipSync(WHOLE.subarray(0, half)), gzipSync(WHOLE.subarray(half))]);
    expect((await place.run('trace', place.file('zipped', gzipSync(WHOLE)))).out).toBe(out);
    expect((await place.run('trace', place.file('members', members))).out).toBe(out);
  });

  test('in several files is one timeline, in whatever order they are named', async () => {
    const packets: Timed[] = [...connection(0, 1000), ...connection(0.06, 2000), ...connection(0.02, 3000)];
    const whole = place.file('all.pcap', pcap([...packets].sort((a, b) => a.at - b.at)));
    const parts = [0, 1, 2].map((i) => place.file(`part-${i}.pcap`, pcap(packets.slice(i * 8, i * 8 + 8))));
    const { out } = await place.run('events', whole);
    expect((await place.run('events', ...parts)).out).toBe(out);
    expect((await place.run('events', ...parts.reverse())).out).toBe(out);
  });

  test('that is cut off gives all packets before, then one error and status 2', async () => {
    const { lines, err, status } = await place.run('trace', place.file('cut.pcap', WHOLE.subarray(0, -7)));
    expect(lines).toHaveLength(7);
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^keepstate: .*cut\.pcap: byte \d+: .*: expected /);
    expect(status).toBe(2);
  });

  test('that is gzip and cut off gives what can be decompressed, then one error and status 2', async () => {
    const many = Array.from({ length: 300 }, (_, i) => connection(i, 1000 + i)).flat();
    const zipped = gzipSync(pcap(many));
    const { lines, err, status } = await place.run(
      'trace',
      place.file('cut.gz', zipped.subarray(0, zipped.length >> 1)),
    );
    expect(lines.length).toBeGreaterThan(500);
    expect(err).toMatch(
      /cut\.gz: byte \d+: the compressed file ends here, in the middle: expected more gzip data\n$/,
    );
    expect(status).toBe(2);
  });

  test('that is damaged in one of several files does not stop the others', async () => {
    const cut = place.file('cut.pcap', pcap(connection(0, 2000)).subarray(0, -7));
    const { lines, status } = await place.run('trace', cut, WEB);
    expect(lines).toHaveLength(15);
    expect(status).toBe(2);
  });

  test.each([
    ['nothing.pcap', undefined, /cannot read .*nothing\.pcap: there is no such file or folder\n$/],
    ['empty.pcap', '', /empty\.pcap: byte 0: the file is empty: expected a pcap or pcapng header\n$/],
    [
      'text.pcap',
      'hello world',
      /text\.pcap: byte 0: the file begins with 68656c6c: expected a pcap or pcapng header\n$/,
    ],
  ])('that is no capture (%s) is an error of one line and status 2', async (name, content, message) => {
    const file = content === undefined ? `${place.folder}/${name}` : place.file(name, content);
    const { err, out, status } = await place.run('flows', file);
    expect(err).toMatch(message);
    expect(err.split('\n')).toHaveLength(2);
    expect(out).toBe('');
    expect(status).toBe(2);
  });

  test('that is damaged anywhere never ends but in status 0 or 2, with at most an error of one line', async () => {
    const bytes = fc.array(fc.tuple(fc.nat(WHOLE.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('trace', 'flows', 'events'),
        fc.boolean(),
        async (changes, command, json) => {
          const damaged = Buffer.from(WHOLE);
          for (const [at, value] of changes) damaged[at] = value;
          const file = place.file('fuzz.pcap', damaged);
          const { status, err } = await place.run(command, '-q', ...(json ? ['--json'] : []), file);
          expect([0, 2], err).toContain(status);
          expect(err.split('\n').length).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('that is pcapng with damaged timestamps and resolutions is played to its end all the same', async () => {
    const times = fc.tuple(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: 0n, max: 1n << 52n }),
    );
    const offsets = fc.constantFrom(0n, -(1n << 63n), (1n << 63n) - 1n, -1_000_000_000n, 1n << 62n);
    await fc.assert(
      fc.asyncProperty(
        times,
        offsets,
        fc.constantFrom(6, 9, 0, 0x80, 0xbf, 19),
        fc.constantFrom(
          ['trace', '--json'],
          ['flows', '--format', 'zeek'],
          ['flows', '--at', '+500', '-o', 'ktimestamp', '--sysctl', 'nf_conntrack_timestamp=1'],
          ['events', '--at', '+500', '-o', 'timestamp'],
        ),
        async ([a, b], offset, tsresol, command) => {
          const writer = new PcapngWriter();
          const iface = writer.interface({ linktype: 101, tsresol, tsoffset: 1 });
          Buffer.from(iface.buffer).writeBigInt64LE(offset, iface.length - 4 - 4 - 8);
          const stamped = [a, b, a].map((units, i) => {
            const packet = connection()[i]!.bytes;
            const block = Buffer.from(writer.record(new CaptureRecord().packet(packet, 1000, 101)));
            block.writeUInt32LE(Number(units >> 32n), 12);
            block.writeUInt32LE(Number(units & 0xffffffffn), 16);
            return block;
          });
          const file = place.file('times.pcapng', Buffer.concat([writer.header(), iface, ...stamped]));
          const { status, err, out } = await place.run(...command, '-q', file);
          expect({ status, err }).toEqual({ status: 0, err: '' });
          expect(out).not.toMatch(/NaN|undefined|Infinity/);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.skipIf(process.platform === 'win32')('may be a FIFO, which is read from its first byte', () => {
    const script = `mkfifo f && { cat '${WEB}' >f & } && exec "$@" trace f`;
    const { stdout, status } = spawnSync('sh', ['-c', script, 'sh', process.execPath, ...FROM_SOURCES], {
      cwd: place.folder,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(stdout.trimEnd().split('\n')).toHaveLength(8);
    expect(status).toBe(0);
  });

  test.skipIf(!existsSync('/dev/zero'))('of rules that never ends is refused', async () => {
    const { err, status } = await place.run('check', '/dev/zero');
    expect(err).toBe('keepstate: cannot read /dev/zero: it has more than 256 MiB\n');
    expect(status).toBe(2);
  });

  test('that is a folder is an error', async () => {
    expect((await place.run('flows', place.folder)).err).toContain('it is a directory');
  });
});

describe('Ctrl-C', () => {
  const started = async (...args: string[]): Promise<{ child: ChildProcess; out: () => string }> => {
    const child = spawn(process.execPath, [...FROM_SOURCES, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr!.resume();
    return { child, out: () => out };
  };

  test('ends the reading of a pipe, in the middle of a packet too, and what came so far is shown', async () => {
    const { child, out } = await started('trace', '-');
    child.stdin!.write(WHOLE.subarray(0, -7));
    while (!out().includes('     7 ')) await pause(20);
    child.kill('SIGINT');
    // Whoever writes need not end: a pipe may be from another terminal.
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(out().trimEnd().split('\n')).toHaveLength(7);

    const table = await started('flows', '-');
    const many = Array.from({ length: 2000 }, (_, i) => connection(i / 1000, 1000 + i)).flat();
    // More than a pipe holds: it is being read when all has been written.
    await new Promise((done) => {
      table.child.stdin!.write(pcap(many).subarray(0, -7), done);
    });
    table.child.kill('SIGINT');
    expect(await once(table.child, 'close')).toEqual([0, null]);
    expect(table.out()).toMatch(/^tcp {6}6 .*\n$/s);
  });
});

describe('output', () => {
  test.skipIf(process.platform === 'win32')(
    'to a pipe whose reader goes away ends quietly with status 0',
    () => {
      const many = place.file(
        'many.pcap',
        pcap(Array.from({ length: 3000 }, (_, i) => connection(i, 1000 + i)).flat()),
      );
      const command = [process.execPath, ...FROM_SOURCES, 'trace', many].map((word) => `'${word}'`).join(' ');
      const script = `{ ${command}; echo "status $?" >&2; } | head -n 2`;
      const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
      expect(stdout.trimEnd().split('\n')).toHaveLength(2);
      expect(stderr).toBe('status 0\n');
    },
  );

  test.skipIf(!existsSync('/dev/full'))('to a full disk fails with status 1 and one line', () => {
    const command = [process.execPath, ...FROM_SOURCES, 'flows', WEB].map((word) => `'${word}'`).join(' ');
    const { stderr, status } = spawnSync('sh', ['-c', `${command} >/dev/full`], { encoding: 'utf8' });
    expect(stderr).toBe('keepstate: cannot write output: no space is left on the device\n');
    expect(status).toBe(1);
  });
});

describe('usage', () => {
  test.each([
    [
      [],
      'keepstate: no command is given: expected trace, check, flows, events, run, conntrack, top, sysctl, proc, version, help',
    ],
    [['trce', 'x'], "keepstate: unknown command 'trce': did you mean 'trace'?"],
    [['trace'], "keepstate: no capture is named: give a file, or '-' for standard input"],
    [['trace', '--fliter', 'x'], "keepstate: unknown option '--fliter': did you mean '--filter'?"],
    [[WEB], `keepstate: '${WEB}' is no command: did you mean 'keepstate trace ${WEB}'?`],
    [['check', '-', '-'], 'keepstate: standard input is named twice: it can be read once'],
    [['trace', '--rules', '-', '-'], 'keepstate: standard input is named twice: it can be read once'],
    [['trace', '-', '-'], 'keepstate: standard input is named twice: it can be read once'],
  ])('%j is one message, a way to the help, and status 2', async (args, message) => {
    const { err, out, status } = await place.run(...args);
    expect(err).toBe(`${message}\nTry 'keepstate --help' for more information.\n`);
    expect(out).toBe('');
    expect(status).toBe(2);
  });

  test('help goes to standard output with status 0, in whatever way it is asked for', async () => {
    const { out, status } = await place.run('--help');
    expect(out).toContain('Usage: keepstate COMMAND');
    expect(status).toBe(0);
    expect((await place.run('help')).out).toBe(out);
    const trace = await place.run('help', 'trace');
    expect(trace.out).toContain('Usage: keepstate trace');
    expect((await place.run('trace', '--help')).out).toBe(trace.out);
    expect((await place.run('help', 'filter')).out).toContain('Examples:');
    expect((await place.run('help', 'trce')).err).toContain("did you mean 'trace'?");
  });

  test('what is wrong with it is a line of JSON where the log is to be', async () => {
    for (const format of [['--log-format', 'json'], ['--log-format=json']]) {
      const { status, err } = await place.run('run', ...format, '--tunn', 'tun0');
      expect(status).toBe(2);
      expect(JSON.parse(err)).toMatchObject({
        level: 'error',
        event: 'start',
        message: expect.stringContaining('--tunn'),
      });
    }
  });

  test('the version is printed by --version, -V and version', async () => {
    for (const args of [['--version'], ['-V'], ['version']]) {
      expect(await place.run(...args)).toMatchObject({ out: 'keepstate 0.1.0\n', status: 0 });
    }
  });

  test('the program itself ends with the status, and shows no stack trace', () => {
    const bad = place.spawn(['flows', '--at', 'x', WEB]);
    expect(bad.status).toBe(2);
    expect(bad.err).not.toMatch(/^\s+at /m);
    writeFileSync(`${place.folder}/junk.pcap`, WHOLE.subarray(0, 50));
    const junk = place.spawn(['trace', 'junk.pcap']);
    expect(junk.status).toBe(2);
    expect(junk.err).not.toMatch(/^\s+at /m);
  });
});
