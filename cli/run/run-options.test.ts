import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../options.ts';
import { type RunOptions, runOptions } from './run-options.ts';

function read(...args: string[]): RunOptions {
  return runOptions(parseCommandLine(args).given, {});
}

const RULES = ['--rules', 'r.nft'];

describe('the options of run', () => {
  test('say by which devices or queues packets come', () => {
    expect(read('--bridge', 'eth0, eth1,br-lan.7', ...RULES).way).toEqual({
      mode: 'bridge',
      devices: ['eth0', 'eth1', 'br-lan.7'],
    });
    expect(read('--tun', 'tun0', ...RULES).way).toEqual({ mode: 'tun', device: 'tun0' });
    expect(read('--nfqueue', '7', ...RULES).way).toEqual({ mode: 'nfqueue', queues: [7] });
    expect(read('--nfqueue', '0-3', ...RULES).way).toEqual({ mode: 'nfqueue', queues: [0, 1, 2, 3] });
    expect(read('--capture', 'eth0').way).toEqual({ mode: 'capture', device: 'eth0' });
  });

  test.each([
    [[], 'say how packets come: --bridge, --tun, --nfqueue or --capture'],
    [['--bridge', 'eth0'], '--bridge needs two devices or more'],
    [['--bridge', 'eth0,eth0'], '--bridge names a device twice'],
    [['--bridge', 'eth0,../x'], "'../x' is no name of a device"],
    [['--tun', 'a-name-that-is-too-long'], 'is no name of a device'],
    [['--capture', 'lo,eth1'], '--capture takes one device'],
    [['--tun', 'tun0,tun1'], '--tun takes one device'],
    [['--nfqueue', '3-1'], "bad value '3-1' of --nfqueue"],
    [['--nfqueue', '65536'], 'expected a number from 0 to 65535'],
    [['--nfqueue', '0-64'], '--nfqueue takes at most 64 queues'],
    [['--tun', 'tun0', '--iface', 'eth0=192.0.2.1/24'], "'--iface' does not go with --tun"],
    [['--capture', 'eth0', '--fail-open'], 'with --capture no packet waits for keepstate'],
    [['--tun', 'tun0', '--control-tcp', '0'], 'expected a port from 1 to 65535'],
    [['--tun', 'tun0', '--log-format', 'xml'], "unknown value of --log-format 'xml'"],
    [['--tun', 'tun0', '--state', 's', '--state-every', '0'], 'expected 1 to 86400 seconds'],
    [['--tun', 'tun0', '--control', 'x'.repeat(108)], 'at most 107 bytes'],
  ])('%j are refused', (args, message) => {
    expect(() => read(...args, ...(args.length === 0 ? [] : RULES))).toThrow(message);
  });

  test('draw a seed where none is given, another one each time', () => {
    const seeds = [1, 2, 3].map(() => read('--tun', 'tun0', ...RULES).seed);
    expect(new Set(seeds).size).toBe(3);
    expect(read('--tun', 'tun0', '--seed', '7', ...RULES).seed).toBe(7);
  });

  test('put the control socket into the folder of a session, or of the system', () => {
    const { given } = parseCommandLine(['--tun', 'tun0', ...RULES]);
    expect(runOptions(given, {}).control).toBe('/run/keepstate/control.sock');
    expect(runOptions(given, { XDG_RUNTIME_DIR: '/run/user/7' }).control).toBe(
      '/run/user/7/keepstate/control.sock',
    );
    expect(read('--tun', 'tun0', '--control', 'none', ...RULES).control).toBe(null);
  });
});
