/** `keepstate proc nf_conntrack_expect` beside the kernel's own file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place } from '../../cli/testing/keepstate.ts';
import { commandUsable } from '../kernel/conntrack-command-run.ts';
import { KernelNamespace } from './kernel-table-run.ts';

const MASK = '--mask-src 255.255.255.255 --mask-dst 255.255.255.255';
const PORTS = '--mask-port-src 0 --mask-port-dst 65535 --tuple-port-src 0 --tuple-port-dst 4000';
const EXPECT = `-I expect -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 21 --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 ${MASK} ${PORTS} -t 5000`;

test.skipIf(!commandUsable())(
  'expectations are printed as /proc/net/nf_conntrack_expect has them',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keepstate-proc-expect-'));
    const place = new Place();
    const space = await KernelNamespace.open(folder);
    try {
      const original = { src: '10.0.0.1', dst: '10.0.0.2', sport: 1000, dport: 21 };
      const flow = { family: 2, protonum: 6, original, timeout: 500, state: 3, helper: 'ftp', status: 14 };
      expect(await space.create(flow)).toBe(0);
      expect((await space.ours(EXPECT)).status).toBe(0);
      const dump = join(folder, 'dump');
      writeFileSync(dump, space.inside(['conntrack', '-L', 'expect']).out);
      const { out } = await place.run('proc', 'nf_conntrack_expect', '--from', dump);
      const file = space.inside(['cat', '/proc/net/nf_conntrack_expect']).out;
      const still = (text: string): string => text.replace(/^\d+ /gm, 'T ');
      expect(file).toMatch(/^\d+ l3proto = 2 proto=6 /);
      expect(still(out)).toBe(still(file));
    } finally {
      space.close();
      place.end();
      rmSync(folder, { recursive: true });
    }
  },
);
