import { spawn } from 'node:child_process';
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { icmpPacket, sctpInit, sctpPacket, udpPacket } from '@keepstate/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segment } from '../testing/captures.ts';
import { type Running, RunPlace, until } from '../testing/daemon.ts';
import { FROM_SOURCES, Place, type Ran } from '../testing/keepstate.ts';

const runs = new RunPlace();
const place = new Place();
let running: Running;
/** What `-L -o json` printed of the running table, in a file. */
let dump: string;

const SUMMARY = 'conntrack v1.4.7 (conntrack-tools): ';

function control(...words: string[]): Promise<Ran> {
  return place.run('conntrack', '--control', running.socket, ...words);
}

beforeAll(async () => {
  const rules = runs.file(
    'rules.nft',
    `table inet fw {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		udp dport 8053 dnat ip to 10.0.0.9:53
	}
	chain forward {
		type filter hook forward priority filter;
		tcp dport 80 ct mark set 0x2a
	}
}
`,
  );
  running = await runs.run([
    '--rules',
    rules,
    '--sysctl',
    'nf_conntrack_acct=1',
    '--sysctl',
    'nf_conntrack_timestamp=1',
  ]);
  const { driver } = running;
  driver.push(segment('client', 'SYN', 1000, 0));
  driver.push(segment('server', 'SYN ACK', 5000, 1001), 3, 2);
  driver.push(segment('client', 'ACK', 1001, 5001));
  driver.push(segment('client', 'SYN', 1000, 0, { port: 1001 }));
  const v4 = { src: '10.0.0.1', dst: '10.0.0.2' };
  const v6 = { src: 'fd00:1::2', dst: 'fd00:2::2' };
  driver.push(udpPacket({ ...v4, sport: 5000, dport: 8053 }));
  driver.push(udpPacket({ ...v6, sport: 5353, dport: 53 }));
  driver.push(icmpPacket({ ...v4, type: 8, id: 77 }));
  driver.push(sctpPacket({ ...v4, sport: 1, dport: 2, chunks: [sctpInit({ tag: 7 })] }));
  running.hold();
  // A tenth of a second into a second, which does not change while a command runs; and the file is of the same moment.
  const probe = await running.client();
  const rest = 1100 - (probe.hello.now % 1000);
  running.pass(rest);
  probe.close();
  dump = place.file('dump.json', (await control('-L', '-o', 'json')).out);
  const moment = (probe.hello.now + rest) / 1000;
  utimesSync(dump, moment, moment);
});
afterAll(async () => {
  await runs.end();
  place.end();
});

describe('conntrack --control', () => {
  test.each([
    [['-L']],
    [['-L', '-o', 'extended']],
    [['-L', '-o', 'id']],
    [['-L', '-o', 'save']],
    [['-L', '-o', 'json']],
    [['-L', '-o', 'xml']],
    [['-L', '-o', 'extended,id']],
    [['-L', '-f', 'ipv6']],
    [['-L', '-p', 'tcp']],
    [['-L', '-p', 'tcp', '--state', 'ESTABLISHED']],
    [['-L', '-p', 'udp', '--dport', '53']],
    [['-L', '-u', 'UNREPLIED']],
    [['-L', '-m', '42']],
    [['-L', '-g']],
    [['-L', '-j']],
    [['-L', '-s', '10.0.0.0/8', '-d', '10.0.0.2']],
    [['-L', 'dying']],
    [['-L', 'unconfirmed']],
    [['-L', 'expect']],
    [['-C']],
    [['-C', 'expect']],
    [['-G', '-p', 'tcp', '-s', '10.0.0.1', '-d', '10.0.0.2', '--sport', '1000', '--dport', '80']],
    [['-G', '-p', 'tcp', '-s', '10.0.0.1', '-d', '10.0.0.2', '--sport', '1', '--dport', '80']],
    [['-L', '-p', 'nope']],
    [['-L', '--sport', '1']],
    [['-h']],
    [['-V']],
  ])('%j prints what it prints of an equal table in a file', async (words) => {
    const [live, file] = [await control(...words), await place.run('conntrack', '--from', dump, ...words)];
    expect(live).toEqual(file);
    if (words.length === 1 && words[0] === '-L') expect(live.lines).toHaveLength(6);
  });

  test('makes, changes and removes flows of the running table, which packets then meet', async () => {
    const tuple = ['-s', '192.0.2.1', '-d', '192.0.2.2', '-p', 'udp', '--sport', '40', '--dport', '50'];
    expect(await control('-I', ...tuple, '-t', '60')).toMatchObject({
      status: 0,
      err: `${SUMMARY}1 flow entries have been created.\n`,
    });
    expect((await control('-I', ...tuple, '-t', '60')).err).toContain(
      'Such conntrack exists, try -U to update',
    );
    expect((await control('-U', ...tuple, '-m', '7')).lines).toEqual([
      'udp      17 60 src=192.0.2.1 dst=192.0.2.2 sport=40 dport=50 packets=0 bytes=0 [UNREPLIED] src=192.0.2.2 dst=192.0.2.1 sport=50 dport=40 packets=0 bytes=0 mark=7 delta-time=0 use=2',
    ]);
    running.driver.push(udpPacket({ src: '192.0.2.2', dst: '192.0.2.1', sport: 50, dport: 40 }), 3, 2);
    expect((await control('-L', '-m', '7')).out).toContain('sport=50 dport=40 packets=1 bytes=28 mark=7');
    expect((await control('-D', ...tuple)).err).toBe(`${SUMMARY}1 flow entries have been deleted.\n`);
    expect(await control('-D', ...tuple)).toMatchObject({
      status: 1,
      err: `${SUMMARY}0 flow entries have been deleted.\n`,
    });
    running.pass(3_600_000);
    expect((await control('-L', '-p', 'udp')).out).toBe('');
    expect((await control('-S')).out).toMatch(/^cpu=0 {3}\tfound=0 invalid=0 insert=[1-9]/);
    expect((await control('-F')).err).toBe(`${SUMMARY}connection tracking table has been emptied.\n`);
    expect((await control('-C')).out).toBe('0\n');
  });

  /** Until as many follow events. */
  async function followers(count: number): Promise<void> {
    const probe = await running.client();
    await until(async () =>
      (await probe.call('metrics', {})).includes(`keepstate_control_followers ${count}\n`),
    );
    probe.close();
  }

  const push = (): boolean =>
    running.driver.push(udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 9, dport: 9 }));

  test.each([
    [[], '    [NEW] udp      17 30 src=10.0.0.1 dst=10.0.0.2 sport=9 dport=9 [UNREPLIED] src=10.0.0.2'],
    [['-o', 'save', '-e', 'NEW'], '-A -t 30 -u UNSET -s 10.0.0.1 -d 10.0.0.2'],
    [['-o', 'xml'], '<?xml version="1.0" encoding="utf-8"?>'],
    [['-o', 'json'], '{"v":1,"event":"NEW","time":'],
    [['-o', 'timestamp'], '['],
  ])('-E %j follows events, and sums them up when a signal comes', async (words, line) => {
    await control('-F');
    const watching = control('-E', ...words);
    await followers(1);
    push();
    const file = join(place.folder, `out-${place.runs - 1}`);
    await until(() => readFileSync(file).length > 0);
    process.emit('SIGINT', 'SIGINT');
    const { status, out, err } = await watching;
    expect({ status, err }).toEqual({ status: 0, err: `${SUMMARY}1 flow events have been shown.\n` });
    expect(out.slice(0, line.length)).toBe(line);
    await followers(0);
  });

  test('-E shows events at once, and ends with a real signal', async () => {
    await control('-F');
    const args = [...FROM_SOURCES, 'conntrack', '--control', running.socket, '-E'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    await followers(1);
    push();
    await until(() => out.includes('[NEW]'));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  test('says in one line that no keepstate is running, or that it has ended', async () => {
    const none = await place.run('conntrack', '--control', '/tmp/keepstate-none.sock', '-L');
    expect(none).toMatchObject({ status: 2, out: '' });
    expect(none.err).toBe(
      'keepstate: no keepstate is running: there is no socket /tmp/keepstate-none.sock (keepstate run makes it)\n',
    );
    const other = await runs.run(['--rules', runs.file('other.nft', 'table inet fw {\n}\n')]);
    const watching = place.run('conntrack', '--control', other.socket, '-E');
    const probe = await other.client();
    await until(async () => (await probe.call('metrics', {})).includes('keepstate_control_followers 1\n'));
    await probe.call('stop', {});
    expect(await other.done).toBe(0);
    expect(await watching).toMatchObject({
      status: 1,
      out: '',
      err: 'keepstate: keepstate closed the connection\n',
    });
  });
});
