import { describe, expect, test } from 'vitest';
import { viewOf } from './build-bytes.ts';
import { icmp } from './build-icmp.ts';
import { icmpCode, icmpCodeName, icmpId, icmpSequence, icmpType, icmpTypeName, isIcmpError } from './icmp.ts';
import { icmpv6CodeName, icmpv6TypeName, isIcmpv6Error } from './icmpv6.ts';

describe('ICMP', () => {
  test('fields are where RFC 792 has them', () => {
    const view = viewOf(icmp({ type: 13, code: 2, id: 0xfffe, seq: 0x8001 }));
    expect([icmpType(view, 0), icmpCode(view, 0)]).toEqual([13, 2]);
    expect([icmpId(view, 0), icmpSequence(view, 0)]).toEqual([0xfffe, 0x8001]);
  });

  test('types have names, and those without one their number', () => {
    expect(icmpTypeName(0)).toBe('echo reply');
    expect(icmpTypeName(8)).toBe('echo request');
    expect(icmpTypeName(18)).toBe('address mask reply');
    expect([1, 7, 19, 42, 255].map(icmpTypeName)).toEqual([
      'type 1',
      'type 7',
      'type 19',
      'type 42',
      'type 255',
    ]);
  });

  test('codes of unreachable and time exceeded have names, others that of their type', () => {
    expect(icmpCodeName(3, 0)).toBe('net unreachable');
    expect(icmpCodeName(3, 3)).toBe('port unreachable');
    expect(icmpCodeName(3, 13)).toBe('administratively prohibited');
    expect(icmpCodeName(3, 99)).toBe('destination unreachable');
    expect(icmpCodeName(11, 0)).toBe('time exceeded');
    expect(icmpCodeName(11, 1)).toBe('reassembly time exceeded');
    expect(icmpCodeName(8, 3)).toBe('echo request');
  });

  test('errors are the five types that quote a packet', () => {
    const errors = Array.from({ length: 256 }, (_, type) => type).filter(isIcmpError);
    expect(errors).toEqual([3, 4, 5, 11, 12]);
  });
});

describe('ICMPv6', () => {
  test('types have names, and those without one their number', () => {
    expect(icmpv6TypeName(128)).toBe('echo request');
    expect(icmpv6TypeName(135)).toBe('neighbour solicitation');
    expect(icmpv6TypeName(200)).toBe('type 200');
  });

  test('codes of unreachable and time exceeded have names, others that of their type', () => {
    expect(icmpv6CodeName(1, 4)).toBe('port unreachable');
    expect(icmpv6CodeName(1, 99)).toBe('destination unreachable');
    expect(icmpv6CodeName(3, 1)).toBe('reassembly time exceeded');
    expect(icmpv6CodeName(2, 0)).toBe('packet too big');
  });

  test('errors are the types of the lower half', () => {
    expect([0, 1, 100, 127, 128, 137, 255].map(isIcmpv6Error)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
