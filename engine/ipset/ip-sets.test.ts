import { describe, expect, test } from 'vitest';
import { IpSets } from './ip-sets.ts';

function loaded(text: string): IpSets {
  const sets = new IpSets(1);
  const errors = sets.restore({ name: 'sets', text });
  expect(errors.map((e) => e.message)).toEqual([]);
  return sets;
}

function elements(sets: IpSets): string[] {
  return sets
    .save()
    .split('\n')
    .filter((l) => l.startsWith('add'));
}

describe('a full set whose elements end', () => {
  test('has room again as soon as one has ended, and not before', () => {
    const sets = loaded('create a hash:ip timeout 10 maxelem 2\n');
    const add = (ip: string, now: number): string => {
      try {
        sets.command(['add', 'a', ip], now);
        return 'added';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const full = 'hash is full, cannot add more elements';
    sets.begin(1000);
    expect([add('1.1.1.1', 1000), add('1.1.1.2', 5000)]).toEqual(['added', 'added']);
    expect([add('1.1.1.3', 10_000), add('1.1.1.3', 11_000)]).toEqual([full, full]);
    expect([add('1.1.1.3', 11_001), add('1.1.1.4', 14_000), add('1.1.1.4', 15_001)]).toEqual([
      'added',
      full,
      'added',
    ]);
    sets.command(['flush', 'a'], 15_002);
    expect([add('1.1.1.5', 15_003), add('1.1.1.6', 15_003), add('1.1.1.7', 15_004)]).toEqual([
      'added',
      'added',
      full,
    ]);
  });

  test('whose elements begin with the first packet, too', () => {
    const sets = loaded('create a hash:ip timeout 10 maxelem 1\nadd a 1.1.1.1\n');
    expect(() => sets.command(['add', 'a', '1.1.1.2'])).toThrow('hash is full');
    sets.begin(50_000);
    expect(() => sets.command(['add', 'a', '1.1.1.2'], 60_000)).toThrow('hash is full');
    sets.command(['add', 'a', '1.1.1.2'], 60_001);
    expect(elements(sets)).toEqual([expect.stringContaining('1.1.1.2')]);
  });
});

describe('ipset restore', () => {
  test('refuses a range of one port and an empty comment, and suggests no word that stands there', () => {
    const text =
      'create a bitmap:port range 5\ncreate b hash:ip comment\nadd b 1.2.3.4 comment ""\nadd b 1.2.3.4 nomatch\n';
    expect(new IpSets(1).restore({ name: 's', text }).map((e) => e.message)).toEqual([
      expect.stringContaining("mandatory option 'to' is missing"),
      expect.stringContaining("missing mandatory argument of option 'comment'"),
      expect.stringMatching(/unknown argument 'nomatch'$/),
    ]);
  });

  test('knows no option by the names that every object of JavaScript has', () => {
    const text = 'create a hash:ip\nadd a 1.2.3.4 constructor x\nadd a 1.2.3.4 toString x\n';
    expect(new IpSets(1).restore({ name: 's', text }).map((e) => e.message)).toEqual([
      expect.stringContaining("unknown argument 'constructor'"),
      expect.stringContaining("unknown argument 'toString'"),
    ]);
  });

  test('counts a comment’s bytes, not its letters', () => {
    const add = (i: number, letters: number): string => `add a 1.2.3.${i} comment "${'é'.repeat(letters)}"\n`;
    const errors = new IpSets(1).restore({
      name: 's',
      text: `create a hash:ip comment\n${add(1, 127)}${add(2, 128)}`,
    });
    expect(errors.map((e) => e.message)).toEqual([expect.stringContaining('s:3:')]);
  });

  test('names the place of each mistake of a file, and a near word', () => {
    const text = `create a hash:ip
creat b hash:foo
create c hash:nett
add a 10.0.0.300
add aa 10.0.0.1
add a 10.0.0.1 timeout 5
add a 10.0.0.1 comennt "x"
add a "10.0.0.1
`;
    const errors = new IpSets(1).restore({ name: 'my.ipset', text });
    expect(errors.map((e) => e.message)).toEqual([
      "my.ipset:2:9: typename 'hash:foo' is unknown",
      "my.ipset:3:10: typename 'hash:nett' is unknown (did you mean 'hash:net'?)",
      'my.ipset:4:7: cannot parse 10.0.0.300: it is no IPv4 address (host names are not resolved)',
      'my.ipset:5:5: the set with the given name does not exist',
      'my.ipset:6:16: timeout cannot be used: set was created without timeout support',
      "my.ipset:7:16: unknown argument 'comennt' (did you mean 'comment'?)",
      'my.ipset:8:1: missing close quote',
    ]);
  });

  test('takes what it saves and saves it again', () => {
    const sets = loaded(`create a hash:net,port family inet6 counters comment timeout 100
add a fe80::/64,udp:53 timeout 5 packets 7 bytes 70 comment "a b" nomatch
create l list:set
add l a
create m hash:mac
add m 00:11:22:33:44:55
create k hash:ip,mark markmask 0xff
add k 10.0.0.1,0x1ff
create n hash:net,net
add n 10.0.0.0/8,192.168.0.0/16
create p hash:net,port,net
add p 0.0.0.0/0,80,10.0.0.0/8
create q hash:ip,mac
add q 10.0.0.1,00:11:22:33:44:55
`);
    const text = sets.save();
    expect(loaded(text).save()).toBe(text);
    expect(text).toContain('add a fe80::/64,udp:domain'.replace('domain', '53'));
    expect(text).toContain('add k 10.0.0.1,0x000000ff');
  });

  test('lists of sets are saved behind the sets that they hold', () => {
    const names = loaded('create l list:set\ncreate a hash:ip\nadd l a\n').names();
    expect(names).toEqual(['a', 'l']);
  });
});

describe('ipset commands', () => {
  test('swapping exchanges what two names hold, and a list goes on holding the name', () => {
    const sets = loaded(
      'create a hash:ip\nadd a 1.1.1.1\ncreate b hash:ip\ncreate l list:set\nadd l a\nswap a b\n',
    );
    expect(elements(sets)).toEqual(['add b 1.1.1.1', 'add l a']);
  });

  test('a set that a list holds can be neither destroyed nor renamed', () => {
    const sets = loaded('create a hash:ip\ncreate l list:set\nadd l a\n');
    expect(() => sets.command(['destroy', 'a'])).toThrow('in use');
    expect(() => sets.command(['rename', 'a', 'b'])).toThrow('in use');
    sets.command(['flush', 'l']);
    sets.command(['destroy', 'a']);
    expect(sets.names()).toEqual(['l']);
  });

  test.each([
    ['create b bitmap:ip range 1.2.3.0/24 netmask 24', 'out of the range'],
    ['add a 1.1.1.1,tcp:080', 'invalid'],
    ['destroy a b', 'unknown argument b'],
    ['swap a a x', 'unknown argument x'],
    ['add l s before t after t', 'exclude each other'],
  ])('refuses, as ipset 7.17 does: %s', (line, message) => {
    const sets = loaded(
      'create a hash:ip,port\ncreate s hash:ip\ncreate t hash:ip\ncreate l list:set\nadd l t\n',
    );
    expect(() => sets.command(line.split(' '))).toThrow(message);
  });

  test('takes, as ipset 7.17 does, a set of other sizes for the same, and marks with odd masks', () => {
    const sets = loaded(
      'create a hash:ip skbinfo\nadd a localhost skbmark 0x5/0 skbprio 10000:1x\nadd a 1.1.1.2 skbmark 0x5/5\n',
    );
    sets.command('create -exist a hash:ip skbinfo hashsize 2048 bucketsize 4 forceadd'.split(' '));
    expect(sets.save()).toContain('add a 127.0.0.1 skbmark 0x5 skbprio 0:1\nadd a 1.1.1.2 skbmark 0x5/0x5\n');
  });

  test('test looks for an address in the networks, the most specific first, exceptions left out', () => {
    const sets = loaded(
      'create a hash:net\nadd a 10.0.0.0/8\nadd a 10.1.0.0/16 nomatch\nadd a 10.1.2.0/24\n',
    );
    const found = (ip: string): boolean => sets.command(['test', 'a', ip]).found;
    expect(['10.2.0.1', '10.1.0.1', '10.1.2.1', '11.0.0.1'].map(found)).toEqual([true, false, true, false]);
  });

  test('an element ends when its time is over, and is then free to be added again', () => {
    const sets = new IpSets(1);
    sets.command(['create', 'a', 'hash:ip', 'timeout', '10'], 1000);
    sets.command(['add', 'a', '1.1.1.1'], 1000);
    expect(sets.command(['test', 'a', '1.1.1.1'], 11_000).found).toBe(true);
    expect(sets.command(['test', 'a', '1.1.1.1'], 11_001).found).toBe(false);
    sets.command(['add', 'a', '1.1.1.1', 'timeout', '0'], 11_001);
    expect(sets.save(11_001)).toContain('add a 1.1.1.1 timeout 0\n');
  });

  test('timeouts of a file begin with the first packet', () => {
    const sets = loaded('create a hash:ip timeout 10\nadd a 1.1.1.1\n');
    sets.begin(1_700_000_000_000);
    expect(sets.command(['test', 'a', '1.1.1.1'], 1_700_000_009_000).found).toBe(true);
    expect(sets.command(['test', 'a', '1.1.1.1'], 1_700_000_011_000).found).toBe(false);
  });

  test('a range of a hash of networks becomes the networks that cover it', () => {
    const sets = loaded('create a hash:net\nadd a 10.0.0.1-10.0.0.10\n');
    expect(elements(sets)).toEqual([
      'add a 10.0.0.1',
      'add a 10.0.0.2/31',
      'add a 10.0.0.4/30',
      'add a 10.0.0.8/31',
      'add a 10.0.0.10',
    ]);
  });

  test('a full hash refuses more, or with forceadd lets another element go', () => {
    const sets = loaded('create a hash:ip maxelem 2\nadd a 1.1.1.1\nadd a 1.1.1.2\n');
    expect(() => sets.command(['add', 'a', '1.1.1.3'])).toThrow('hash is full');
    const other = loaded(
      'create a hash:ip maxelem 2 forceadd\nadd a 1.1.1.1\nadd a 1.1.1.2\nadd a 1.1.1.3\n',
    );
    expect(elements(other).length).toBe(2);
  });

  test('an endless range is refused at once', () => {
    const sets = loaded('create a hash:ip\n');
    expect(() => sets.command(['add', 'a', '0.0.0.1/0'])).toThrow('too many');
  });
});
