/** Who may talk to `keepstate run`, what it may do, and which files it touches. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Network, SERVER4 } from '../real/network.ts';
import { runHere } from '../real/process.ts';
import { BIN, built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, MODES, type Mode, WAYS, writeRules } from './e2e-net.ts';

const LIMIT = 120_000;
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
/** CAP_NET_ADMIN and CAP_NET_RAW. */
const KEPT = (1n << 12n) | (1n << 13n);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Tries to connect to a socket and to ask, and prints what happens. */
const TRY = `
const socket = require('node:net').connect(process.argv[1].includes('/') ? process.argv[1] : Number(process.argv[1]));
socket.on('error', (error) => console.log(error.code));
socket.on('connect', () => socket.write('{"id":1,"op":"hello","token":"guess"}\\n{"id":2,"op":"flush"}\\n'));
socket.on('data', (data) => console.log(String(data).trim()));
setTimeout(() => process.exit(0), 5000).unref();
`;

/** All files of TypeScript that are shipped. */
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return ['dist', 'node_modules', 'testing'].includes(entry.name) ? [] : sources(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  });
}

/** A line of /proc/PID/status of every thread, as numbers. */
function ofThreads(pid: number, field: string): bigint[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    return BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(status)![1]}`);
  });
}

describe.skipIf(!liveUsable(['setpriv', 'mount']))('keepstate run', () => {
  const networks: Partial<Record<Mode, Network>> = {};
  beforeAll(async () => {
    await built();
    for (const mode of MODES) networks[mode] = await liveNetwork(mode);
  }, 300_000);
  afterAll(() => Promise.all(Object.values(networks).map(destroy)));
  const bridge = (): Network => networks.bridge!;

  test.each(MODES)(
    '--%s: no thread has more than CAP_NET_ADMIN and CAP_NET_RAW, and none gets more',
    { timeout: LIMIT },
    async (mode) => {
      const network = networks[mode]!;
      const daemon = await Daemon.start(network, mode, writeRules(network, mode));
      for (const field of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb', 'CapBnd'])
        expect(ofThreads(daemon.pid, field).filter((set) => (set & ~KEPT) !== 0n)).toEqual([]);
      expect(ofThreads(daemon.pid, 'NoNewPrivs').every((value) => value === 1n)).toBe(true);
      expect(ofThreads(daemon.pid, 'CapEff').length).toBeGreaterThan(1);
      expect(await daemon.end('SIGTERM')).toBe(0);
    },
  );

  test.each([
    ['bridge', 'net_raw', /packet sockets needs CAP_NET_RAW/],
    ['bridge', 'net_admin', /needs CAP_NET_ADMIN/],
    ['tun', 'net_admin', /TUN device needs CAP_NET_ADMIN/],
    ['nfqueue', 'net_admin', /binding a queue of the kernel needs CAP_NET_ADMIN/],
    ['nfqueue', 'net_raw', /answers \(reject\) by a raw socket needs CAP_NET_RAW/],
  ] as const)(
    '--%s without %s says what is missing and what for',
    { timeout: LIMIT },
    async (mode, capability, words) => {
      const network = networks[mode]!;
      const without = ['setpriv', `--bounding-set=-${capability}`];
      const daemon = Daemon.spawn(network, Daemon.args(network, mode, writeRules(network, mode)), without);
      const { code, stderr } = await daemon.program.ended;
      expect(stderr).toMatch(words);
      expect(stderr).not.toMatch(/ at .*:\d+:\d+/);
      expect(code).not.toBe(0);
    },
  );

  test('its socket refuses other users, and files and folders are its own', { timeout: LIMIT }, async () => {
    const network = bridge();
    const control = ['--control-tcp', '9777'];
    const daemon = await Daemon.start(network, 'bridge', writeRules(network, 'bridge'), ...control);
    const asked = await runHere([...NOBODY, process.execPath, '-e', TRY, daemon.socket], { codes: [0, 1] });
    expect(asked.stdout.trim()).toBe('EACCES');
    // Even where somebody opened the folder, the socket is closed.
    const folder = network.path('run');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    chmodSync(folder, 0o755);
    const again = await runHere([...NOBODY, process.execPath, '-e', TRY, daemon.socket], { codes: [0, 1] });
    expect(again.stdout.trim()).toBe('EACCES');
    chmodSync(folder, 0o700);
    // The port of the loopback wants the token, which only its owner can read.
    const port = await network.run('router', [...NOBODY, process.execPath, '-e', TRY, '9777'], {
      codes: [0, 1],
    });
    expect(port.stdout).toContain('the token is wrong');
    expect(port.stdout).not.toContain('"ok"');
    const token = network.path('run/control.token');
    expect(statSync(token).mode & 0o777).toBe(0o600);
    expect(readFileSync(token, 'utf8').trim().length).toBeGreaterThanOrEqual(24);
    expect(statSync(daemon.socket).mode & 0o777).toBe(0o600);
    expect(await daemon.end('SIGTERM')).toBe(0);
    expect(statSync(daemon.state).mode & 0o777).toBe(0o600);
    expect(existsSync(daemon.socket)).toBe(false);
    expect(existsSync(token)).toBe(false);
  });

  test('runs no shell: no source does, and it works where none can be run', { timeout: LIMIT }, async () => {
    const files = ['cli', 'live', 'engine'].flatMap((folder) => sources(`${ROOT}${folder}`));
    expect(files.length).toBeGreaterThan(100);
    const shell = /\bshell\s*:\s*(?:true|['"`])|\b(?:exec|execSync)\s*\(\s*['"`]|from 'node:child_process'/;
    const users = files.filter((file) => shell.test(readFileSync(file, 'utf8')));
    // It asks `ip` for addresses, by execFile and with arguments of its own.
    expect(users.map((file) => file.slice(ROOT.length))).toEqual(['live/kernel-host.ts']);
    const text = readFileSync(users[0]!, 'utf8');
    expect(text).toContain("import { execFileSync } from 'node:child_process'");

    const network = networks.tun!;
    const trap = network.path('no-shell');
    writeFileSync(trap, '', { mode: 0o644 });
    const shells = ['/bin/sh', '/bin/bash'].filter((path) => existsSync(path));
    const args = Daemon.args(network, 'tun', writeRules(network, 'tun'), '--watch');
    const program = network.start('router', [process.execPath, BIN, 'run', ...args], {
      over: [...shells].reverse().map((path) => [path, trap] as const),
    });
    const daemon = Daemon.around(network, program);
    await daemon.says(/start: keepstate/);
    await expect(network.run('client', ['ping', '-c', '1', '-W', '5', SERVER4])).resolves.toBeDefined();
    // It looks at the machine's addresses again here.
    await daemon.saysAfter(/reload: new rules run/, () => daemon.program.signal('SIGHUP'));
    expect(daemon.log).not.toMatch(/ error /);
    expect(await daemon.end('SIGTERM')).toBe(0);
  });

  test('follows no link out of the folder that its state is in', { timeout: LIMIT }, async () => {
    const network = bridge();
    const rules = writeRules(network, 'bridge');
    const victim = network.path('victim');
    writeFileSync(victim, 'not to be touched');
    const folder = network.path('linked');
    mkdirSync(folder, { mode: 0o700 });
    const run = async (state: string): Promise<string> => {
      const args = [...WAYS.bridge, '--rules', rules, '--control', 'none', '--state', state];
      const { code, stderr } = await Daemon.spawn(network, args).program.ended;
      expect(code).toBe(2);
      return stderr;
    };
    symlinkSync(victim, `${folder}/state`);
    expect(await run(`${folder}/state`)).toMatch(/symbolic link/);
    for (const path of [`${folder}/..`, `${folder}/.`, `${folder}/`])
      expect(await run(path)).toMatch(/name of a file/);
    mkdirSync(network.path('open'));
    chmodSync(network.path('open'), 0o777);
    expect(await run(network.path('open/state'))).toMatch(/others may write/);
    expect(await run(`${folder}/missing/state`)).toMatch(/cannot use/);

    // A link that is put in place of the file, and others where new files would be, while it runs.
    const daemon = await Daemon.start(network, 'bridge', rules);
    const client = await daemon.client();
    await client.call('save', {});
    rmSync(daemon.state);
    symlinkSync(victim, daemon.state);
    symlinkSync(victim, `${daemon.state}.new-${daemon.pid}`);
    await client.call('save', {});
    client.close();
    expect(lstatSync(daemon.state).isFile()).toBe(true);
    expect(readdirSync(network.path('state')).sort()).toEqual(['table', 'table.lock']);
    expect(await daemon.end('SIGTERM')).toBe(0);
    expect(readFileSync(victim, 'utf8')).toBe('not to be touched');
  });
});
