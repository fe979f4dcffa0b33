import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Xtables } from '../engine/iptables/xtables.ts';
import { fold, sum } from '../engine/packet/checksum.ts';
import { NF_INET_LOCAL_OUT, NFPROTO_IPV4 } from '../engine/rules/family.ts';
import { runChain } from '../engine/rules/run.ts';
import { arrive, newState } from '../engine/rules/testing.mts';

interface Batch {
  readonly size: number;
  /** ms */
  readonly times: readonly number[];
  /** Packets that each rule has counted by then. */
  readonly counts: readonly number[];
}

interface Measured {
  readonly rules: readonly string[];
  readonly runs: Record<'nft' | 'legacy', readonly Batch[]>;
}

const MEASURED = JSON.parse(
  readFileSync(new URL('iptables-limits/measured.json', import.meta.url), 'utf8'),
) as Measured;

function datagram(size: number): Uint8Array {
  const bytes = new Uint8Array(28 + size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17]);
  view.setUint16(2, bytes.length);
  view.setUint32(12, 0x7f000001);
  view.setUint32(16, 0x7f000001);
  view.setUint16(10, ~fold(sum(view, 0, 20)) & 0xffff);
  view.setUint16(20, 40000);
  view.setUint16(22, 9000);
  view.setUint16(24, 8 + size);
  return bytes;
}

describe('limit, hashlimit and recent count in virtual time as the kernel counted in real time', () => {
  test.each(['nft', 'legacy'] as const)('by iptables-%s', (backend) => {
    const tables = new Xtables(NFPROTO_IPV4, { backend });
    const lines = MEASURED.rules.map((rule) => `-A OUTPUT -p udp --dport 9000 ${rule}\n`);
    const text = `*filter\n${lines.join('')}COMMIT\n`;
    expect(tables.restore({ name: 'measured', text })).toEqual([]);
    const chain = tables.tables()[0]!.chains.get('OUTPUT')!;
    const state = newState();
    state.hook = NF_INET_LOCAL_OUT;
    for (const [i, { size, times, counts }] of MEASURED.runs[backend].entries()) {
      for (const time of times) {
        arrive(state, datagram(size), time, false);
        state.pkt.ifin = 0;
        runChain(chain, state);
      }
      const counted = chain.rules.map((rule, at) => `${MEASURED.rules[at]}: ${rule.counters!.packets}`);
      expect(counted, `batch ${i}`).toEqual(counts.map((count, at) => `${MEASURED.rules[at]}: ${count}`));
    }
  });
});
