import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { icmpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, datagram, pcap } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const PAGE = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');

/** Fields that a section of docs/json.md has in its table. */
function documented(section: string): string[] {
  const text = PAGE.split(/^## /m).find((part) => part.startsWith(`${section}\n`))!;
  return [...text.matchAll(/^\| `(\w+)`(?:, `(\w+)`)? \|/gm)].flatMap(([, a, b]) =>
    b === undefined ? [a!] : [a!, b],
  );
}

const CAPTURE = place.file(
  'all.pcap',
  pcap([
    ...connection(),
    { at: 1, bytes: datagram('10.0.0.1', '10.0.0.2', 5, 53) },
    { at: 2, bytes: icmpPacket({ src: '10.0.0.1', dst: '10.0.0.2', type: 8, code: 0, id: 77 }) },
    { at: 3, bytes: datagram('fd00::1', 'fd00::2', 5, 53) },
  ]),
);

/** One rule that is unknown, one that queues. */
const RULES = place.file(
  'rules.v4',
  `*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -j CT --timeout made-by-nfct
COMMIT
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -j NFQUEUE --queue-num 5
COMMIT
`,
);

/** Every field name that a command prints at the top of its objects. */
async function printed(...args: readonly string[]): Promise<Set<string>> {
  const { lines } = await place.run(...args, '--json');
  return new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
}

describe('docs/json.md', () => {
  test('has every field of trace, and no other', async () => {
    const tracking = await printed('trace', CAPTURE, CAPTURE);
    const wishes = ['--verbose', '--bytes', '--log', '--nft-trace'];
    const rules = await printed('trace', '--rules', RULES, ...wishes, CAPTURE);
    const ftp = fileURLToPath(new URL('../../examples/ftp-masquerade/', import.meta.url));
    const host = ['--rules', `${ftp}rules.nft`, '--host', `${ftp}host.yaml`];
    const expected = await printed('trace', ...host, `${ftp}capture.pcap`);
    expect([...new Set([...tracking, ...rules, ...expected])].sort()).toEqual(documented('trace').sort());
  });

  test('has every field of flows, and no other', async () => {
    // zoneReply needs a zone of one direction, which no capture gives.
    const fields = [...(await printed('flows', '--community-id', CAPTURE)), 'zoneReply'];
    expect(fields.sort()).toEqual(documented('flows').sort());
  });

  test('has every field of events, and no other', async () => {
    const flow = documented('flows').filter((name) => name !== 'community_id' && name !== 'zoneReply');
    expect([...(await printed('events', CAPTURE))].sort()).toEqual([...flow, ...documented('events')].sort());
  });
});
