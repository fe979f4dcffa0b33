import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { udpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { segment } from '../testing/captures.ts';
import { type MemoryDriver, RunPlace, until } from '../testing/daemon.ts';

const place = new RunPlace();
afterAll(() => place.end());

/** A ruleset that lets connections to some ports begin. */
function ruleset(ports: string): string {
  return `flush ruleset
table inet fw {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		tcp dport { ${ports} } accept
	}
}
`;
}

/** Opens a TCP connection to port 80. @returns whether all of its packets passed */
function handshake(driver: MemoryDriver, port = 1000): boolean {
  const syn = driver.push(segment('client', 'SYN', 1000, 0, { port }), 2, 3);
  const answer = driver.push(segment('server', 'SYN ACK', 5000, 1001, { port }), 3, 2);
  return syn && answer && driver.push(segment('client', 'ACK', 1001, 5001, { port }), 2, 3);
}

/** Ten bytes of such a connection. */
function data(driver: MemoryDriver, port = 1000): boolean {
  const payload = new Uint8Array(10);
  return driver.push(segment('client', 'PSH ACK', 1001, 5001, { port, payload }), 2, 3);
}

describe('keepstate run', () => {
  test('lets pass what the rules accept, and nothing else; a signal ends it with status 0', async () => {
    const rules = place.file('basic.nft', ruleset('80'));
    const { driver, signal, done, lines, socket } = await place.run(['--rules', rules]);
    expect(handshake(driver)).toBe(true);
    expect(driver.push(udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 53 }))).toBe(false);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    signal('SIGTERM');
    expect(await done).toBe(0);
    expect(driver.isOpen).toBe(false);
    expect(driver.push(segment('client', 'SYN', 1, 0, { port: 2 }))).toBe(false);
    expect(() => statSync(socket)).toThrow('ENOENT');
    expect(lines.join('\n')).toMatch(/start: keepstate [\d.]+ runs mode=bridge name=eth0,eth1 .* rules=2 /);
    expect(lines.at(-1)).toContain('stop: keepstate has ended');
  });

  test.each([
    ['file', 'anybody may write to it'],
    ['folder', 'anybody may put another in its place'],
  ])('warns of rules whose %s is open to all', async (what, how) => {
    const folder = join(place.folder, `open-${what}`);
    mkdirSync(folder, { mode: 0o700 });
    const rules = join(folder, 'open.nft');
    writeFileSync(rules, ruleset('80'));
    chmodSync(what === 'file' ? rules : folder, 0o777);
    const { signal, done, lines } = await place.run(['--rules', rules]);
    signal('SIGTERM');
    expect(await done).toBe(0);
    expect(lines.filter((line) => line.includes(how) && line.includes(rules))).toHaveLength(1);
  });

  test('opens nothing if anything is wrong with the rules, and says what with its place', async () => {
    const rules = place.file(
      'wrong.nft',
      'table inet fw {\n\tchain c {\n\t\tct state establishd accept\n\t}\n}\n',
    );
    const { driver, done, lines } = await place.run(['--rules', rules]);
    expect(await done).toBe(2);
    expect(driver.isOpen).toBe(false);
    const text = lines.join('\n');
    expect(text).toContain('wrong.nft:3:12-21: Error: ');
    expect(text).toContain('^^^^^^^^^');
  });

  test.each([
    [['--rules', '/nonexistent/x'], 'cannot read /nonexistent/x'],
    [['--rules', '-'], '--rules - is not possible'],
    [[], '--bridge needs --rules'],
    [['--rules', '/dev/null', '--tun', 'tun0'], '--bridge and --tun contradict each other'],
    [['--rules', '/dev/null', '--fail-open'], "'--fail-open' is for --nfqueue"],
    [['--rules', '/dev/null', '--state-every', '5'], "'--state-every' needs --state"],
    [['--rules', '/dev/null', '--state', '/nonexistent/state'], 'cannot use /nonexistent'],
    [['--rules', '/dev/null', '--metrics', 'x:y'], "bad value 'x:y' of --metrics"],
    [['--rules', '/dev/null', '--sysctl', 'nf_conntrack_mx=1'], 'did you mean'],
    [['--rules', '/dev/null', '--control', '/proc/keepstate/x'], 'cannot make the folder /proc/keepstate'],
  ])('%j is refused before anything is opened', async (args, message) => {
    const { driver, done, lines } = await place.run(args);
    const status = await done.catch((error: Error) => error.message);
    expect(driver.isOpen).toBe(false);
    expect(typeof status === 'string' ? status : lines.join('\n')).toContain(message);
  });

  test('refuses to begin where another one runs, and takes the place of a dead one', async () => {
    const rules = place.file('two.nft', ruleset('80'));
    const first = await place.run(['--rules', rules]);
    const second = await place.run(['--rules', rules, '--control', first.socket]);
    await expect(second.done).rejects.toThrow('a keepstate is running already');
    expect((await (await first.client()).call('hello', {})).mode).toBe('bridge');
    const dead = join(place.folder, 'dead.sock');
    writeFileSync(dead, '');
    const blocked = await place.run(['--rules', rules, '--control', dead]);
    await expect(blocked.done).rejects.toThrow('is no socket');
    rmSync(dead);
    const listen = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 9))`;
    spawnSync(process.execPath, ['-e', listen]);
    expect(statSync(dead).isSocket()).toBe(true);
    const third = await place.run(['--rules', rules, '--control', dead]);
    expect(third.driver.isOpen).toBe(true);
    expect(statSync(dead).mode & 0o777).toBe(0o600);
  });
});

describe('new rules', () => {
  test('let connections live on, and which of them they would refuse is told', async () => {
    const rules = place.file('reload.nft', ruleset('80'));
    const { driver, client, lines } = await place.run(['--rules', rules]);
    expect(handshake(driver, 1000)).toBe(true);
    expect(handshake(driver, 1001)).toBe(true);
    place.file('reload.nft', ruleset('443'));
    const control = await client();
    const report = await control.call('reload', {});
    expect(report).toMatchObject({ ok: true, rules: 2, flows: 2, complete: true, refused: 2, errors: [] });
    expect(report.refusedBy).toEqual([{ by: 'policy of inet fw forward', flows: 2 }]);
    expect(report.lines[0]).toMatch(
      /^tcp {6}6 \d+ ESTABLISHED src=10\.0\.0\.1 dst=10\.0\.0\.2 sport=1000 dport=80 /,
    );
    expect(lines.join('\n')).toContain('2 of 2 live flows could not begin with the new rules');
    expect(data(driver)).toBe(true);
    expect(handshake(driver, 1002)).toBe(false);
    place.file('reload.nft', ruleset('80'));
    expect(await control.call('reload', {})).toMatchObject({ ok: true, flows: 2, refused: 0, lines: [] });
    expect(handshake(driver, 1003)).toBe(true);
    control.close();
  });

  test('with an error keep the old ones, by SIGHUP too', async () => {
    const rules = place.file('bad.nft', ruleset('80'));
    const { driver, client, signal, lines } = await place.run(['--rules', rules]);
    place.file('bad.nft', ruleset('80').replace('established', 'establishd'));
    signal('SIGHUP');
    await until(() => lines.some((line) => line.includes('the rules that were there stay')));
    expect(lines.join('\n')).toMatch(/bad\.nft:5:12-21: Error: /);
    const control = await client();
    const report = await control.call('reload', {});
    expect(report).toMatchObject({ ok: false, rules: 2 });
    expect(report.errors[0]).toContain('^^^^^^^^^');
    expect((await control.call('status', {})).rules.error).toContain('bad.nft:5:12-21');
    expect(handshake(driver)).toBe(true);
    rmSync(rules);
    expect((await control.call('reload', {})).errors[0]).toContain('there is no such file');
    expect(data(driver)).toBe(true);
    control.close();
  });

  test('are read again at once if SIGHUP came while it started', async () => {
    const rules = place.file('early.nft', ruleset('80'));
    const { driver, lines } = await place.run(['--rules', rules], {}, 'SIGHUP');
    await until(() => lines.some((line) => line.includes('new rules run')));
    expect(handshake(driver)).toBe(true);
  });

  test('are judged without the live rules noticing: counters and limits stay as they are', async () => {
    const text = (port: number): string => `table inet fw {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established accept
		tcp dport ${port} limit rate 1/hour burst 1 packets counter accept
	}
}
`;
    const rules = place.file('limit.nft', text(80));
    const { driver, client } = await place.run(['--rules', rules]);
    expect(handshake(driver, 1000)).toBe(true);
    expect(handshake(driver, 1001)).toBe(false);
    const control = await client();
    // The trial has limits of its own, at rest for each flow.
    expect(await control.call('reload', {})).toMatchObject({ flows: 1, refused: 0 });
    expect(handshake(driver, 1002)).toBe(true);
    expect(handshake(driver, 1003)).toBe(false);
    control.close();
  });

  test('are read when their files change, are replaced, or an include does', async () => {
    const dir = place.folder;
    place.file('part.nft', 'define ports = { 80 }\n');
    const rules = place.file(
      'watched.nft',
      ruleset('PORTS')
        .replace('{ PORTS }', '$ports')
        .replace('flush ruleset', `flush ruleset\ninclude "${dir}/part.nft"`),
    );
    const { driver, client, lines } = await place.run(['--rules', rules, '--watch']);
    const reloads = (): number => lines.filter((line) => line.includes('new rules run')).length;
    expect(handshake(driver)).toBe(true);
    place.file('part.nft', 'define ports = { 443 }\n');
    await until(() => reloads() === 1);
    expect(handshake(driver, 1001)).toBe(false);
    // As an editor does it: a new file takes the place of the old.
    const beside = place.file('watched.nft.new', ruleset('80'));
    rmSync(rules);
    symlinkSync(beside, rules);
    await until(() => reloads() === 2);
    expect(handshake(driver, 1001)).toBe(true);
    // Behind the link, too.
    place.file('watched.nft.new', 'this is no rule\n');
    await until(() => lines.some((line) => line.includes('the rules that were there stay')));
    expect(handshake(driver, 1002)).toBe(true);
    place.file('unrelated', 'x');
    place.file('watched.nft.new', ruleset('80'));
    await until(async () => {
      const control = await client();
      const { rules: status } = await control.call('status', {});
      control.close();
      return status.error === null;
    });
  });
});

describe('the state', () => {
  test('is there again after a restart, with flows that live on', async () => {
    const rules = place.file('state.nft', ruleset('80'));
    const state = join(place.folder, 'state');
    const first = await place.run(['--rules', rules, '--state', state]);
    expect(handshake(first.driver)).toBe(true);
    first.signal('SIGINT');
    expect(await first.done).toBe(0);
    expect(statSync(state).mode & 0o777).toBe(0o600);
    expect(first.lines.join('\n')).toContain('state: saved flows=1 ');
    place.file('state.nft', ruleset('443'));
    const second = await place.run(['--rules', rules, '--state', state]);
    expect(second.lines.join('\n')).toContain('state: restored flows=1 expectations=0');
    expect(data(second.driver)).toBe(true);
    expect(handshake(second.driver, 1001)).toBe(false);
    const control = await second.client();
    const [flow] = await control.all('list', {});
    expect(flow).toMatchObject({ state: 'ESTABLISHED', protocol: 'tcp' });
    await control.call('save', {});
    control.close();
  });

  test('that is damaged is told and set aside, and keepstate begins with an empty table', async () => {
    const rules = place.file('damaged.nft', ruleset('80'));
    const state = place.file('damaged-state', 'this is no state');
    const { lines, client } = await place.run(['--rules', rules, '--state', state]);
    expect(lines.join('\n')).toMatch(
      /error {3}state: .*damaged-state is damaged, .*: it is .*damaged-state\.damaged-\S+ now/,
    );
    const control = await client();
    expect(await control.call('count', {})).toBe(0);
    control.close();
  });
});

describe('the log', () => {
  test('has the lines of LOG rules as the kernel writes them, no more than a hundred in a second', async () => {
    const text = ruleset('80').replace('tcp dport', 'udp dport 53 log prefix "DNS " accept\n\t\ttcp dport');
    const rules = place.file('log.nft', text);
    const { driver, lines, client } = await place.run(['--rules', rules, '--log-format', 'json']);
    for (let sport = 1; sport <= 150; sport++)
      driver.push(udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport, dport: 53 }));
    const logged = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'rule-log');
    expect(logged).toHaveLength(100);
    expect(logged[0].message).toMatch(
      /^DNS IN=eth0 OUT=eth1 .*SRC=10\.0\.0\.1 DST=10\.0\.0\.2 .*SPT=1 DPT=53 LEN=8 $/,
    );
    expect(logged[0]).toMatchObject({ level: 'info', severity: 'warning' });
    await until(() => lines.some((line) => line.includes('50 lines about packets were too many')));
    const control = await client();
    expect(await control.call('metrics', {})).toContain('keepstate_log_suppressed_total 50\n');
    control.close();
  });

  test('has INVALID packets where nf_conntrack_log_invalid asks for them, also once it is set', async () => {
    const rules = place.file('invalid.nft', ruleset('80'));
    const { driver, lines, client } = await place.run(['--rules', rules]);
    const stray = segment('server', 'RST ACK', 1, 1);
    driver.push(stray, 3, 2);
    expect(lines.join('\n')).not.toContain('nf_ct_proto_6');
    const control = await client();
    const set = await control.call('sysctl-set', { name: 'nf_conntrack_log_invalid', value: '6' });
    expect(set).toEqual({ name: 'net.netfilter.nf_conntrack_log_invalid', value: 6 });
    driver.push(stray, 3, 2);
    expect(lines.join('\n')).toMatch(/invalid: nf_ct_proto_6: .*IN=eth1 OUT=.*SPT=80 DPT=1000/);
    control.close();
  });

  test('says when a device is gone, and when it is back', async () => {
    const rules = place.file('device.nft', ruleset('80'));
    const { driver, lines } = await place.run(['--rules', rules]);
    driver.gone = ['eth1'];
    await until(() => lines.some((line) => line.includes('eth1 is gone')));
    driver.gone = [];
    await until(() => lines.some((line) => line.includes('eth1 is back')));
  });
});
