/** What files of nft's commands leave behind and what is refused in them; all measured with nft 1.0.6 on Linux 6.18. */
import { describe, expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

/** Loads texts one after the other: `LINE:COL MESSAGE` of the last one's first error, or the listing without its spaces. */
function after(...texts: readonly string[]): string {
  const ruleset = new NftRuleset();
  const errors = texts.map((text) => ruleset.load({ name: 'x', text: `${text}\n` }));
  expect(errors.slice(0, -1).flat()).toEqual([]);
  const [error] = errors.at(-1)!;
  if (error !== undefined) return error.message.replace('x:', '').replace(` (${error.hint})`, '');
  return ruleset.list().replaceAll(/\s+/g, ' ').trim();
}

/** The first chain's rules. */
function rulesAfter(...texts: readonly string[]): string {
  const all = after('add table t; add chain t c; add rule t c accept; add rule t c drop', ...texts);
  return /chain c \{ (.*?) ?\}/.exec(all)?.[1] ?? all;
}

/** What stands in the braces of set or map s. */
function setAfter(body: string, ...texts: readonly string[]): string {
  const all = after(`table t { set s { ${body} }; }`, ...texts);
  return /set s \{ (.*) \} \}$/.exec(all)?.[1] ?? all;
}

describe('what can be said once', () => {
  test.each([
    ['table t { comment "a"; comment "b"; }', '1:24: there is a comment already'],
    ['table t { chain c { comment "a"; comment "b"; }; }', '1:34: there is a comment already'],
    ['table t { set s { type mark; comment "a"; comment "b"; }; }', '1:43: there is a comment already'],
    ['table t { counter c { comment "a" comment "b" }; }', '1:35: there is a comment already'],
    [
      'table t { set s { type mark; elements = { 1 comment "a" comment "b" }; }; }',
      '1:57: there is a comment already',
    ],
    [
      'table t { chain c { type filter hook input priority 0; policy drop; policy drop; }; }',
      '1:69: the policy is set already',
    ],
    ['table t { flags dormant,owner; }', "1:24: expected a newline or ';', found ','"],
  ])('%s', (text, error) => {
    expect(after(text)).toBe(error);
  });

  test('but flags of tables add up', () => {
    expect(after('table t { flags owner; flags dormant; }')).toContain('flags dormant,owner');
  });
});

describe('a chain that is renamed', () => {
  test.each([
    ['rename chain t c e; add rule t c return', 'chain e { accept drop return }'],
    ['rename chain t c e; add rule t e return', '1:32: No such file or directory'],
    ['rename chain t c e; rename chain t c f', 'chain f { accept drop }'],
    ['rename chain t c e; add chain t d; rename chain t d e', '1:51: File exists'],
    ['add chain t d; rename chain t c d', '1:31: File exists'],
    ['rename chain t c e; delete chain t c', 'table ip t { }'],
  ])('has its old name until the file ends: %s', (text, expected) => {
    expect(after('add table t; add chain t c; add rule t c accept; add rule t c drop', text)).toContain(
      expected,
    );
  });

  test('leaves its old name to no other in the same file', () => {
    const text = 'rename chain t c e; rename chain t d c';
    expect(after('add table t; add chain t c; add chain t d', text)).toContain('File exists');
  });
});

describe('rules that a file deletes keep their place in it', () => {
  test.each([
    ['delete rule t c handle 2; add rule t c index 0 continue', 'continue drop'],
    ['delete rule t c handle 2; add rule t c index 1 continue', 'drop continue'],
    ['delete rule t c handle 2; add rule t c handle 2 continue', 'continue drop'],
    ['flush chain t c; add rule t c return; add rule t c index 0 continue', 'continue return'],
    ['replace rule t c handle 2 return; add rule t c handle 2 continue', 'return continue drop'],
    ['replace rule t c handle 2 return; add rule t c index 0 continue', 'return continue drop'],
    [
      'add rule t c index 0 continue; delete rule t c handle 2; add rule t c index 1 return; add rule t c index 0 queue',
      'queue to 0 continue return drop',
    ],
  ])('%s', (text, rules) => {
    expect(rulesAfter(text).replace('queue continue', 'queue to 0 continue')).toBe(rules);
  });

  test('in that file only', () => {
    expect(rulesAfter('delete rule t c handle 2', 'add rule t c index 0 return')).toBe('drop return');
  });
});

describe('a set’s declaration', () => {
  test.each([
    ['type ipv4_addr; size 0; elements = { 1.1.1.1 };', 'type ipv4_addr elements = { 1.1.1.1 }'],
    ['type ipv4_addr; size 4294967298;', 'type ipv4_addr size 2'],
    ['type ipv4_addr; timeout 0s; gc-interval 0s;', 'type ipv4_addr'],
    ['type ipv4_addr; flags timeout; timeout 0s;', 'type ipv4_addr flags timeout'],
    ['type ipv4_addr; timeout 1ms;', 'type ipv4_addr timeout 4ms'],
    ['type ipv4_addr; timeout 1003ms; gc-interval 1003ms;', 'type ipv4_addr timeout 1s gc-interval 1s3ms'],
    ['type ipv4_addr; flags constant; size 2;', 'type ipv4_addr flags constant'],
    ['type ecn;', 'type ecn'],
    ['typeof @th,16,16 . ip saddr;', 'typeof th dport . ip saddr'],
    ['typeof exthdr hbh;', 'typeof hbh nexthdr'],
  ])('%s', (body, listing) => {
    expect(setAfter(body)).toBe(listing);
  });

  test.each([
    ['type ipv4_addr; gc-interval 3s;', '1:15: Invalid argument'],
    ['type ct_label;', "1:24: unknown datatype 'ct_label'"],
    ['type string;', "1:15: unqualified type string in a set's definition"],
    ['type mark; counter; quota 5 bytes; limit rate 1/second;', '1:15: Argument list too long'],
    ['typeof meta mark and 0xff;', "1:36: expected a newline or ';', found 'and'"],
    ['typeof (meta mark and 0xff);', '1:26: typeof takes selectors without operations'],
    ['typeof ct original saddr;', "1:15: unqualified type invalid in a set's definition"],
    ['type ipv4_addr; size 1; elements = { 1.1.1.1, 1.1.1.2 };', '1:65: Too many open files in system'],
    [
      'type ipv4_addr; flags interval; size 1; elements = { 1.0.0.0/8, 2.0.0.0/8 };',
      '1:83: Too many open files in system',
    ],
    ['type ifname; flags interval; elements = { "eth0", "eth*" };', '1:61: conflicting intervals specified'],
    ['type ifname; flags interval; elements = { "*" };', '1:61: All-wildcard strings are not supported'],
  ])('%s is refused', (body, error) => {
    expect(setAfter(body)).toBe(error);
  });

  test('of what is joined the size counts the whole', () => {
    const body = 'type ipv4_addr; flags interval; auto-merge; size 1;';
    expect(setAfter(body, 'add element t s { 1.1.1.0, 1.1.1.1 }')).toContain('1.1.1.0/31');
    expect(setAfter(body, 'add element t s { 1.1.1.0, 1.1.1.2 }')).toContain('Too many open files');
  });

  test('what is constant has room for what it was declared with', () => {
    const body = 'type ipv4_addr; flags constant; elements = { 1.1.1.1 };';
    expect(setAfter(body, 'add element t s { 2.2.2.2 }')).toBe('1:19: Too many open files in system');
    expect(setAfter(body, 'delete element t s { 1.1.1.1 }', 'add element t s { 2.2.2.2 }')).toContain(
      '2.2.2.2',
    );
  });

  test('names that begin alike are joined', () => {
    expect(
      setAfter('type ifname; flags interval; auto-merge; elements = { "eth1", "eth10", "eth1*" };'),
    ).toBe('type ifname flags interval auto-merge elements = { "eth1*" }');
    expect(after('table t { chain c { iifname { "eth2*", "eth*", "lo" }; }; }')).toContain(
      'iifname { "eth*", "lo" }',
    );
  });
});

describe('a map', () => {
  test.each([
    ['type ipv4_addr : mark; auto-merge;', '1:42: a map has no auto-merge'],
    ['type ipv4_addr : mark; gc-interval 5s;', '1:42: a map has no gc-interval'],
    ['type mark : ipv4_addr; elements = { 1 : 1.1.1.0/24 };', '1:59: a value of this map is a single one'],
    ['type mark : interval ipv4_addr; elements = { 1 : 1.1.1.1 };', '1:64: Invalid argument'],
    ['type mark : counter; elements = { 1 : "x" };', '1:53: no such counter: x'],
  ])('%s is refused', (body, error) => {
    expect(after(`table t { map m { ${body} }; }`)).toBe(error);
  });

  test('in braces has ranges for all values or for none', () => {
    const rule = 'dnat to tcp dport map { 80 : 1.1.1.1-1.1.1.5, 81 : 2.2.2.2 }';
    const text = `table t { chain c { type nat hook prerouting priority 0; ${rule}; }; }`;
    expect(after(text)).toContain('Invalid argument');
  });

  test('to ranges lists types where it was declared with expressions', () => {
    expect(after('table t { map m { typeof ip saddr : interval ip daddr . tcp dport; }; }')).toContain(
      'type ipv4_addr : interval ipv4_addr . inet_service',
    );
  });

  test('keeps the chains that it leads to', () => {
    const text = 'table t { chain c { }; map m { type mark : verdict; elements = { 1 : jump c }; }; }';
    expect(after(text, 'delete chain t c')).toContain('Device or resource busy');
    expect(after(text, 'flush map t m; delete chain t c')).toContain('type mark : verdict');
  });
});

describe('elements', () => {
  const SET = 'table t { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 }; }; }';

  test.each([
    ['get element t s { 10.1.1.1 }', 'elements'],
    ['get element t s { 11.0.0.0 }', 'No such file or directory'],
    ['get element t s { 10.0.0.0/7 }', 'No such file or directory'],
    ['add element t s { 10.0.0.0/7 }', '1:19: conflicting intervals specified'],
    ['create element t s { 10.0.0.0/8 }', '1:22: File exists'],
    ['delete element t s { 11.0.0.0/8 }', '1:22: No such file or directory'],
  ])('%s', (text, expected) => {
    expect(after(SET, text)).toContain(expected);
  });
});

describe('objects', () => {
  test('a quota that is added again gets its new limit and keeps what is used', () => {
    const first = 'add table t; add quota t q { over 5 bytes used 2 bytes; }';
    expect(after(first, 'add quota t q { 6 bytes; }')).toContain('quota q { 6 bytes used 2 bytes }');
  });

  test('what a file makes it cannot reset', () => {
    expect(after('add table t; add counter t c; reset counter t c')).toContain('No such file or directory');
  });

  test('a flowtable must be there', () => {
    expect(after('table t { chain c { flow add @f; }; }')).toBe('1:21: no flowtable f in table t');
  });

  test.each(['list ct timeout t x', 'list ct timeout table t', 'list hooks netdev device lo'])(
    '%s is a command',
    (text) => {
      expect(after('add table t; add ct timeout t x { protocol tcp; }', text)).toContain('ct timeout x');
    },
  );
});

describe('the devices of a chain', () => {
  const chain = (devices: string): string =>
    `table netdev t { chain c { type filter hook ingress devices = { ${devices} } priority 0; }; }`;

  test('are listed by name', () => {
    expect(after(chain('lo, d1, d0'))).toContain('devices = { d0, d1, lo }');
  });

  test('are named once', () => {
    expect(after(chain('lo, lo'))).toContain('File exists');
  });
});

test('only chains of family netdev are offloaded', () => {
  expect(after('table t { chain c { type filter hook input priority 0; flags offload; }; }')).toContain(
    'Operation not supported',
  );
});

describe('names', () => {
  test.each([
    ['add table bytes; add counter bytes x', '1:30: expected the name of a table'],
    ['table t { counter packets { }; }', '1:19: expected the name of a counter'],
    ['table t { quota used { 5 bytes; }; }', '1:17: expected the name of a quota'],
    ['table t { limit rate { rate 5/second; }; }', '1:17: expected the name of a limit'],
    ['table t { synproxy mss { mss 5 wscale 5; }; }', '1:20: expected the name of a synproxy'],
    ['table t { ct helper saddr { type "ftp" protocol tcp; }; }', '1:21: expected the name of a ct helper'],
  ])('are no keywords of what they name: %s', (text, error) => {
    expect(after(text)).toContain(error);
  });

  test('a backslash continues a line as its last character only', () => {
    expect(after('add table \\\nip t')).toBe('table ip t { }');
    expect(after('add table \\ \nip t')).toMatch(/^1:11: expected/);
  });
});

describe('keywords and truths are no text and no numbers', () => {
  test.each([
    'iifname tcp',
    'iifname { lo, tcp }',
    'iifname redirect',
    'meta mark exists',
    'iifname missing',
  ])('%s is refused', (match) => {
    expect(after(`table t { chain c { ${match}; }; }`)).toContain('datatype mismatch');
  });

  test('in quotes they are', () => {
    expect(after('table t { chain c { iifname "tcp"; ip protocol comp; }; }')).toContain(
      'iifname "tcp" ip protocol ipcomp',
    );
  });
});

describe('variables', () => {
  const chain = (value: string): string =>
    after(`define p = ${value}\ntable t { chain c { type filter hook prerouting priority $p; }; }`);

  test.each([
    ['"filter - 10 "', 'priority filter - 10'],
    ['"raw +5"', 'priority raw + 5'],
    ['"0x10"', 'priority 16'],
    ['-10', 'priority filter - 10'],
    ['filter - 10', '1:12: this variable is a range, no priority'],
    ['"filter-10"', 'this variable is no priority'],
    ['"filter 10"', 'this variable is no priority'],
    ['"+10"', 'this variable is no priority'],
  ])('a priority of %s', (value, expected) => {
    expect(chain(value).replace('priority filter + 16', 'priority 16')).toContain(expected);
  });

  test('an empty set is nothing to compare with', () => {
    expect(after('define a = { }\ntable t { chain c { ip saddr $a; }; }')).toBe('1:12: Set is empty');
    expect(after('define a = { }\ntable t { chain c { ip saddr { $a, 1.1.1.1 }; }; }')).toContain('1.1.1.1');
  });

  test('hold a set with its @, not its name alone', () => {
    const declared = 'table t { set s { type ipv4_addr; }; chain c { ip saddr $a; }; }';
    expect(after(`define a = @s\n${declared}`)).toContain('ip saddr @s');
    expect(after(`define a = s\n${declared.replace('$a', '@$a')}`)).toMatch(
      /^2:58: expected the name of a set/,
    );
  });
});

describe('an element that is added again', () => {
  test('gets the new one’s time and keeps all else', () => {
    const body = 'type mark; flags timeout; elements = { 1 timeout 10s comment "a" };';
    expect(setAfter(body, 'add element t s { 1 timeout 1h }')).toContain('timeout 1h expires 1h comment "a"');
    expect(setAfter(body, 'add element t s { 1 }')).toContain('elements = { 0x00000001 comment "a" }');
  });

  test('in the same command counts alone where the set has intervals', () => {
    const body = 'type inet_service; flags interval;';
    expect(setAfter(body, 'add element t s { 1-9 comment "a", 1-9 }')).toContain('{ 1-9 }');
    expect(setAfter(body, 'add element t s { 1-9, 1-9 comment "a" }')).toContain('{ 1-9 comment "a" }');
  });
});

test('a range alone in braces is listed as a range, not as the prefix that it is', () => {
  const text = 'table t { chain c { ip saddr { 10.0.0.0-10.0.0.255 }; ip saddr { 10.0.0.0/24 }; }; }';
  expect(after(text)).toContain('ip saddr 10.0.0.0-10.0.0.255 ip saddr 10.0.0.0/24');
});

test('what stands for all others is listed behind concatenations', () => {
  const body = 'type ipv4_addr . mark; flags interval; elements = { *, 1.1.1.1 . 1-5 };';
  expect(setAfter(body)).toMatch(/elements = \{ 1\.1\.1\.1 .*, \* \}$/);
});

test.each(['map m { type mark : quota; flags dynamic; }', 'map m { type mark : counter; flags dynamic; }'])(
  'packets cannot change a map to objects: %s',
  (map) => {
    expect(after(`table t { ${map}; }`)).toContain('Operation not supported');
  },
);

test.each(['ct state new', 'meta mark set ct mark', 'ct count 5', 'synproxy mss 5'])(
  'nothing is tracked in families arp and netdev: %s',
  (statement) => {
    for (const family of ['arp', 'netdev'])
      expect(after(`table ${family} t { chain c { ${statement}; }; }`)).toContain('Protocol error');
  },
);
