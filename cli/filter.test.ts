import { SourceError } from '@keepstate/engine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter, filterErrorText } from './filter.ts';
import { Subject, subjectOfFlow } from './filter-subject.ts';
import { goldenFlow } from './testing/golden-flow.ts';

function subject(line: string, more: Partial<Subject> = {}): Subject {
  const s = new Subject();
  subjectOfFlow(goldenFlow(line), s);
  return Object.assign(s, more);
}

const WEB = subject(
  'tcp 6 431999 ESTABLISHED src=10.1.2.3 dst=192.0.2.80 sport=40000 dport=443 src=192.0.2.80 dst=10.1.2.3 sport=443 dport=40000 [ASSURED] mark=7 use=1 id=12',
);
const DNS6 = subject(
  'udp 17 29 src=fd00:1::2 dst=fd00:2::53 sport=5000 dport=53 [UNREPLIED] src=fd00:2::53 dst=fd00:1::2 sport=53 dport=5000 mark=0 use=1',
);
const PING = subject(
  'icmp 1 29 src=10.1.2.3 dst=10.9.9.9 type=8 code=0 id=77 [UNREPLIED] src=10.9.9.9 dst=10.1.2.3 type=0 code=0 id=77 mark=0 use=1',
);

function matches(expression: string): string {
  const filter = compileFilter(expression, 'flow');
  return [filter(WEB) ? 'web' : '', filter(DNS6) ? 'dns6' : '', filter(PING) ? 'ping' : '']
    .filter(Boolean)
    .join(' ');
}

describe('a filter', () => {
  test.each([
    ['tcp', 'web'],
    ['ICMP', 'ping'],
    ['ipv6', 'dns6'],
    ['src 10.0.0.0/8', 'web ping'],
    ['src 10.1.2.3', 'web ping'],
    ['dst 10.9.0.0/16', 'ping'],
    ['host 192.0.2.80', 'web'],
    ['192.0.2.80', 'web'],
    ['10.0.0.0/8', 'web ping'],
    ['0.0.0.0/0', 'web ping'],
    ['::/0', 'dns6'],
    ['dst fd00:2::/32', 'dns6'],
    ['src fd00:1::/33', 'dns6'],
    ['src fd00:1:8000::/33', ''],
    ['10.1.2.0/25', 'web ping'],
    ['10.1.2.128/25', ''],
    ['dport 443', 'web'],
    ['port 53', 'dns6'],
    ['port 53,443', 'web dns6'],
    ['sport 4999-40000', 'web dns6'],
    ['proto 17', 'dns6'],
    ['proto icmp,tcp', 'web ping'],
    ['type 8', 'ping'],
    ['code 0', 'ping'],
    ['mark 7', 'web'],
    ['mark 0x7', 'web'],
    ['flow 12', 'web'],
    ['state ESTABLISHED', 'web'],
    ['state established,time_wait', 'web'],
    ['status ASSURED', 'web'],
    ['status UNREPLIED', 'dns6 ping'],
    ['status SEEN_REPLY', 'web'],
    ['not tcp', 'dns6 ping'],
    ['! tcp', 'dns6 ping'],
    ['not not tcp', 'web'],
    ['tcp or udp and port 53', 'web dns6'],
    ['(tcp or udp) and port 53', 'dns6'],
    ['not (tcp or udp)', 'ping'],
    ['not tcp and not udp', 'ping'],
    ['tcp && dport 443 || icmp', 'web ping'],
    ['src 10.0.0.0/8 and tcp and dport 443 and state ESTABLISHED', 'web'],
    ['((((tcp))))', 'web'],
  ])('%s matches: %s', (expression, expected) => {
    expect(matches(expression)).toBe(expected);
  });

  test('on packets knows number, ct state, verdict and reason', () => {
    const invalid = subject(
      'tcp 6 0 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1',
      {
        ctstate: 'INVALID',
        reason: 'tcp-new',
        verdict: 'drop',
        packet: 5,
      },
    );
    for (const yes of [
      'ctstate INVALID',
      'ctstate new,invalid',
      'verdict drop,reject',
      'reason tcp-new',
      'packet 1-5',
    ]) {
      expect(compileFilter(yes, 'packet')(invalid), yes).toBe(true);
    }
    for (const no of ['ctstate NEW', 'verdict accept', 'reason tcp-flags', 'packet 6-9']) {
      expect(compileFilter(no, 'packet')(invalid), no).toBe(false);
    }
  });

  test('never matches a number that the packet does not have', () => {
    const filter = compileFilter('port 0-65535 or type 0-255 or mark 0-4294967295 or flow 0', 'packet');
    expect(filter(new Subject())).toBe(false);
  });
});

describe('a mistake in a filter', () => {
  test.each([
    ['src 10.0.0.0/8 and sprot 80', 20, "unknown word 'sprot' (did you mean 'sport'?)"],
    ['ip saddr 10.0.0.1', 1, "unknown word 'ip' (did you mean 'ipv4'?)"],
    ['daddr 10.0.0.1', 1, "unknown word 'daddr' (did you mean 'dst'?)"],
    ['constructor', 1, "unknown word 'constructor'"],
    ['tcp udp', 5, "expected 'and' or 'or' before 'udp'"],
    ['tcp and', 8, 'the expression ends too early'],
    ['', 1, 'the expression is empty'],
    ['(tcp or udp', 1, "'(' is never closed"],
    ['tcp)', 4, "')' without '('"],
    ['and tcp', 1, "unexpected 'and'"],
    ['src', 4, "'src' needs a value"],
    ['src and tcp', 5, "'src' needs a value, not 'and'"],
    ['src 10.0.0.0/33', 5, "'10.0.0.0/33' is no address or network such as 10.0.0.0/8 or fd00::/8"],
    ['port 80,70000', 9, "'70000' is no port: expected 0 to 65535, or a range such as 1-9"],
    ['port http', 6, "'http' is no port: expected 0 to 65535, or a range such as 1-9"],
    ['port 90-80', 6, "range '90-80' is the wrong way round"],
    ['state INVALID', 7, "'INVALID' is no state (did you mean 'ctstate INVALID'?)"],
    ['state ESTABLISHD', 7, "'ESTABLISHD' is no state (did you mean 'ESTABLISHED'?)"],
    ['ASSURED', 1, "unknown word 'ASSURED' (did you mean 'status ASSURED'?)"],
    ['ctstate NOW', 9, "'NOW' is no ctstate (did you mean 'NEW'?)"],
    [
      'ctstate SOMETHING',
      9,
      "'SOMETHING' is no ctstate (expected NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED)",
    ],
  ])('%s is told with column %i: %s', (expression, col, message) => {
    let error: unknown;
    try {
      compileFilter(expression, 'packet');
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(SourceError);
    expect((error as SourceError).message).toBe(`--filter:1:${col}: ${message}`);
  });

  test('is more parentheses than the stack could hold, while a long list of words is none', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['not ', ''],
    ] as const) {
      expect(() => compileFilter(`${open.repeat(20_000)}tcp${close.repeat(20_000)}`, 'flow')).toThrow(
        "more than 500 levels of '(' and 'not'",
      );
    }
    const subject = new Subject();
    subject.protonum = 6;
    expect(compileFilter(`${'udp or '.repeat(20_000)}tcp`, 'flow')(subject)).toBe(true);
    expect(compileFilter(`${'tcp and '.repeat(20_000)}(tcp)`, 'flow')(subject)).toBe(true);
  });

  test('is shown with a mark under the place', () => {
    const expression = 'tcp and prot 6';
    expect(() => compileFilter(expression, 'flow')).toThrow();
    try {
      compileFilter(expression, 'flow');
    } catch (e) {
      expect(
        filterErrorText(expression, e as SourceError)
          .split('\n')
          .slice(1),
      ).toEqual(['  tcp and prot 6', '          ^^^^']);
    }
  });

  test('is a ct state where flows are filtered, which have none', () => {
    expect(() => compileFilter('ctstate NEW', 'flow')).toThrow(
      "'ctstate' is of packets: only trace can filter by it",
    );
  });

  test('is always told as such, with a column inside the expression, whatever was written', () => {
    const word = fc.constantFrom(
      'src',
      'port',
      'state',
      'not',
      'and',
      'or',
      '(',
      ')',
      'tcp',
      '10.0.0.0/8',
      '80,',
      '!',
      'x',
      'NEW',
      '&',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, (expression) => {
        try {
          compileFilter(expression, 'packet')(new Subject());
        } catch (error) {
          expect(error).toBeInstanceOf(SourceError);
          const { col } = (error as SourceError).at;
          expect(col >= 1 && col <= expression.length + 1).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
