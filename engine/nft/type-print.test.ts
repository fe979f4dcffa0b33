import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as types from './type-datatype.ts';
import { numberValue, parseInteger, parseSymbol } from './type-parse.ts';
import { jsonConstant, printConstant } from './type-print.ts';
import { protocolName, protocolNumber } from './type-protocols.ts';
import { serviceName, servicePort } from './type-services.ts';
import { fromBytes, toBytes } from './type-value.ts';

type Datatype = types.Datatype;

/** As measured with nft 1.0.6: what is written, how it is listed, how with -n, how in JSON. */
const MEASURED: readonly (readonly [Datatype, string, string, string, unknown])[] = [
  [types.DSCP, '5', '0x05', '0x05', 5],
  [types.DSCP, 'cs0', 'cs0', '0x00', 'cs0'],
  [types.DSCP, '0x2e', 'ef', '0x2e', 'ef'],
  [types.ECN, '3', 'ce', '0x3', 'ce'],
  [types.INET_PROTO, '41', 'ipv6', '41', 'ipv6'],
  [types.INET_PROTO, '200', '200', '200', 200],
  [types.INET_PROTO, 'icmpv6', 'ipv6-icmp', '58', 'ipv6-icmp'],
  [types.ETHER_TYPE, '0x1234', '0x1234', '0x1234', 4660],
  [types.ETHER_TYPE, 'vlan', '8021q', '0x8100', '8021q'],
  [types.ETHER_TYPE, 'ip', 'ip', '0x0800', 'ip'],
  [types.ETHER_ADDR, '0:1:2:3:4:5', '00:01:02:03:04:05', '00:01:02:03:04:05', '00:01:02:03:04:05'],
  [types.ETHER_ADDR, '00:01:02:AA:BB:CC', '00:01:02:aa:bb:cc', '00:01:02:aa:bb:cc', '00:01:02:aa:bb:cc'],
  [types.ICMP_TYPE, '8', 'echo-request', '8', 'echo-request'],
  [types.ICMP_TYPE, '200', '200', '200', 200],
  [types.ICMPV6_TYPE, '132', 'mld-listener-done', '132', 'mld-listener-done'],
  [types.TCP_FLAG, 'syn', 'syn', '0x2', 'syn'],
  [types.TCP_FLAG, '0', '0x0', '0x0', 0],
  [types.TCP_FLAG, '0x12', '0x12', '0x12', 18],
  [types.CT_STATE, 'untracked', 'untracked', '0x40', 'untracked'],
  [types.CT_STATE, '0x80', '0x80', '0x80', 128],
  [types.CT_STATUS, 'snat', 'snat', '0x10', 'snat'],
  [types.CT_DIR, 'original', 'original', '0', 'original'],
  [types.CT_LABEL, '5', '5', '5', 5],
  [types.CT_LABEL, '127', '127', '127', 127],
  [types.MARK, '5', '0x00000005', '0x00000005', 5],
  [types.TIME, '30s', '30s', '30s', 30],
  [types.TIME, '1d2h3m4s', '1d2h3m4s', '93784s', 93784],
  [types.TIME, '500ms', '500ms', '0s', 0],
  [types.TIME, '1000s', '16m40s', '1000s', 1000],
  [types.TIME, '0s', '', '0s', 0],
  [types.CLASSID, '1:2', '1:2', '1:2', '1:2'],
  [types.CLASSID, '16', '0:10', '0:10', '0:10'],
  [types.CLASSID, 'ffff:ffff', 'root', 'root', 'root'],
  [types.CLASSID, '0:0', 'none', 'none', 'none'],
  [types.IFACE_INDEX, 'lo', '"lo"', '"lo"', 'lo'],
  [types.IFACE_INDEX, '77', '77', '77', '77'],
  [types.IFNAME, 'eth*', '"eth*"', '"eth*"', 'eth*'],
  [types.IFACE_TYPE, '5', '5', '5', 5],
  [types.IFACE_TYPE, 'ppp', 'ppp', '512', 'ppp'],
  [types.UID, 'root', '0', '0', 0],
  [types.REALM, 'cosmos', '"cosmos"', '0', 'cosmos'],
  [types.REALM, '5', '5', '5', '5'],
  [types.DEVGROUP, '0', '"default"', '0', 'default'],
  [types.DEVGROUP, '5', '5', '5', 5],
  [types.PKT_TYPE, 'unicast', 'host', '0', 'host'],
  [types.META_TIME, '2022-07-01', '"2022-07-01 00:00:00"', '"2022-07-01 00:00:00"', '2022-07-01 00:00:00'],
  [types.META_TIME, '1656669600', '"2022-07-01 10:00:00"', '"2022-07-01 10:00:00"', '2022-07-01 10:00:00'],
  [types.DAY, 'Monday', '"Monday"', '1', 'Monday'],
  [types.HOUR, '7:00', '"07:00"', '"07:00"', '07:00'],
  [types.HOUR, '5', '"00:00:05"', '"00:00:05"', '00:00:05'],
  [types.HOUR, '86400', '"00:00"', '"00:00"', '00:00'],
  [types.FIB_ADDRTYPE, 'local', 'local', '2', 'local'],
  [types.FIB_ADDRTYPE, '77', '77', '77', 77],
  [types.IPV4_ADDR, '10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.1'],
  [types.IPV4_ADDR, 'localhost', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
  [types.IPV4_ADDR, '0x01020304', '1.2.3.4', '1.2.3.4', '1.2.3.4'],
  [types.IPV6_ADDR, '2001:db8:0:0:1::1', '2001:db8::1:0:0:1', '2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
  [types.IPV6_ADDR, '[fd00::1]', 'fd00::1', 'fd00::1', 'fd00::1'],
  [types.INET_SERVICE, 'ssh', '22', '22', 22],
  [types.INET_SERVICE, '010', '8', '8', 8],
  [types.BOOLEAN, 'missing', 'missing', '0', false],
];

describe('constants', () => {
  test.each(MEASURED.map(([type, ...rest]) => [type.name, type, ...rest] as const))(
    '%s %#: is listed, numerically too, and in JSON as nft does',
    (_name, type, written, text, numeric, json) => {
      const bits = type.bits === 0 ? 32 : type.bits;
      const value = parseSymbol(type, written);
      expect(value).not.toBeNull();
      const constant = { type, bits, value: value! };
      expect(printConstant(constant, {})).toBe(text);
      expect(printConstant(constant, { numeric: true })).toBe(numeric);
      expect(jsonConstant(constant)).toBe(json);
    },
  );

  test('names of another case, of another type or of nothing are none', () => {
    for (const [type, text] of [
      [types.DSCP, 'CS1'],
      [types.CT_STATE, 'NEW'],
      [types.DAY, 'monday'],
      [types.HOUR, '24:00'],
      [types.INET_SERVICE, 'SSH'],
      [types.INET_PROTO, 'Tcp'],
      [types.IPV4_ADDR, 'fd00::1'],
      [types.ETHER_ADDR, '00:gg'],
      [types.MARK, 'x'],
    ] as const)
      expect(parseSymbol(type, text)).toBeNull();
  });

  test('what is listed is read as the same value, with names and without', () => {
    // Listed with less than all of the value: ns of a date, times of day beyond one, labels of several bits; paths are text.
    const lossy = new Set(['time', 'hour', 'ct_label', 'boolean', 'cgroupsv2']);
    const exact = types.typeNames().filter((name) => !lossy.has(name) && types.findType(name)!.bits > 0);
    const constants = fc.constantFrom(...exact).chain((name) => {
      const type = types.findType(name)!;
      const small = fc.nat(300).map((n) => BigInt(n) % (1n << BigInt(type.bits)));
      const any = fc.bigInt({ min: 0n, max: (1n << BigInt(type.bits)) - 1n });
      return fc.oneof(small, any).map((value) => ({ type, bits: type.bits, value }));
    });
    const options = fc.record({ numeric: fc.boolean(), services: fc.boolean(), guid: fc.boolean() });
    fc.assert(
      fc.property(constants, options, (constant, names) => {
        if (constant.type.base === 'string') return;
        const text = printConstant(constant, names).replaceAll('"', '');
        // The names of AppleTalk's services (1/ddp, …) are listed, but not read, or read as another protocol's of that name.
        const appleTalk = constant.type.name === 'inet_service' && [1n, 2n, 4n, 6n].includes(constant.value);
        if (!appleTalk) expect(parseSymbol(constant.type, text)).toBe(constant.value);
      }),
      { numRuns: 2000 },
    );
  });

  test('a span is read as it is listed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 1n << 40n }), (ms) => {
        expect(parseSymbol(types.TIME, printConstant({ type: types.TIME, bits: 32, value: ms }, {}))).toBe(
          ms,
        );
      }),
    );
  });

  test('a port and a user are listed by name only when asked for', () => {
    const port = { type: types.INET_SERVICE, bits: 16, value: 53n };
    expect(printConstant(port, { services: true })).toBe('"domain"');
    expect(printConstant({ ...port, value: 54321n }, { services: true })).toBe('54321');
    expect(printConstant({ type: types.UID, bits: 32, value: 0n }, { guid: true })).toBe('"root"');
  });

  test('a raw payload is hexadecimal in text and a number in JSON', () => {
    const raw = { type: types.RAW_INTEGER, bits: 48, value: 0x001122334455n };
    expect(printConstant(raw, {})).toBe('0x1122334455');
    expect(jsonConstant(raw)).toBe(73588229205);
    expect(jsonConstant({ ...raw, bits: 64, value: 0xffffffffffffffffn })).toBe(-1);
  });
});

describe('values', () => {
  test('a number stands in registers in the order of its type, text with zeros behind', () => {
    expect([...toBytes(0x0102n, 16, 'big')]).toEqual([1, 2]);
    expect([...toBytes(0x0102n, 32, 'host')]).toEqual([2, 1, 0, 0]);
    expect([...toBytes('lo', 32, 'host')]).toEqual([108, 111, 0, 0]);
    expect(fromBytes(Uint8Array.of(1, 2, 3), 'big')).toBe(0x010203n);
    expect(fromBytes(Uint8Array.of(1, 2, 3), 'host')).toBe(0x030201n);
  });

  test('numbers are decimal, octal or hexadecimal, and count seconds where the type counts less', () => {
    expect(parseInteger('010')).toBe(8n);
    expect(parseInteger('0x10')).toBe(16n);
    expect(parseInteger('ten')).toBeNull();
    expect(numberValue(types.TIME, 5)).toBe(5000n);
    expect(numberValue(types.META_TIME, 1)).toBe(1_000_000_000n);
    expect(numberValue(types.CT_LABEL, 3)).toBe(8n);
  });
});

describe('names of services and protocols', () => {
  test('a service is found by any of its names, for any protocol or a certain one', () => {
    expect(servicePort('www')).toBe(80);
    expect(servicePort('domain', 'udp')).toBe(53);
    expect(servicePort('tftp', 'tcp')).toBeUndefined();
    expect(serviceName(69)).toBe('tftp');
    expect(serviceName(80)).toBe('http');
  });

  test('a protocol is found by its alias', () => {
    expect(protocolNumber('TCP')).toBe(6);
    expect(protocolNumber('icmpv6')).toBe(58);
    expect(protocolName(58)).toBe('ipv6-icmp');
    expect(protocolName(200)).toBeUndefined();
  });
});
