import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, pcap } from '../testing/captures.ts';
import { FROM_SOURCES, Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const SUMMARY = 'conntrack v1.4.7 (conntrack-tools): ';
const DUMP = [
  'tcp      6 431997 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=49220 dport=443 packets=4 bytes=219 src=10.0.2.2 dst=10.0.2.1 sport=443 dport=49220 packets=3 bytes=214 [ASSURED] mark=0 delta-time=2 use=1',
  'udp      17 28 src=10.0.1.2 dst=10.0.2.77 sport=41412 dport=5353 packets=1 bytes=29 [UNREPLIED] src=10.0.2.77 dst=10.0.2.1 sport=5353 dport=41412 packets=0 bytes=0 mark=0 delta-time=1 use=2',
  'icmpv6   58 28 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9136 packets=1 bytes=104 src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9136 packets=1 bytes=104 mark=0 delta-time=1 use=1',
];

describe('keepstate conntrack --from', () => {
  const dump = place.file('dump.txt', `${DUMP.join('\n')}\n`);

  test('lists a dump as it was, and what of it a filter asks for', async () => {
    const all = await place.run('conntrack', '--from', dump, '-L');
    expect(all).toMatchObject({ status: 0, lines: DUMP, err: `${SUMMARY}3 flow entries have been shown.\n` });
    expect((await place.run('conntrack', '--from', dump, '-L', '-f', 'ipv6')).lines).toEqual([DUMP[2]]);
    expect(
      (await place.run('conntrack', '-L', '-p', 'tcp', '--dport', '443', `--from=${dump}`)).lines,
    ).toEqual([DUMP[0]]);
    expect((await place.run('conntrack', '--from', dump, '-L', '-u', 'UNREPLIED', '-n')).lines).toEqual([
      DUMP[1],
    ]);
    expect((await place.run('conntrack', '--from', dump, '-C')).out).toBe('3\n');
  });

  test('prints it in another format', async () => {
    const { lines } = await place.run('conntrack', '--from', dump, '-L', '-o', 'save', '-p', 'tcp');
    expect(lines).toEqual([
      '-A -t 431997 -u SEEN_REPLY,ASSURED -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.2 -n 10.0.2.1 -p tcp --sport 49220 --dport 443 --reply-port-src 443 --reply-port-dst 49220 --state ESTABLISHED',
    ]);
    const json = await place.run('conntrack', '--from', dump, '-L', '-o', 'json', '-p', 'udp');
    expect(JSON.parse(json.out)).toMatchObject({ v: 1, protocol: 'udp', timeout: 28, use: 2 });
  });

  test('takes the moment of a dump out of it, where it says when flows began', async () => {
    const line = DUMP[0]!.replace('delta-time=2', 'delta-time=2 [start=Sat Nov 21 02:51:47 2026]');
    const file = place.file('times.txt', `${line}\n`);
    expect((await place.run('conntrack', '--from', file, '-L', '-o', 'ktimestamp')).lines).toEqual([line]);
    const xml = (await place.run('conntrack', '--from', file, '-L', '-o', 'xml,ktimestamp')).out;
    expect(xml).toContain('</timestamp><deltatime>2</deltatime>');
    const again = place.file('times.xml', xml);
    expect((await place.run('conntrack', '--from', again, '-L', '-o', 'xml,ktimestamp')).out).toBe(xml);
  });

  test('does not change what it reads', async () => {
    for (const words of [['-F'], ['-D'], ['-U', '-m', '1'], ['-L', '-z']]) {
      const { status, err, out } = await place.run('conntrack', '--from', dump, ...words);
      expect({ status, out }).toEqual({ status: 2, out: '' });
      expect(err).toBe(`keepstate: ${dump} is only read: --table FILE keeps a table that commands change\n`);
    }
  });

  test('plays a capture: its table, and its events', async () => {
    const capture = place.file('c.pcap', pcap(connection()));
    const flows = await place.run('conntrack', '--from', capture, '-L');
    expect(flows.lines).toEqual([
      'tcp      6 120 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 [ASSURED] mark=0 use=1',
    ]);
    const events = await place.run('conntrack', '--from', capture, '-E', '-e', 'NEW', '-o', 'timestamp');
    expect(events.lines).toEqual([
      '[1795229507.000000]\t    [NEW] tcp      6 120 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000',
    ]);
    expect(events.err).toBe(`${SUMMARY}1 flow events have been shown.\n`);
    const saved = await place.run('conntrack', '--from', capture, '-E', '-o', 'save', '-p', 'tcp');
    expect(saved.lines.map((line) => line.split(' ')[0])).toEqual([
      '-A',
      ...saved.lines.slice(1).map(() => '-U'),
    ]);
    const xml = await place.run('conntrack', '--from', capture, '-E', '-o', 'xml', '-e', 'UPDATES');
    expect(xml.lines.slice(0, 2)).toEqual(['<?xml version="1.0" encoding="utf-8"?>', '<conntrack>']);
    expect(xml.lines[2]).toMatch(/^<flow type="update">/);
    expect(xml.lines.at(-1)).toBe('</conntrack>');
    expect((await place.run('conntrack', '--from', capture, '-E', '-p', 'udp')).out).toBe('');
  });

  test('reads standard input', () => {
    const { status, out } = place.spawn(['conntrack', '--from', '-', '-L', '-o', 'extended'], `${DUMP[0]}\n`);
    expect({ status, out }).toEqual({ status: 0, out: `ipv4     2 ${DUMP[0]}\n` });
  });
});

describe('keepstate conntrack -R', () => {
  const FLOW = '-A -t 100 -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 53';
  const HINT = "Try `conntrack -h' or 'conntrack --help' for more information.\n";
  const load = (lines: readonly string[]) =>
    place.run(
      'conntrack',
      '--table',
      join(place.folder, 'loaded'),
      '-R',
      place.file('lines', lines.join('\n')),
    );

  test('names the line that cannot be read, behind what conntrack(8) says', async () => {
    const { status, err } = await load([FLOW, '# a comment', '  -Z foo', FLOW]);
    const said = `${SUMMARY}unknown option \`-Z'\n${HINT}`;
    expect({ status, err }).toEqual({
      status: 2,
      err: `${said}keepstate: ${join(place.folder, 'lines')}:3: -Z foo (no line was carried out)\n`,
    });
    expect((await load(['hello'])).err).toContain("Cannot use command `unknown' with --load-file");
    expect((await load([FLOW, '-L'])).err).toMatch(/:2: -L \(no line was carried out\)\n$/);
  });

  test('names the line that is refused', async () => {
    const insert = FLOW.replace('-A', '-I');
    const { status, err } = await load([FLOW, '', insert]);
    expect(status).toBe(1);
    expect(err).toContain(`${SUMMARY}Operation failed: Such conntrack exists`);
    expect(err).toContain(`lines:3: ${insert} (the lines before it were carried out)\n`);
  });

  test('says only what conntrack(8) says when it is called by that name', () => {
    const link = join(place.folder, 'as', 'conntrack');
    mkdirSync(join(place.folder, 'as'));
    symlinkSync(FROM_SOURCES.at(-1)!, link);
    const args = [...FROM_SOURCES.slice(0, -1), link, '-R', place.file('wrong', '-Z\n')];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: `${SUMMARY}unknown option \`-Z'\n${HINT}` });
  });
});

describe('what keepstate itself cannot do', () => {
  test.each([
    [['-L'], 'no keepstate is running: there is no socket '],
    [['-E', '--control', 'x'], 'no keepstate is running: there is no socket x'],
    [['-L', '--from'], "option '--from' needs a value: FILE"],
    [['-L', '--from', 'a', '--table', 'b'], '--from and --table contradict each other'],
    [['-L', '--from', '/nonexistent/x'], 'cannot read /nonexistent/x: there is no such file'],
    [['-L', '--from', '/'], 'cannot read /: it is a directory'],
    [['-L', '--table', '/'], 'cannot read /: it is a directory'],
    [['-F', '--table', '/nonexistent/x'], 'cannot write /nonexistent/x'],
  ])('%j is said in one line', async (args, message) => {
    const { status, out, err } = await place.run('conntrack', ...args);
    expect(status).toBe(message.startsWith('cannot write') ? 1 : 2);
    expect(out).toBe('');
    expect(err).toContain(`keepstate: ${message}`);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('an option without a command is refused, as conntrack(8) does', async () => {
    const { status, err } = await place.run('conntrack', '-p', 'udp');
    expect(status).toBe(2);
    expect(err).toContain("Illegal option `--protonum' with this command");
  });

  test('a word that objects of JavaScript have is a word as any other', async () => {
    const family = await place.run('conntrack', '-L', '-f', 'constructor');
    expect(family.err).toContain("`constructor' unsupported protocol");
    const dump = place.file('one.txt', `${DUMP[0]}\n`);
    const { lines } = await place.run('conntrack', 'constructor', '-L', '--from', dump);
    expect(lines).toEqual([DUMP[0]]);
  });

  test('what is wrong with the command line is said first, as conntrack(8) does', async () => {
    const { status, err } = await place.run('conntrack', '-L', '-Q');
    expect(status).toBe(2);
    expect(err).toBe(
      `${SUMMARY}unknown option \`-Q'\nTry \`conntrack -h' or 'conntrack --help' for more information.\n`,
    );
  });
});

describe('help', () => {
  test('is what conntrack without a command prints, and names every option', async () => {
    const { status, out } = await place.run('conntrack');
    expect(status).toBe(0);
    const own = ['--from FILE', '--table FILE', '--control SOCKET', '--kernel'];
    for (const word of ['-L, --dump', '--orig-zone', '--reply-port-dst', '-R, --load-file', ...own]) {
      expect(out).toContain(word);
    }
    expect((await place.run('conntrack', '--help')).out).toBe(out);
  });

  test('the version is the one whose behaviour is kept', async () => {
    expect((await place.run('conntrack', '-V')).out).toBe('conntrack v1.4.7 (conntrack-tools)\n');
  });
});

test('called by the name conntrack it is that command', () => {
  const link = join(place.folder, 'conntrack');
  symlinkSync(FROM_SOURCES.at(-1)!, link);
  const args = [...FROM_SOURCES.slice(0, -1), link, '-V'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'conntrack v1.4.7 (conntrack-tools)\n' });
});
