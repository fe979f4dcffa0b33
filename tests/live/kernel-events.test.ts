/** `keepstate conntrack --kernel -E` beside conntrack -E, both at the same events of one table. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LABEL_NAMES } from '../kernel/conntrack-command-changes.ts';
import { lines } from '../kernel/conntrack-command-lines.ts';
import { commandUsable } from '../kernel/conntrack-command-run.ts';
import { KernelNamespace } from './kernel-table-run.ts';
import { unlikeViews, watched } from './kernel-watch.ts';

/** What is done to the table while both look on. */
const CHANGES = lines(`
  -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state SYN_SENT -t 1000 -m 5
  -I -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -t 900 -n 192.0.2.1
  -I -p udp -s 10.0.0.1 -d 10.0.0.4 --sport 1002 --dport 53 -t 900 -w 7
  -I -p icmp -s 10.0.0.1 -d 10.0.0.6 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 800
  -A -p udp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -t 700 -u SEEN_REPLY
  -A -p sctp -s 10.0.0.1 -d 10.0.0.7 --sport 1 --dport 2 -t 700 --state ESTABLISHED --orig-vtag 5 --reply-vtag 6
  -A -p gre -s 10.0.0.1 -d 10.0.0.8 --srckey 0x11 --dstkey 12 -t 700
  -A -p 99 -s 10.0.0.1 -d 10.0.0.9 -t 700 -u FIXED_TIMEOUT
  -A -p dccp -s 10.0.0.1 -d 10.0.0.10 --sport 1 --dport 2 -t 700 --state OPEN --role client
  -A -p udplite -s 10.0.0.1 -d 10.0.0.11 --sport 1 --dport 2 -t 700 --orig-zone 3
  -A -p udp -s 10.0.0.1 -d 10.0.0.12 --sport 1 --dport 2 -t 0
  -U -d 10.0.0.2 -u SEEN_REPLY,ASSURED
  -U -d 10.0.0.2 -p tcp --state ESTABLISHED
  -U -d 10.0.0.2 -m 0
  -U -d 10.0.0.2 -m 9
  -U -d 10.0.0.3 --label-add one,last
  -U -d 10.0.0.6 -t 5
  -D -d 10.0.0.3
  -D -p sctp
  -D -f ipv6
  -D -w 7
  -F`);

/** How both look. */
const VIEWS = lines(`
  -E
  -E -o extended
  -E -o xml
  -E -o save
  -E -o id
  -E -o timestamp
  -E -o ktimestamp
  -E -o labels
  -E -o xml,ktimestamp,labels
  -E -o extended,id,ktimestamp,timestamp,labels
  -E -o userspace
  -E -e NEW
  -E -e UPDATES,DESTROY
  -E -e ALL
  -E -e DESTROY -o id
  -E -p tcp
  -E -p udp --dport 53
  -E -p tcp --state ESTABLISHED
  -E -f ipv6
  -E -f ipv4
  -E -s 10.0.0.1
  -E -d 10.0.0.8/30
  -E -m 5
  -E -m 0
  -E -m 9/1
  -E -w 7
  -E --orig-zone 3
  -E -n
  -E -n 192.0.2.1
  -E -g
  -E -j
  -E -b 2000000
  -E -r 10.0.0.2
  -E -l one
  -E -u ASSURED
  -E -u UNREPLIED
  -E -w 0
  -E --reply-zone 0
  -E -p icmp --icmp-type 8 --icmp-code 0
  -E -q 192.0.2.1
  -E -m 0/1
  -E -p sctp -o save
  -E expect
  -E expect -o xml`);

describe.skipIf(!commandUsable())('keepstate conntrack --kernel -E tells what conntrack -E tells', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-events-'));
  const named = join(folder, 'names');
  let space: KernelNamespace;
  beforeAll(async () => {
    writeFileSync(named, LABEL_NAMES);
    const setup = [
      `mkdir ${folder}/etc`,
      `mount -t tmpfs tmpfs ${folder}/etc`,
      `mkdir ${folder}/etc/xtables`,
      `cp /etc/protocols /etc/nsswitch.conf ${folder}/etc/`,
      `cp ${named} ${folder}/etc/xtables/connlabel.conf`,
      "nft 'table ip t { chain c { type filter hook output priority 0; ct label 5 counter; }; }'",
      `mount --bind ${folder}/etc /etc`,
    ].join('\n');
    space = await KernelNamespace.open(folder, setup, { KEEPSTATE_CONNLABEL: named });
  }, 60_000);
  beforeEach(() => space.real('-F'));
  afterAll(() => {
    space?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([0, 1])('with nf_conntrack_acct and nf_conntrack_timestamp %i', async (setting) => {
    for (const name of ['acct', 'timestamp']) {
      space.inside(['sysctl', '-qw', `net.netfilter.nf_conntrack_${name}=${setting}`]);
    }
    const all = await watched(space, VIEWS, async () => {
      for (const line of CHANGES) space.real(line);
    });
    expect(unlikeViews(all)).toBe('');
    expect(all[0]!.theirs.out.split('\n').length).toBeGreaterThan(CHANGES.length);
  });

  test('-o json tells each event in an object, with who caused it', async () => {
    const [seen] = await watched(space, ['-E -o json'], async () => {
      space.real('-I -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 53 -t 900 -m 5');
      await space.ours('-D -d 10.0.0.3');
    });
    const events = seen!.ours.out.trimEnd().split('\n');
    const objects = events.map((line) => JSON.parse(line) as Record<string, unknown>);
    // Null where it was gone already when it was looked for.
    for (const object of objects) expect(object).toHaveProperty('program');
    expect(objects).toMatchObject([
      { event: 'NEW', protocol: 'udp', timeout: 900, mark: 5, portid: expect.any(Number) },
      { event: 'DESTROY', protocol: 'udp', mark: 5, portid: expect.any(Number) },
    ]);
  });
});
