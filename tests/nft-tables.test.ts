import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { ctKey } from '../engine/nft/key-ct.ts';
import { exthdr, ipOption, sctpChunk, tcpOption } from '../engine/nft/key-exthdr.ts';
import { metaKey, metaKeyNames } from '../engine/nft/key-meta.ts';
import { fibResult, ipsecKey, rtKey, socketKey } from '../engine/nft/key-other.ts';
import type { HeaderField } from '../engine/nft/proto-header.ts';
import { findProtocol, protocolHeaderNames } from '../engine/nft/proto-table.ts';
import { findType, typeNames } from '../engine/nft/type-datatype.ts';
import { inNamespace, realNft } from './nft-listing/real.ts';

/** An expression and what we say it yields. */
interface Claim {
  readonly text: string;
  readonly type: string;
  readonly bits: number;
  /** As `nft --debug=netlink` shows its load; undefined: not to be compared. */
  readonly load?: RegExp | undefined;
}

/** Where a field of some bits is loaded from: whole bytes. */
function bytesOf(field: HeaderField): { readonly from: number; readonly count: number } {
  const from = field.offset >> 3;
  return { from, count: ((field.offset + field.bits + 7) >> 3) - from };
}

const BASES = { ll: 'link', nh: 'network', th: 'transport' } as const;

function headerClaims(): Claim[] {
  return protocolHeaderNames().flatMap((name) => {
    const protocol = findProtocol(name)!;
    const outer = name === 'vlan' ? 14 : 0;
    return [...protocol.fields.values()].map((field) => {
      const { from, count } = bytesOf(field);
      return {
        text: `${name} ${field.name}`,
        type: field.type.name,
        bits: field.bits,
        load: new RegExp(`payload load ${count}b @ ${BASES[protocol.base]} header \\+ ${from + outer} `),
      };
    });
  });
}

const SOUGHT = [
  ...['hbh', 'rt', 'rt0', 'srh', 'frag', 'dst', 'mh'].map((name) => ['ipv6 ', '', exthdr(name)!] as const),
  ...['maxseg', 'window', 'sack-perm', 'sack', 'sack1', 'sack2', 'sack3', 'timestamp', 'md5sig', 'mptcp'].map(
    (name) => ['tcpopt ', 'tcp option ', tcpOption(name)!] as const,
  ),
  ...['lsrr', 'ra', 'rr', 'ssrr'].map((name) => ['ipv4 ', 'ip option ', ipOption(name)!] as const),
  ...[
    'data',
    'init',
    'init-ack',
    'sack',
    'shutdown',
    'ecne',
    'cwr',
    'asconf',
    'asconf-ack',
    'forward-tsn',
  ].map((name) => ['', 'sctp chunk ', sctpChunk(name)!] as const),
];

function soughtClaims(): Claim[] {
  return SOUGHT.flatMap(([kind, words, header]) =>
    [...header.fields.values()].map((field) => {
      const { from, count } = bytesOf(field);
      return {
        text: `${words}${header.name} ${field.name}`,
        type: field.type.name,
        bits: field.bits,
        load: new RegExp(`exthdr load ${kind}${count}b @ ${header.id} \\+ ${from} `),
      };
    }),
  );
}

/** Keys: bits of strings are given in characters by nft. */
function keyClaims(): Claim[] {
  const meta = metaKeyNames().map((name) => ({ ...metaKey(name)!, text: `meta ${name}` }));
  const ct = ['state', 'direction', 'status', 'mark', 'expiration', 'helper', 'label', 'l3proto', 'protocol'];
  const counts = ['bytes', 'packets', 'avgpkt', 'zone', 'id'];
  return [
    ...meta,
    ...[...ct, ...counts].map((name) => ({ ...ctKey(name)!, text: `ct ${name}` })),
    { ...ctKey('saddr', 'ip')!, text: 'ct original ip saddr' },
    { ...ctKey('daddr', 'ip6')!, text: 'ct reply ip6 daddr' },
    { ...rtKey('classid')!, text: 'rt classid' },
    { ...rtKey('nexthop', 'ip')!, text: 'rt ip nexthop' },
    { ...rtKey('mtu')!, text: 'rt mtu' },
    ...['transparent', 'mark', 'wildcard'].map((name) => ({ ...socketKey(name)!, text: `socket ${name}` })),
    ...['oif', 'oifname', 'type'].map((name) => ({ ...fibResult(name)!, text: `fib saddr ${name}` })),
    { ...ipsecKey('reqid')!, text: 'ipsec in reqid' },
    { ...ipsecKey('spi')!, text: 'ipsec in spi' },
    { ...ipsecKey('saddr', 'ip')!, text: 'ipsec in ip saddr' },
  ].map(({ text, type, bits, kernelName }) => ({
    text,
    type: type.name,
    bits,
    load: new RegExp(`load (?:\\w+ 0 )?${kernelName}\\b|fib saddr ${kernelName}\\b`),
  }));
}

/** Type and length as `nft describe` says them. */
function described(text: string): { readonly type: string; readonly bits: number } | string {
  const { stdout, stderr } = spawnSync('nft', ['describe', text], { encoding: 'utf8' });
  const match = /datatype (\S+) \(.*\), (\d+) (bits|characters)/.exec(stdout);
  if (match === null) return `${stdout}${stderr}`;
  return { type: match[1]!, bits: Number(match[2]) * (match[3] === 'bits' ? 1 : 8) };
}

/** A value of each type; of the types that are not named here 1 is one. */
const VALUES: { readonly [type: string]: string } = {
  ipv6_addr: '::1',
  ifname: '"x"',
  string: '"x"',
  boolean: 'exists',
  time: '1',
  day: 'Monday',
};

/** A family that has the expression. */
function familyOf(text: string): string {
  if (text.startsWith('arp ')) return 'arp';
  return /^(ether|vlan|meta (i|o)br)/.test(text) ? 'bridge' : 'inet';
}

/** What the kernel would be told for each expression. */
function netlinkLoads(claims: readonly Claim[]): string[] {
  const script = [
    'for f in inet bridge arp; do nft add table $f t; nft add chain $f t c; done',
    ...claims.map(({ text, type }) => {
      const rule = `${familyOf(text)} t c '${text} ${VALUES[type] ?? '1'}'`;
      return `echo '### ${text}'; nft --debug=netlink add rule ${rule} 2>&1`;
    }),
  ];
  return inNamespace(script.join('\n')).stdout.split(/^### /m).slice(1);
}

describe.skipIf(!realNft())('the tables of the nft language are those of the real nft', () => {
  const claims = [...headerClaims(), ...soughtClaims(), ...keyClaims()].filter(
    // nft itself does not let it be compared with a number.
    ({ text }) => text !== 'meta secmark',
  );

  test('every field and key has the type and the length that nft describes', () => {
    const wrong = claims.flatMap(({ text, type, bits }) => {
      const real = described(text);
      const same = typeof real !== 'string' && real.type === type && real.bits === bits;
      return same ? [] : [{ text, type, bits, real }];
    });
    expect(wrong).toEqual([]);
    expect(claims.length).toBeGreaterThan(250);
  });

  test('every field and key is loaded from where nft loads it', () => {
    const loads = netlinkLoads(claims);
    const wrong = claims.filter(({ load }, i) => load !== undefined && !load.test(loads[i]!));
    expect(wrong.map(({ text, load }) => ({ text, load: String(load) }))).toEqual([]);
  }, 120_000);

  test('every type has the symbols that nft describes, in that order', () => {
    for (const name of typeNames()) {
      const type = findType(name)!;
      if (
        type.symbols === null ||
        ['time', 'mark', 'hour', 'uid', 'gid', 'realm', 'devgroup', 'ecn'].includes(name)
      )
        continue;
      const text = name === 'day' ? 'meta day' : name;
      const { stdout } = spawnSync('nft', ['describe', text], { encoding: 'utf8' });
      const listed = [...stdout.matchAll(/^\t(\S+)\s+(0x[0-9a-f]+|\d+)$/gm)].map((match) => match[1]);
      expect([name, ...listed]).toEqual([name, ...type.symbols.map(([symbol]) => symbol)]);
    }
  });
});
