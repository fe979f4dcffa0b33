/** `keepstate top --kernel` in a namespace whose table packets fill. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FROM_SOURCES } from '../../cli/testing/keepstate.ts';
import { commandUsable, type Did } from '../kernel/conntrack-command-run.ts';
import { KernelNamespace } from './kernel-table-run.ts';

const SETUP = `ip link set lo up
sysctl -q -w net.netfilter.nf_conntrack_acct=1
nft 'table ip t { chain c { type filter hook output priority 0; ct state new accept; }; }'`;
const FLOW = '-I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 1000';

describe.skipIf(!commandUsable())('keepstate top --kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-top-'));
  let space: KernelNamespace;
  beforeAll(async () => {
    space = await KernelNamespace.open(folder, SETUP);
    expect(space.real(`${FLOW} -u SEEN_REPLY,ASSURED`).status).toBe(0);
  }, 60_000);
  afterAll(() => {
    space?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function top(before: readonly string[], ...args: readonly string[]): Did {
    return space.inside([
      ...before,
      process.execPath,
      ...FROM_SOURCES,
      ...['top', '--kernel', '--once'],
      ...args,
    ]);
  }

  test('has the flows as conntrack -L prints them, the busiest first, and what comes in a second', async () => {
    const ping = space.start(['ping', '-q', '-i', '0.05', '127.0.0.1']);
    // Each of these pings is a flow of its own.
    const more = space.start(['sh', '-c', 'while ping -q -c 1 127.0.0.1; do sleep 0.05; done']);
    const { status, out, err } = top([], '--lines', '100');
    ping.kill();
    more.kill();
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const lines = out.split('\n');
    expect(lines[0]).toBe("the kernel's table");
    expect(lines[1]).toMatch(/^flows \d+ of [\d,]+ \[#-+\] \d\.\d%$/);
    expect(Number(/^new ([\d.]+)\/s/.exec(lines[2]!)![1])).toBeGreaterThan(0);
    expect(lines[3]).toMatch(/^icmp \d+; tcp 1: ESTABLISHED 1$/);
    const [first = '', ...rest] = lines.slice(7);
    expect(first).toMatch(
      /^ +\d+ +[\d.]+ icmp {5}1 \d+ src=127\.0\.0\.1 dst=127\.0\.0\.1 type=8 code=0 id=\d+ /,
    );
    const flow = rest.find((line) => line.includes(' tcp '))!;
    const listed = space.real('-L -p tcp').out.trimEnd();
    const still = (line: string): string => line.replace(/^(tcp +6 )\d+/, '$1T');
    expect(still(flow.slice(flow.indexOf('tcp')))).toBe(still(listed));
    expect(flow).toMatch(/^ +0 +0 /);
  });

  test('filters and sorts', () => {
    const { out } = top([], '--filter', 'tcp and dport 80', '--sort', 'left', '--interval', '0.1');
    expect(out).toContain('by time left, lowest first; 1 of 1 matched');
  });

  test('says what it needs where it may not look', () => {
    const { status, out, err } = top(['setpriv', '--reuid=65534', '--clear-groups']);
    expect(err).toContain('CAP_NET_ADMIN');
    expect({ status, out }).toEqual({ status: 1, out: '' });
  });
});
