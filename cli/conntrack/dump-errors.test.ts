import { describe, expect, test } from 'vitest';
import { Labels } from './labels.ts';
import { readDump } from './read-dump.ts';

const WORLD = { say: () => undefined, labels: new Labels(() => undefined) };
const LINE =
  'udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=1 mark=0 use=1';
const JSON_LINE =
  '{"v":1,"id":1,"family":"ipv4","protonum":17,"timeout":29,"original":{"src":"10.0.0.1","dst":"10.0.0.2"},"reply":{"src":"10.0.0.2","dst":"10.0.0.1"},"status":[]}';

const read = (text: string) => readDump('f', text, 0, WORLD);

describe('a dump with something wrong is refused with its place', () => {
  test.each([
    ['a line of something else', `${LINE}\nhello world\n`, 'f:2:7: this is no line of a flow'],
    [
      'a line that is cut off',
      `${LINE}\n${LINE.slice(0, 70)}\n`,
      'f:2:70: the line ends before both directions',
    ],
    ['an address that is none', LINE.replace('10.0.0.2', '10.0.0.300'), "f:1:29: '10.0.0.300' is no address"],
    ['a port that is none', LINE.replace('dport=53', 'dport=x'), "f:1:50: 'dport' is no number: 'x'"],
    ['an unknown field', LINE.replace('mark', 'march'), "'march' is no field of a flow"],
    ['a protocol by the wrong name', LINE.replace('udp ', 'tcp '), 'f:1:1: protocol 17 is udp, not tcp'],
    ['a word that objects have', `${LINE} constructor`, "'constructor' is no field of a flow"],
    ['what a terminal would obey', `${LINE} \x1b]0;x`, "'\u241b]0;x' is no field"],
    ['an event', `    [NEW] ${LINE}`, 'f:1:5: this is an event, not a flow'],
    ['JSON that is none', `${JSON_LINE}\n{"v":1,`, 'f:2:'],
    [
      'a JSON field that is not what it has to be',
      JSON_LINE.replace('"timeout":29', '"timeout":"x"'),
      "field 'timeout': expected a number",
    ],
    ['a JSON tuple of another family', JSON_LINE.replace('ipv4', 'ipv6'), "field 'original': expected src"],
    [
      'a saved line with a wrong option',
      '-A -t 5 -p udp -s 1.1.1.1 --foo\n',
      "f:1:1: unknown option `--foo'",
    ],
    [
      'a saved line without a reply',
      '-A -t 5 -u UNSET -s 1.1.1.1 -d 1.1.1.2 -p 99\n',
      'f:1:1: a flow needs -s and -d',
    ],
    ['a saved event', '-D -s 1.1.1.1\n', 'f:1:1: -D is no flow of a table'],
    ['XML of something else', '<html></html>', 'f:1:1: <html> is no dump'],
    ['XML with a tag that does not end', '<conntrack>\n<flow', 'f:2:1: the tag has no end'],
    [
      'XML without an address',
      '<conntrack>\n <flow><meta direction="original"/></flow></conntrack>',
      'f:2:2: <flow> has no <meta direction="reply">',
    ],
    ['an XML event', '<conntrack>\n<flow type="new"></flow></conntrack>', 'f:2:1: this is an event'],
    [
      'an expectation that is cut off',
      '299 proto=6 src=10.0.0.1 dst=10.0.0.2\n',
      'the line ends before the tuples',
    ],
    [
      'an expectation of no protocol',
      '299 l3proto = 2 src=1.1.1.1 dst=1.1.1.2\n',
      "f:1:1: the line has no 'proto=NUMBER'",
    ],
    [
      'JSON labels that are no numbers',
      JSON_LINE.replace('"status"', '"labels":["x"],"status"'),
      "field 'labels': expected numbers",
    ],
    ['bytes', 'a\0b', 'f:1:1: this is no text'],
  ])('%s', (_name, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test('text of any kind never ends in another error', () => {
    const bits = [
      LINE,
      JSON_LINE,
      '<conntrack>',
      '<flow>',
      '-A -t 5',
      '299 proto=6 src=1.1.1.1',
      '\0',
      '=',
      '[x',
    ];
    for (const a of bits)
      for (const b of bits)
        for (const text of [`${a}${b}`, `${a}\n${b}`, a.slice(0, a.length >> 1) + b]) {
          try {
            read(text);
          } catch (error) {
            expect((error as Error).name).toBe('UsageError');
          }
        }
  });
});

describe('what else may stand in a dump', () => {
  test('is the line that sums up, and empty lines', () => {
    const text = `conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n\n${LINE}\n`;
    expect(read(text).entries).toHaveLength(1);
  });

  test('is nothing at all', () => {
    expect(read('').entries).toEqual([]);
    expect(read('<?xml version="1.0"?>\n<conntrack>\n</conntrack>\n').entries).toEqual([]);
  });
});
