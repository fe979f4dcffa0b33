import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { rewrittenLines } from './format/rewritten-text.ts';
import { replacedParts } from './rewritten.ts';
import { Place } from './testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const parts = (from: string, to: string) => replacedParts(bytes(from), bytes(to));

/** Runs trace on a folder of examples. */
function trace(example: string, ...options: readonly string[]) {
  const folder = fileURLToPath(new URL(`../examples/${example}/`, import.meta.url));
  const files = ['--rules', `${folder}rules.nft`, '--host', `${folder}host.yaml`, `${folder}capture.pcap`];
  return place.run('trace', ...options, ...files);
}

describe('trace tells what a helper rewrote under NAT', () => {
  test('with the old text, the new one, and the numbers that move', async () => {
    const { lines } = await trace('ftp-masquerade');
    const at = lines.findIndex((line) => line.includes('EPRT') || line.includes('PORT '));
    expect(lines[at]).toBe('        helper ftp: "PORT 192,0,2,10,200,99" -> "PORT 198,51,100,1,200,99"');
    expect(lines[at + 1]).toBe('        helper ftp: sequence numbers of what follows: +2');
    expect(lines[at + 2]).toMatch(/^ {8}becomes /);
    expect(lines).toContain('        helper ftp: sequence numbers adjusted: ack -2');
    expect(lines).toContain('        helper ftp: sequence numbers adjusted: seq +2');
  });

  test('and to programs', async () => {
    const { lines } = await trace('ftp-masquerade', '--json');
    const told = lines.map((line) => JSON.parse(line).rewritten).filter((one) => one !== undefined);
    expect(told[0]).toEqual({
      helper: 'ftp',
      replaced: [{ from: 'PORT 192,0,2,10,200,99', to: 'PORT 198,51,100,1,200,99', hex: false }],
      longer: 2,
      seq: 0,
      ack: 0,
    });
    expect(told[1]).toMatchObject({ replaced: [], longer: 0, seq: 0, ack: -2 });
  });

  test('line by line where it changes several', async () => {
    const { lines } = await trace('sip-call');
    const told = lines.filter((line) => line.includes('helper sip: '));
    expect(told[0]).toMatch(/^ {8}helper sip: ".*192\.0\.2\.10.*" -> ".*198\.51\.100\.1/);
    expect(told.every((line) => !line.includes('sequence numbers'))).toBe(true);
  });

  test('in bytes where it is no text', async () => {
    const { lines } = await trace('pptp-tunnel');
    for (const line of lines.filter((l) => l.includes('helper pptp: ')))
      expect(line).toMatch(/helper pptp: bytes [0-9a-f]+ -> [0-9a-f]+$/);
  });

  test('and nothing of flows that no helper changes', async () => {
    expect((await trace('hairpin')).out).not.toMatch(/helper|payload|sequence numbers/);
    expect((await trace('ftp-passive')).out).not.toContain('sequence numbers');
  });
});

describe('what differs', () => {
  test('is told by lines of text, and by bytes where there are others', () => {
    expect(parts('a\r\nb\r\n', 'a\r\nc\r\n')).toEqual([{ from: 'b', to: 'c', hex: false }]);
    expect(parts('a\r\nb\r\nc', 'x\r\nb\r\nz')).toHaveLength(2);
    expect(parts('abcd', 'abcd')).toEqual([]);
    expect(parts('\u0001ab\u0002', '\u0001cd\u0002')).toEqual([{ from: '6162', to: '6364', hex: true }]);
    expect(parts('aa', 'aaa')).toEqual([{ from: 'aa', to: 'aaa', hex: false }]);
    expect(parts('', 'x')).toEqual([{ from: '', to: '78', hex: true }]);
  });

  test('is cut where it is long', () => {
    const replaced = [{ from: 'x'.repeat(1000), to: '', hex: false }];
    const [line] = rewrittenLines({ helper: null, replaced, longer: -1000, seq: 0, ack: 0 }, false);
    expect(line!.length).toBeLessThan(200);
    expect(line).toMatch(/^payload: "x+…" -> ""$/);
  });
});
