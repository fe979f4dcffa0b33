import { expect, test } from 'vitest';
import { ipv4Text } from '../packet/address.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { AF_INET } from '../packet/packet.ts';
import { bytesOf } from './payload.ts';
import { newEnd } from './sip-address.ts';
import {
  addressParameter,
  CONTACT,
  CSEQ,
  EXPIRES,
  FOUND,
  findHeader,
  MISSING,
  numberOf,
  numberParameter,
  VIA_UDP,
  WRONG,
  walk,
} from './sip-header.ts';
import { NOWHERE, SipText } from './sip-text.ts';

function text(letters: string): SipText {
  const bytes = bytesOf(letters);
  return new SipText(viewOf(bytes), 0, bytes.length);
}

function contact(letters: string): number {
  return findHeader(text(`OPTIONS sip:a SIP/2.0\r\n${letters}\r\n`), 0, CONTACT, AF_INET, newEnd());
}

test.each([
  ['Contact: <sip:a@10.0.0.1>', FOUND],
  ['CONTACT:sip:10.0.0.1:5070', FOUND],
  ['m: <sip:a@10.0.0.1>', FOUND],
  ['m \t:\r\n <sip:a@10.0.0.1>', FOUND],
  ['m\r\n : <sip:a@10.0.0.1>', FOUND],
  ['Contact: "A" x\r\n\t<sip:10.0.0.1>', FOUND],
  ['Contact: <sip:10.0.0.9?x=@10.0.0.1>', FOUND],
  ['Subject: x\nContact: <sip:10.0.0.1>', FOUND],
  ['m1: <sip:a@10.0.0.1>', MISSING],
  ['mx: <sip:a@10.0.0.1>', MISSING],
  [' Contact: <sip:a@10.0.0.1>', MISSING],
  ['Contact <sip:a@10.0.0.1>', MISSING],
  ['Contact-X: y\r\nContact: <sip:a@10.0.0.1>', MISSING],
  ['Subject: x\n\nContact: <sip:10.0.0.1>', MISSING],
  ['Contact: *', WRONG],
  ['Contact: <sip:a@example.org>', WRONG],
  ['Contact: <sips:a@10.0.0.1>', WRONG],
  ['Contact: <sip:a@10.0.0.1:80>', WRONG],
  ['Contact: <sip:a\r\n @10.0.0.1>', WRONG],
  ['Contact: <sip:a@b@10.0.0.1>', WRONG],
])('a contact in %j: %d', (letters, result) => {
  expect(contact(letters)).toBe(result);
});

test('a walk meets every contact that can be read', () => {
  const t = text(
    [
      'REGISTER sip:a SIP/2.0',
      'm: <sip:a@example.org>, <sip:b@10.0.0.9>',
      'Contact: *',
      'Contact: <sip:a@10.0.0.1>;q=1, <sip:b@example.org>,\r\n <sip:c@10.0.0.2:5070>',
      'm: sip:d@10.0.0.3',
      '',
      '',
    ].join('\r\n'),
  );
  const where = { at: 0, isInHeader: false };
  const out = newEnd();
  const seen: string[] = [];
  while (walk(t, where, CONTACT, AF_INET, out)) seen.push(`${ipv4Text(out.address[0]!)}:${out.port}`);
  // Of a header whose first contact cannot be read, none is.
  expect(seen).toEqual(['10.0.0.1:5060', '10.0.0.2:5070', '10.0.0.3:5060']);
});

test('numbers of headers', () => {
  const t = text('X\r\ncseq : 12 INVITE\r\nExpires: x\r\n');
  expect([numberOf(t, CSEQ), numberOf(t, EXPIRES)]).toEqual([12, -1]);
});

test('parameters belong to their value, up to the next comma', () => {
  const t = text('<sip:a>;q=1;\r\n x;expires=5, <sip:b>;expires=7;lr=x\r\n;rport=9');
  expect(numberParameter(t, 0, bytesOf('expires='), newEnd())).toBe(5);
  expect(numberParameter(t, 0, bytesOf('lr='), newEnd())).toBe(NOWHERE);
  expect(numberParameter(t, 35, bytesOf('expires='), newEnd())).toBe(7);
  expect(numberParameter(t, 35, bytesOf('lr='), newEnd())).toBeNaN();
  expect(numberParameter(t, 35, bytesOf('rport='), newEnd())).toBe(NOWHERE);
});

test('the parameters of a Via header', () => {
  const t = text('X\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;rport=6000;received=192.0.2.1\r\n');
  const out = newEnd();
  expect(findHeader(t, 0, VIA_UDP, AF_INET, out)).toBe(FOUND);
  const behind = out.end;
  expect([ipv4Text(out.address[0]!), out.port]).toEqual(['10.0.0.1', 5070]);
  expect(addressParameter(t, behind, bytesOf('received='), AF_INET, false, out)).toBe(true);
  expect(ipv4Text(out.address[0]!)).toBe('192.0.2.1');
  expect(numberParameter(t, behind, bytesOf('rport='), out)).toBe(6000);
});

test('a long line of contacts is walked in a moment', () => {
  const many = (count: number): number => {
    const t = text(`X\r\nm:${'sip:10.0.0.1,'.repeat(count)}\r\n`);
    const read = { count: 0 };
    const view = t.view;
    t.view = new Proxy(view, {
      get: (_, name) => {
        read.count++;
        const value = Reflect.get(view, name, view);
        return typeof value === 'function' ? value.bind(view) : value;
      },
    });
    const where = { at: 0, isInHeader: false };
    const out = newEnd();
    while (walk(t, where, CONTACT, AF_INET, out));
    return read.count / t.length;
  };
  // Bytes read for each byte there is: the same for a line ten times as long.
  expect(many(1000)).toBeLessThan(many(100) * 1.5);
});
