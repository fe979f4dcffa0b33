import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { namespacesUsable } from './namespace.ts';

const WORKER = fileURLToPath(new URL('./capabilities-worker.ts', import.meta.url));
const NOBODY = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
const BOTH = '0000000000003000';

/** Starts the worker by setpriv with these options. */
function restricted(...options: readonly string[]): { pid: number; told: Record<string, unknown> } {
  const node = [process.execPath, '--conditions=keepstate-source', '--import', 'tsx', WORKER, 'a', 'b c'];
  const { stdout, stderr, pid } = spawnSync('setpriv', [...options, ...node], {
    encoding: 'utf8',
    input: 'typed',
    // tsx keeps what it compiled in a folder of the user's: a different user must have a different one.
    env: { ...process.env, TMPDIR: '/tmp', TSX_DISABLE_CACHE: '1' },
  });
  if (!stdout.includes('{')) throw new Error(stderr);
  return { pid, told: JSON.parse(stdout) as Record<string, unknown> };
}

describe.skipIf(!namespacesUsable(['setpriv']))('a process that gives up capabilities', () => {
  test('keeps two of them in every thread, its process id, its arguments and its standard input', {
    timeout: 60_000,
  }, () => {
    const { pid, told } = restricted('--');
    expect(told).toEqual({
      threads: [BOTH],
      bounding: BOTH,
      noNewPrivs: '1',
      missing: [],
      refusal: '',
      arguments: ['a', 'b c'],
      pid,
      input: 'typed',
    });
  });

  test('keeps them if it is not root and has more of them', { timeout: 60_000 }, () => {
    const caps = '+net_admin,+net_raw,+chown';
    const { told } = restricted(...NOBODY, '--inh-caps', caps, '--ambient-caps', caps);
    expect(told).toMatchObject({ threads: [BOTH], missing: [], refusal: '', noNewPrivs: '1' });
  });

  test('says which one is missing, and what for', { timeout: 60_000 }, () => {
    const sentence = 'sending answers (reject) by a raw socket needs CAP_NET_RAW';
    expect(restricted('--bounding-set', '-net_raw,-setpcap').told).toMatchObject({
      threads: ['0000000000001000'],
      missing: [sentence],
      refusal: 'opening a raw socket needs CAP_NET_RAW',
    });
    expect(restricted(...NOBODY).told).toMatchObject({
      threads: ['0000000000000000'],
      missing: ['binding a queue of the kernel needs CAP_NET_ADMIN', sentence],
      refusal: 'opening a raw socket needs CAP_NET_RAW',
    });
  });
});
