/** Expectations in a table of the kernel: `keepstate conntrack --kernel` makes them, both look at them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commandUsable, type Did, difference } from '../kernel/conntrack-command-run.ts';
import { KernelNamespace } from './kernel-table-run.ts';
import { unlikeViews, watched } from './kernel-watch.ts';

/** The flow of an FTP connection, with its helper. */
const FTP = [
  { family: 2, protonum: 6, src: '10.0.0.1', dst: '10.0.0.2', sport: 1000, dport: 21 },
  { family: 10, protonum: 6, src: 'fd00::1', dst: 'fd00::2', sport: 1000, dport: 21 },
] as const;

const MASTER = '-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 21';
const MASTER6 = '-p tcp -s fd00::1 -d fd00::2 --sport 1000 --dport 21';
const MASK = '--mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535';
const MASK6 =
  '--mask-src ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --mask-dst ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ' +
  '--mask-port-src 0 --mask-port-dst 65535';

const expected = (port: number): string =>
  `-I expect ${MASTER} --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 ${MASK} -t 50 --tuple-port-src 0 --tuple-port-dst ${port}`;
const expected6 = (port: number): string =>
  `-I expect ${MASTER6} --tuple-src fd00::2 --tuple-dst fd00::1 ${MASK6} -t 50 --tuple-port-src 0 --tuple-port-dst ${port}`;

describe.skipIf(!commandUsable())('expectations of the kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-expect-'));
  let space: KernelNamespace;
  beforeAll(async () => {
    space = await KernelNamespace.open(folder);
  }, 60_000);
  async function fill(): Promise<void> {
    space.real('-F');
    for (const { family, protonum, ...original } of FTP) {
      expect(
        await space.create({ family, protonum, original, timeout: 500, state: 3, helper: 'ftp', status: 14 }),
      ).toBe(0);
    }
  }
  beforeEach(fill);
  afterAll(() => {
    space?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('are made, and listed as conntrack(8) lists them', async () => {
    for (const line of [expected(4000), expected(4001), expected6(4002)]) {
      expect(await space.ours(line)).toEqual({
        status: 0,
        out: '',
        err: 'conntrack v1.4.7 (conntrack-tools): 1 expectations have been created.\n',
      });
    }
    const found: string[] = [];
    for (const line of [
      '-L',
      '-L -o xml',
      '-L -o extended,id',
      '-L expect',
      '-L expect -f ipv6',
      '-L expect -f ipv4',
      '-L expect -o xml',
      '-L expect -o extended,id',
      '-L expect -o save',
      '-C expect',
      '-G expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 0 --dport 4001 --reply-port-src 0 --reply-port-dst 0',
      '-G expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 77 --dport 4001 --reply-port-src 0 --reply-port-dst 0',
      '-G expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 0 --dport 4009 --reply-port-src 0 --reply-port-dst 0',
      '-G expect -p tcp -s fd00::2 -d fd00::1 --sport 5 --dport 4002 --reply-port-src 0 --reply-port-dst 0',
      '-S expect',
    ]) {
      const text = difference(space.real(line), await space.ours(line));
      if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
    }
    expect(found.join('\n\n')).toBe('');
  });

  test('are deleted, one or all, as conntrack(8) does it', async () => {
    const one =
      '-D expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 9 --dport 4000 --reply-port-src 0 --reply-port-dst 0';
    for (const commands of [[one, one], ['-F expect'], ['-D -p tcp -d 10.0.0.2', one], ['-F']]) {
      const did: Did[][] = [];
      for (const how of ['real', 'ours'] as const) {
        await fill();
        await space.ours(expected(4000));
        await space.ours(expected6(4000));
        const all: Did[] = [];
        for (const line of [...commands, '-L expect', '-L expect -f ipv6', '-C'])
          all.push(await space[how](line));
        did.push(all);
      }
      expect(did[1]).toEqual(did[0]);
    }
  });

  test('and their events are told as conntrack -E expect tells them', async () => {
    const seen = await watched(
      space,
      ['-E expect', '-E expect -o timestamp', '-E expect -o xml', '-E'],
      async () => {
        // Of flows that were made while nobody listened the kernel tells nothing (nf_conntrack_events = 2).
        await fill();
        await space.ours(expected(4000));
        await space.ours(expected6(4000));
        await space.ours(expected(4001));
        space.real(
          '-D expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 9 --dport 4001 --reply-port-src 0 --reply-port-dst 0',
        );
        space.real('-F');
      },
    );
    expect(unlikeViews(seen)).toBe('');
    expect(seen[0]!.ours.out.split('\n').length).toBeGreaterThan(5);
  });
});
