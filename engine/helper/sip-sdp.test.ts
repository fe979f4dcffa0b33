import { expect, test } from 'vitest';
import { viewOf } from '../packet/build-bytes.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { bytesOf } from './payload.ts';
import { newEnd } from './sip-address.ts';
import { FOUND, MISSING, WRONG } from './sip-header.ts';
import { CONNECTION, findSdp, MEDIA, OWNER, type SdpLine, VERSION } from './sip-sdp.ts';
import { SipText } from './sip-text.ts';

function find(letters: string, kind: SdpLine, stop: SdpLine | null = null, family: number = AF_INET): string {
  const bytes = bytesOf(`\r\n${letters}`);
  const out = newEnd();
  const result = findSdp(new SipText(viewOf(bytes), 0, bytes.length), 0, kind, stop, family, out);
  if (result !== FOUND) return result === MISSING ? 'missing' : 'wrong';
  return String.fromCharCode(...bytes.subarray(out.at, out.end));
}

const BODY = 'v=0\r\no=a 1 1 IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 10.0.0.2\r\n';

test('lines of a description', () => {
  expect(find(BODY, VERSION)).toBe('0');
  expect(find(BODY, OWNER)).toBe('10.0.0.1');
  expect(find(BODY, MEDIA)).toBe('audio 4000');
  expect(find(BODY, CONNECTION)).toBe('10.0.0.2');
  expect(WRONG).toBe(-1);
});

test('a search ends at the line that is told', () => {
  expect(find(BODY, CONNECTION, MEDIA)).toBe('missing');
  expect(find(BODY, OWNER, MEDIA)).toBe('10.0.0.1');
});

test.each([
  ['C=IN IP4 10.0.0.1', '10.0.0.1'],
  ['c=x IN IP4 10.0.0.1/127', '10.0.0.1'],
  ['c=in IP4 10.0.0.1', 'wrong'],
  ['c=IN IP6 ::1', 'wrong'],
  ['c=IN IP4 10.0.0.1.', 'wrong'],
  ['c=IN IP4  10.0.0.1', 'wrong'],
  ['x=1\r c=IN IP4 10.0.0.1', 'missing'],
])('the connection of %j: %s', (letters, found) => {
  expect(find(letters, CONNECTION)).toBe(found);
});

test('an IPv6 address has no brackets', () => {
  expect(find('c=IN IP6 fd00::1]', CONNECTION, null, AF_INET6)).toBe('fd00::1');
  expect(find('c=IN IP6 [fd00::1]', CONNECTION, null, AF_INET6)).toBe('wrong');
});

test.each([
  ['m=audio 4000/2 RTP', 'audio 4000'],
  ['m=audio  4000 RTP', 'audio '],
  ['m= 4000', ' 4000'],
  ['m=audio', 'wrong'],
  ['m=1 4000', 'wrong'],
])('the medium of %j: %j', (letters, found) => {
  expect(find(letters, MEDIA)).toBe(found);
});
