import type { ExpectRecord, TupleRecord } from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { expectLine, procExpect } from './expect-line.ts';
import { xmlExpect } from './xml-expect.ts';

function tuple(src: string, dst: string, sport: number, dport: number): TupleRecord {
  return { src, dst, sport, dport };
}

const FTP: ExpectRecord = {
  id: 1,
  family: 2,
  protonum: 6,
  timeout: 299_400,
  tuple: tuple('10.0.1.2', '10.0.2.2', 0, 51221),
  mask: tuple('255.255.255.255', '255.255.255.255', 0, 65535),
  master: tuple('10.0.1.2', '10.0.2.2', 56510, 21),
  masterId: 3,
  masterProtonum: 6,
  zone: 0,
  class: 0,
  className: null,
  helper: 'ftp',
  expectedHelper: null,
  flags: 0,
  nat: null,
};
const SIP: ExpectRecord = {
  ...FTP,
  protonum: 17,
  masterProtonum: 17,
  timeout: 179_999,
  tuple: tuple('198.51.100.7', '192.168.1.5', 0, 5060),
  master: tuple('192.168.1.5', '198.51.100.7', 5060, 5060),
  className: 'signalling',
  helper: 'sip',
  flags: 3,
};
const FULL = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
const V6: ExpectRecord = {
  ...FTP,
  family: 10,
  tuple: tuple('2001:db8:5::1', 'fd00:1::5', 0, 4001),
  mask: tuple(FULL, FULL, 0, 65535),
  master: tuple('fd00:1::5', '2001:db8:5::1', 40001, 21),
};
/** A `ct expectation` object's. */
const RULE: ExpectRecord = { ...SIP, flags: 0, helper: null, className: null, timeout: 999_900 };

// Lines of conntrack 1.4.7 and of /proc on Linux 6.18.
describe('an expectation', () => {
  test('as conntrack -L expect prints it', () => {
    expect(expectLine(FTP)).toBe(
      '299 proto=6 src=10.0.1.2 dst=10.0.2.2 sport=0 dport=51221 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.1.2 master-dst=10.0.2.2 sport=56510 dport=21 class=0 helper=ftp',
    );
    expect(expectLine(SIP)).toBe(
      '179 proto=17 src=198.51.100.7 dst=192.168.1.5 sport=0 dport=5060 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=192.168.1.5 master-dst=198.51.100.7 sport=5060 dport=5060 PERMANENT,INACTIVE class=0 helper=sip',
    );
    expect(expectLine(V6)).toBe(
      `299 proto=6 src=2001:db8:5::1 dst=fd00:1::5 sport=0 dport=4001 mask-src=${FULL} mask-dst=${FULL} sport=0 dport=65535 master-src=fd00:1::5 master-dst=2001:db8:5::1 sport=40001 dport=21 class=0 helper=ftp`,
    );
    expect(expectLine(RULE)).toMatch(/^999 proto=17 .* sport=5060 dport=5060 class=0$/);
  });

  test('as /proc/net/nf_conntrack_expect has it, where a rule’s ends in a blank', () => {
    expect(procExpect(FTP)).toBe('299 l3proto = 2 proto=6 src=10.0.1.2 dst=10.0.2.2 sport=0 dport=51221 ftp');
    expect(procExpect(SIP)).toBe(
      '179 l3proto = 2 proto=17 src=198.51.100.7 dst=192.168.1.5 sport=0 dport=5060 PERMANENT,INACTIVE sip/signalling',
    );
    expect(procExpect(V6)).toBe(
      '299 l3proto = 10 proto=6 src=2001:0db8:0005:0000:0000:0000:0000:0001 dst=fd00:0001:0000:0000:0000:0000:0000:0005 sport=0 dport=4001 ftp',
    );
    expect(procExpect(RULE)).toBe(
      '999 l3proto = 2 proto=17 src=198.51.100.7 dst=192.168.1.5 sport=0 dport=5060 ',
    );
  });

  test('as conntrack -L expect -o xml prints it', () => {
    expect(xmlExpect(FTP)).toBe(
      '<flow><layer3 protonum="2" protoname="ipv4"><expected><src>10.0.1.2</src><dst>10.0.2.2</dst></expected><mask><src>255.255.255.255</src><dst>255.255.255.255</dst></mask><master><src>10.0.1.2</src><dst>10.0.2.2</dst></master></layer3><layer4 protonum="6" protoname="tcp"><expected><sport>0</sport><dport>51221</dport></expected><mask><sport>0</sport><dport>65535</dport></mask><master><sport>56510</sport><dport>21</dport></master></layer4><meta><helper-name>ftp</helper-name><timeout>299</timeout><class>0</class></meta></flow>',
    );
    expect(xmlExpect(SIP, 'new')).toMatch(
      /^<flow type="new">.*<helper-name>sip<\/helper-name><timeout>179<\/timeout><class>0<\/class><permanent\/><inactive\/><\/meta><\/flow>$/,
    );
    expect(xmlExpect(RULE)).toContain('<meta><timeout>999</timeout><class>0</class></meta>');
  });
});
