import { describe, expect, test } from 'vitest';
import { Packet } from '../packet/packet.ts';
import * as reasons from './reason.ts';
import { REASONS, reasonOf } from './reason.ts';
import { reasonText } from './reason-text.ts';

const constants: readonly number[] = Object.entries(reasons)
  .filter(([name]) => name.startsWith('R_'))
  .map(([, id]) => id as number);
const specs = (text: string): string[] => text.match(/%[a-z]/g) ?? [];

describe('reasons', () => {
  test('have a number and a name that no other has', () => {
    expect(new Set(REASONS.map((r) => r.id)).size).toBe(REASONS.length);
    expect(new Set(REASONS.map((r) => r.name)).size).toBe(REASONS.length);
  });

  test('are as many as there are R_ constants, each of which has its own', () => {
    expect(constants.length).toBeGreaterThan(80);
    expect(constants.toSorted((a, b) => a - b)).toEqual(REASONS.map((r) => r.id).sort((a, b) => a - b));
  });

  test.each(REASONS)('$name ($id) is written so that scripts can rely on it', (reason) => {
    expect(reason.id).toBeGreaterThan(0);
    expect(reason.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(reason.text).not.toBe('');
    expect(reason.text).not.toMatch(/\.$/);
  });

  test.each(REASONS)('$name ($id) fills every operand of its text, and a packet can carry them', (reason) => {
    const wanted = specs(reason.text);
    expect(wanted.every((spec) => ['%u', '%x', '%a', '%s'].includes(spec))).toBe(true);
    expect(wanted.length).toBeLessThanOrEqual(new Packet().operands.length);
    expect(reasonText(reason.id, [1, 2, 3, 4])).not.toMatch(/%|undefined|NaN/);
  });

  test.each(REASONS)('$name ($id) has words exactly if its text asks for one', (reason) => {
    expect((reason.words?.length ?? 0) > 0).toBe(specs(reason.text).includes('%s'));
  });
});

describe('reasonText', () => {
  test('prints %u as an unsigned 32-bit number, also from an int32', () => {
    expect(reasonText(reasons.R_LINK_UNKNOWN, [147])).toBe('unknown link type 147');
    expect(reasonText(reasons.R_LINK_UNKNOWN, [-1])).toBe('unknown link type 4294967295');
    expect(reasonText(reasons.R_LINK_UNKNOWN, [0xffffffff])).toBe('unknown link type 4294967295');
  });

  test('prints %x with at least four digits, unsigned also from an int32', () => {
    expect(reasonText(reasons.R_NOT_IP, [0x806])).toBe('not IP: ethertype 0x0806');
    expect(reasonText(reasons.R_NOT_IP, [-2])).toBe('not IP: ethertype 0xfffffffe');
  });

  test('prints %a as an IPv4 address, also from an int32', () => {
    expect(reasonText(reasons.R_ICMP_OUTER, [0x0a000001, -2])).toBe(
      'outer daddr 10.0.0.1 != inner 255.255.255.254',
    );
  });

  test('takes operands in the order of the text, and missing ones as 0', () => {
    expect(reasonText(reasons.R_IP_LENGTH, [1500, 96])).toContain('IP length 1500 but only 96 bytes');
    expect(reasonText(reasons.R_IP_LENGTH, [])).toContain('IP length 0 but only 0 bytes');
  });

  test('names a TCP state, and prints one that it has no name for as a number', () => {
    expect(reasonText(reasons.R_TCP_INVALID, [2, 0, 3])).toContain('state ESTABLISHED');
    expect(reasonText(reasons.R_TCP_INVALID, [2, 0, 77])).toContain('state 77');
  });

  test('has nothing to say about a number that is no reason', () => {
    expect(() => reasonOf(0)).toThrow(RangeError);
    expect(() => reasonText(12_345, [])).toThrow('12345');
  });
});

describe('writeReason', () => {
  test('prints limits of more than 32 bits as they are', () => {
    expect(reasonText(reasons.R_FRAG_MEMORY, [2 ** 40])).toContain('limit 1099511627776 bytes');
  });

  test.each(REASONS.map((r) => [r.name, r] as const))('%s needs no escapes in JSON', (_, reason) => {
    const text = reasonText(reason.id, [1, 2, 3, 4]);
    expect(JSON.stringify(text)).toBe(`"${text}"`);
  });
});
