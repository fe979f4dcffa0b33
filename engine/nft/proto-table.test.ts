import { describe, expect, test } from 'vitest';
import { ctKey } from './key-ct.ts';
import { exthdr, sctpChunk, tcpOption } from './key-exthdr.ts';
import { metaKey } from './key-meta.ts';
import { fibResult, ipsecKey, rtKey } from './key-other.ts';
import { findField, findProtocol, protocolHeaderNames } from './proto-table.ts';
import { findType, IPV6_ADDR, typeNames } from './type-datatype.ts';

describe('headers', () => {
  test('a field stands where RFCs draw it, to the bit', () => {
    expect(findField('ip6', 'dscp')).toMatchObject({ offset: 4, bits: 6 });
    expect(findField('ip', 'ecn')).toMatchObject({ offset: 14, bits: 2 });
    expect(findField('vlan', 'id')).toMatchObject({ offset: 4, bits: 12 });
    expect(findField('dccp', 'type')).toMatchObject({ offset: 67, bits: 4 });
    expect(findField('tcp', 'nosuch')).toBeNull();
    expect(findField('nosuch', 'dport')).toBeNull();
  });

  test('no field reaches beyond its header, and none overlaps the one before it but by another name', () => {
    for (const name of protocolHeaderNames()) {
      const { bits, fields } = findProtocol(name)!;
      for (const field of fields.values()) expect(field.offset + field.bits).toBeLessThanOrEqual(bits);
      const plain = [...fields.values()].filter((field) => field.types === undefined);
      const ends = new Map(plain.map((field) => [field.offset, field.offset + field.bits]));
      let end = 0;
      for (const [from, to] of [...ends].sort(([a], [b]) => a - b)) {
        expect(from).toBeGreaterThanOrEqual(end);
        end = to;
      }
    }
  });

  test('what follows is found by the number in the header', () => {
    expect(findProtocol('ip')!.upper!.protocols.get(132)).toBe('sctp');
    expect(findProtocol('ether')!.upper!.protocols.get(0x88a8)).toBe('vlan');
    expect(findProtocol('udp')!.upper).toBeNull();
  });
});

describe('keys', () => {
  test('older names are read as the listed ones', () => {
    expect(metaKey('secpath')?.name).toBe('ipsec');
    expect(metaKey('ibriport')?.name).toBe('ibrname');
    expect(exthdr('rt4')?.name).toBe('srh');
  });

  test('an address of ct, rt and ipsec is of the family asked for', () => {
    expect(ctKey('saddr', 'ip6')).toMatchObject({ id: 21, bits: 128, direction: 'must' });
    expect(rtKey('nexthop')).toBeNull();
    expect(rtKey('nexthop', 'ip6')?.type).toBe(IPV6_ADDR);
    expect(ipsecKey('daddr', 'ip6')?.bits).toBe(128);
    expect(fibResult('nosuch')).toBeNull();
  });

  test('options and chunks are found by name, with the fields that they have', () => {
    expect(tcpOption('sack2')?.fields.get('left')).toMatchObject({ offset: 144, bits: 32 });
    expect(tcpOption('nop')?.fields.size).toBe(0);
    expect(sctpChunk('forward-tsn')).toMatchObject({ id: 192 });
  });
});

describe('types', () => {
  test('each is found by the name that a set’s definition gives it', () => {
    for (const name of typeNames()) expect(findType(name)?.name).toBe(name);
    expect(findType('lladdr')).toBeNull();
  });
});
