import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../conntrack/table.ts';
import { counted, NO_LOOK, topEntry } from '../testing/top-flows.ts';
import { TopModel } from './model.ts';
import { ORDERS } from './order.ts';
import { Sampler } from './sampler.ts';
import { lineText, onceText, screen } from './screen.ts';
import { bar, folded, grouped, short } from './text.ts';

const NOW = Date.UTC(2026, 10, 21, 2, 51, 47);

/** Three flows that were looked at twice, a second apart. */
function fixed(): TopModel {
  const model = new TopModel('keepstate 0.1.0, bridge, process 42', ORDERS[0]!, false, '');
  const sampler = new Sampler(1000);
  const flows = (grown: number): Entry[] => [
    topEntry(1, counted(10, 1000 + grown)),
    topEntry(2, counted(20 + grown / 100, 5000 + 250 * grown)),
    topEntry(3, {
      ...counted(2, 120),
      protonum: 17,
      protocol: 'udp',
      state: null,
      timeout: 29_900,
      status: 8,
      family: 10,
      original: { src: 'fd00:1::2', dst: 'fd00:2::2', sport: 5353, dport: 53 },
      reply: { src: 'fd00:2::2', dst: 'fd00:1::2', sport: 53, dport: 5353 },
      mark: 5,
    }),
  ];
  for (const [grown, at] of [
    [0, NOW - 1000],
    [3000, NOW],
  ] as const) {
    sampler.begin(model.wish, at);
    sampler.add(flows(grown), at);
    model.take(sampler.end());
  }
  model.look = { ...NO_LOOK, flows: 200_000, packets: { accepted: 1, refused: 2 } };
  model.rates = {
    created: 1234.4,
    destroyed: 12,
    invalid: 0,
    dropped: 3.25,
    earlyDropped: 0,
    packets: { accepted: 45_678, refused: 0 },
  };
  return model;
}

const SIZE = { columns: 80, rows: 24 };

function drawn(model: TopModel, size = SIZE): string[] {
  return screen(model, NOW, size).map(lineText);
}

describe('the screen of 80x24', () => {
  test('has the table, its rates, its flows and the marked one in full', () => {
    expect(drawn(fixed()).map((line) => line.trimEnd())).toEqual([
      'keepstate top: keepstate 0.1.0, bridge, process 42                  02:51:47 UTC',
      'flows 200,000 of 262,144 [#############----] 76.3%  accepted 45.7k/s refused 0/s',
      'new 1234/s  destroyed 12/s  invalid 0/s  dropped 3.3/s  early drop 0/s',
      'tcp 2: ESTABLISHED 2; udp 1',
      'by bytes/s, highest first; 1-3 of 3',
      ' bytes/s pkts/s proto   left state       original direction',
      '>   750k     30 tcp   431999 ESTABLISHED src=10.0.0.2 dst=192.0.2.1 sport=40002…',
      '    3000      0 tcp   431999 ESTABLISHED src=10.0.0.1 dst=192.0.2.1 sport=40001…',
      '       0      0 udp       29             src=fd00:1::2 dst=fd00:2::2 sport=5353…',
      ...Array.from({ length: 10 }, () => ''),
      'tcp 6 431999 ESTABLISHED src=10.0.0.2 dst=192.0.2.1 sport=40002 dport=443',
      'packets=25 bytes=377500 src=192.0.2.1 dst=10.0.0.2 sport=443 dport=40002',
      'packets=25 bytes=377500 [ASSURED] mark=0 use=1 id=2',
      '',
      'q quit  < > order  r reverse  / filter  d delete  space pause  arrows  ? help',
    ]);
  });

  test('asks before it deletes, with the flow that would go', () => {
    const model = fixed();
    model.press({ text: 'd', name: null });
    expect(drawn(model).at(-1)).toBe('delete tcp src=10.0.0.2 dst=192.0.2.1 sport=40002 dport=443? (y/N) ');
  });

  test('moves to the side where lines are longer', () => {
    const model = fixed();
    for (let i = 0; i < 3; i++) model.press({ text: '', name: 'right' });
    const lines = drawn(model);
    expect(lines[7]!.trimEnd()).toBe(' TABLISHED src=10.0.0.1 dst=192.0.2.1 sport=40001 dport=443');
    expect(lines[6]![0]).toBe('>');
  });

  test('lists every key on ?', () => {
    const model = fixed();
    model.press({ text: '?', name: null });
    const text = drawn(model).join('\n');
    for (const word of ['filter', 'delete the marked flow', 'hold everything', 'Ctrl-C'])
      expect(text).toContain(word);
  });

  test('says why there are no rates, and of what the list is a part', () => {
    const model = fixed();
    const { rows } = model.snapshot;
    model.snapshot = { rows: rows.slice(0, 2), total: 9000, matched: 8000, states: {}, counts: false };
    model.filterText = 'tcp';
    const [line = ''] = screen(model, NOW, { columns: 200, rows: 24 }).map(lineText).slice(4);
    expect(line.trimEnd()).toBe(
      'by bytes/s, highest first; 1-2 of 8,000 matched, 9,000 in all (the first 2 are listed); filter tcp; no rates: nf_conntrack_acct is 0',
    );
  });

  test('counts the time down since a flow was read, and says when it is gone', () => {
    const model = fixed();
    const later = screen(model, NOW + 20_000, { columns: 120, rows: 24 }).map(lineText);
    expect(later[8]).toContain(' udp        9 ');
    model.row!.isGone = true;
    expect(drawn(model)[6]).toContain(' gone ');
  });

  test('shows the last of what is typed, and what is wrong with it', () => {
    const model = fixed();
    for (const letter of `/${'src 10.0.0.1 or '.repeat(8)}x`) model.press({ text: letter, name: null });
    expect(drawn(model).at(-1)).toMatch(/ or x_$/);
    model.press({ text: '', name: 'enter' });
    expect(drawn(model).at(-1)).toContain("unknown word 'x'");
  });
});

test('every screen of every size has its lines, none too long, whatever is in a flow', () => {
  const model = fixed();
  model.snapshot.rows[1]!.entry = topEntry(1, {
    helper: '\x1b[2J\u009b0m\nevil',
    protocol: '\x07unknown',
    state: '\x1b]0;x',
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 300 }),
      fc.integer({ min: 10, max: 100 }),
      fc.constantFrom('list', 'filter', 'delete', 'help'),
      fc.integer({ min: 0, max: 40 }),
      (columns, rows, mode, shift) => {
        model.mode = mode as 'list';
        model.shift = shift * 10;
        const lines = screen(model, NOW, { columns, rows });
        expect(lines).toHaveLength(rows);
        for (const line of lines) {
          const text = lineText(line);
          expect(text.length).toBeLessThanOrEqual(columns);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      },
    ),
  );
});

test('--once prints the same as text, with whole lines of conntrack -L', () => {
  expect(onceText(fixed(), 2).split('\n')).toEqual([
    'keepstate 0.1.0, bridge, process 42',
    expect.stringMatching(/^flows 200,000 of 262,144 \[#+-+\] 76\.3% {2}accepted 45\.7k\/s refused 0\/s$/),
    'new 1234/s  destroyed 12/s  invalid 0/s  dropped 3.3/s  early drop 0/s',
    'tcp 2: ESTABLISHED 2; udp 1',
    'by bytes/s, highest first; 2 of 3',
    '',
    'bytes/s pkts/s flow',
    '   750k     30 tcp      6 431999 ESTABLISHED src=10.0.0.2 dst=192.0.2.1 sport=40002 dport=443 packets=25 bytes=377500 src=192.0.2.1 dst=10.0.0.2 sport=443 dport=40002 packets=25 bytes=377500 [ASSURED] mark=0 use=1',
    '   3000      0 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=192.0.2.1 sport=40001 dport=443 packets=5 bytes=2000 src=192.0.2.1 dst=10.0.0.1 sport=443 dport=40001 packets=5 bytes=2000 [ASSURED] mark=0 use=1',
    '',
  ]);
});

describe('texts of the screen', () => {
  test('a short number has five characters at most and is right within a twentieth, as 1.0k is for 1049', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (n) => {
        const text = short(n);
        expect(text.length).toBeLessThanOrEqual(5);
        const unit = 'kMGTPE'.indexOf(text.at(-1)!) + 1;
        const value = Number.parseFloat(text) * 1000 ** unit;
        expect(Math.abs(value - n)).toBeLessThanOrEqual(Math.max(0.51, n * 0.0501));
      }),
    );
    expect([0, 0.25, 9.96, 999, 9999, 10_000, 99_949, 999_950, 1e6].map(short)).toEqual([
      ...['0', '0.3', '10', '999', '9999', '10.0k', '99.9k', '1.0M', '1.0M'],
    ]);
  });

  test('a grouped number, a bar and folded text', () => {
    expect([0, 999, 1000, 262_144, 12_345_678].map(grouped)).toEqual([
      ...['0', '999', '1,000', '262,144', '12,345,678'],
    ]);
    expect([bar(0, 4), bar(0.001, 4), bar(0.5, 4), bar(7, 4)]).toEqual(['----', '#---', '##--', '####']);
    expect(folded('a bb ccc dddd', 5, 2)).toEqual(['a bb', 'ccc …']);
    expect(folded('abcdefgh', 5, 2)).toEqual(['abcd…']);
  });
});
