import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNftJson } from './json-read.ts';
import { readCorpus } from './parse-corpus.mts';
import { NftRuleset } from './ruleset.ts';

function errorsOf(text: string): string[] {
  return parseNftJson({ name: 'f', text }).errors.map(({ at, message }) => {
    return `${at.line}:${at.col} ${message.replace(/^f:\d+:\d+: /, '')}`;
  });
}

/** A document with the given commands. */
function nftables(...commands: string[]): string {
  return `{"nftables": [${commands.join(', ')}]}`;
}

const TABLE = '{"table": {"family": "ip", "name": "t"}}';
const CHAIN = '{"chain": {"family": "ip", "table": "t", "name": "c"}}';

function rule(...exprs: string[]): string {
  return `{"rule": {"family": "ip", "table": "t", "chain": "c", "expr": [${exprs.join(', ')}]}}`;
}

describe('reading nft -j', () => {
  test('what is listed as JSON reads back to the same listing', () => {
    const lists = new Map<string, string>();
    for (const { text, answer } of readCorpus()) {
      const made = new NftRuleset();
      if (answer === 'taken' && made.load({ name: 'f', text }).length === 0 && made.list() !== '') {
        lists.set(made.list(), made.listJson());
      }
    }
    expect(lists.size).toBeGreaterThan(200);
    const different: unknown[] = [];
    for (const [list, json] of lists) {
      const again = new NftRuleset();
      const errors = again.loadJson({ name: 'j', text: json });
      if (errors.length > 0 || again.list() !== list) {
        different.push({ list, errors: errors.map((error) => error.message), again: again.list() });
      }
    }
    // JSON of nft 1.0.6 says nothing of typeof, auto-merge, the flag dynamic, comments of chains, maps to intervals,
    // devices, chains without a name.
    const known =
      /hook [ie]n?gress|(jump|goto) \{|typeof|auto-merge|dynamic|comment|interval ipv4|limit rate.*counter|last-entry|addr\[|sid\[/;
    expect(different.filter((one) => !known.test(JSON.stringify(one)))).toEqual([]);
  });

  test('takes what nft lists oddly: signs of large numbers, the one name of a field, the first statement of an element', () => {
    const made = new NftRuleset();
    const masked = '{"&": [{"payload": {"base": "nh", "offset": 96, "len": 64}}, -16777216]}';
    const set =
      '{"set": {"family": "ip", "table": "t", "name": "s", "type": "ipv4_addr", "stmt": [{"counter": null}, ' +
      '{"quota": {"val": 5, "val_unit": "bytes"}}], "elem": [{"elem": {"val": "1.1.1.1", "counter": {"packets": 0, "bytes": 0}}}]}}';
    const text = nftables(
      TABLE,
      CHAIN,
      set,
      rule(`{"match": {"op": "==", "left": ${masked}, "right": 16777216}}`),
      rule(
        '{"match": {"op": "==", "left": {"payload": {"protocol": "icmpv6", "field": "parameter-problem"}}, "right": 5}}',
      ),
    );
    expect(made.loadJson({ name: 'f', text })).toEqual([]);
    expect(made.list()).toContain('elements = { 1.1.1.1 counter packets 0 bytes 0 quota 5 bytes }');
    expect(made.list()).toContain('@nh,96,64 & 0xffffffffff000000 == 0x1000000');
    expect(made.list()).toContain('icmpv6 parameter-problem 5');
  });

  test('of a later schema is refused', () => {
    const said = errorsOf(nftables('{"metainfo": {"json_schema_version": 2}}'));
    expect(said).toEqual(['1:52 Schema version 2 not supported, maximum supported version is 1']);
  });

  test('commands do as their words say', () => {
    const made = new NftRuleset();
    const text = nftables(
      ...[
        '{"metainfo": {"version": "1.0.6"}}',
        `{"add": ${TABLE}}`,
        `{"create": ${CHAIN}}`,
        `{"add": ${rule('{"accept": null}')}}`,
      ],
      `{"insert": ${rule('{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": ["ssh", {"range": [80, 90]}]}}}', '{"drop": null}')}}`,
      '{"add": {"set": {"family": "ip", "table": "t", "name": "s", "type": ["ipv4_addr", "inet_service"]}}}',
      '{"add": {"element": {"family": "ip", "table": "t", "name": "s", "elem": [{"concat": ["1.1.1.1", 22]}]}}}',
    );
    const rename = '{"rename": {"chain": {"family": "ip", "table": "t", "name": "c", "newname": "d"}}}';
    expect(made.loadJson({ name: 'f', text })).toEqual([]);
    expect(made.loadJson({ name: 'f', text: nftables(rename) })).toEqual([]);
    expect(made.list()).toBe(`table ip t {
	set s {
		type ipv4_addr . inet_service
		elements = { 1.1.1.1 . 22 }
	}

	chain d {
		tcp dport { 22, 80-90 } drop
		accept
	}
}
`);
    expect(made.loadJson({ name: 'f', text: nftables('{"flush": {"ruleset": null}}') })).toEqual([]);
    expect(made.list()).toBe('');
  });

  test('numbers beyond 2^53 stay exact', () => {
    const made = new NftRuleset();
    const counter =
      '{"counter": {"family": "ip", "table": "t", "name": "n", "packets": 1, "bytes": 18446744073709551615}}';
    expect(made.loadJson({ name: 'f', text: nftables(TABLE, counter) })).toEqual([]);
    expect(made.list()).toContain('packets 1 bytes 18446744073709551615');
  });

  test.each([
    ['[]', '1:1 the text is an object'],
    ['{"nft": []}', '1:1 the text needs "nftables" (instead of "nft"?)'],
    ['{"nftables": {}}', '1:14 "nftables" is an array'],
    [nftables('{"tabel": {}}'), '1:15 unknown object "tabel" (did you mean "table"?)'],
    [nftables('{"table": {"name": "t"}}'), '1:25 table needs "family"'],
    [
      nftables('{"table": {"family": "ipx", "name": "t"}}'),
      '1:36 unknown "family" of table "ipx" (did you mean "ip"?)',
    ],
    [nftables('{"table": {"family": "ip", "name": 5}}'), '1:50 "name" is a string'],
    [nftables(rule('{"ct count": {"val": -5}}')), '1:99 "val" is below 0'],
    [nftables(rule('{"acept": null}')), '1:88 unknown statement "acept" (did you mean "accept"?)'],
    [nftables(rule('{"match": {"left": 1, "right": 1}}')), '1:88 match needs "op"'],
    [
      nftables(
        rule(
          '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dprt"}}, "right": 1}}',
        ),
      ),
      '1:150 unknown field of tcp "dprt" (did you mean "dport"?)',
    ],
    [
      '{"nftables": [\n {"table": {"family": "ip", "name": "t",}}]}',
      "2:41 expected a string with its closing quote, found '}'",
    ],
    ['{"nftables": [', '1:14 expected a value, found the end of the text'],
    ['{"nftables": [1.5]}', "1:18 expected a whole number, found ']'"],
  ])('%s', (text, expected) => {
    expect(errorsOf(text)).toEqual([expected]);
  });

  test('each wrong command is an error of its own', () => {
    expect(
      errorsOf(nftables(rule('{"foo": null}'), '{"x": 1}', rule('{"accept": null}'), '{"y": 1}')),
    ).toHaveLength(3);
  });

  test('any JSON, and any text like it, gives errors and nothing else', () => {
    const text = readCorpus()
      .filter(({ answer }) => answer === 'taken')
      .map((one) => {
        const made = new NftRuleset();
        made.load({ name: 'f', text: one.text });
        return made.listJson();
      });
    fc.assert(
      fc.property(fc.constantFrom(...text), fc.nat(), fc.string({ maxLength: 3 }), (json, place, more) => {
        const i = place % json.length;
        parseNftJson({ name: 'f', text: json.slice(0, i) + more + json.slice(i + (more.length % 2)) });
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        parseNftJson({ name: 'f', text: nftables(json) });
        parseNftJson({ name: 'f', text: nftables(rule(json)) });
      }),
    );
    expect(errorsOf('['.repeat(100_000))).toHaveLength(1);
  });
});
