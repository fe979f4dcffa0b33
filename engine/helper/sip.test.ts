import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reasonText } from '../base/reason-text.ts';
import { udpPacket } from '../packet/build.ts';
import { IP_CT_RELATED } from '../packet/packet.ts';
import { bytesOf } from './payload.ts';
import { SIP_HELPERS, sipHelpers } from './sip.ts';
import { type Heard, OUTER, Talk } from './testing.mts';

const CLIENT = '10.0.0.1';
const SERVER = '198.51.100.1';
const MEDIUM = 'm=audio 40000 RTP/AVP 0';

function sdp(address: string, media: readonly string[] = [MEDIUM]): string {
  const lines = ['v=0', `o=a 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', ...media];
  return lines.map((line) => `${line}\r\n`).join('');
}

function message(first: string, cseq: string, headers: readonly string[], body = ''): string {
  const lines = [first, `CSeq: ${cseq}`, ...headers, `Content-Length: ${body.length}`, ''];
  return lines.map((line) => `${line}\r\n`).join('') + body;
}

function request(method: string, body = '', headers: readonly string[] = [], cseq = 1): string {
  return message(`${method} sip:bob@${SERVER} SIP/2.0`, `${cseq} ${method}`, headers, body);
}

function response(
  code: number,
  method: string,
  body = '',
  headers: readonly string[] = [],
  cseq = 1,
): string {
  return message(`SIP/2.0 ${code} x`, `${cseq} ${method}`, headers, body);
}

function register(headers: readonly string[], cseq = 1): string {
  return request('REGISTER', '', headers, cseq);
}

function why({ pkt }: Heard): string {
  return reasonText(pkt.reason, pkt.operands);
}

const CONTACT = `Contact: <sip:alice@${CLIENT}:5070>`;
const UP = [`udp ${SERVER} > ${CLIENT}:40000 180`, `udp ${SERVER} > ${CLIENT}:40001 180`];
const DOWN = [`udp ${CLIENT} > ${SERVER}:40000 180`, `udp ${CLIENT} > ${SERVER}:40001 180`];

describe('sip: calls', () => {
  test('a call makes the media of both ends expected, and a BYE ends that', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request('INVITE', sdp(CLIENT)));
    expect(talk.expected()).toEqual(UP);
    talk.down(response(183, 'INVITE', sdp(SERVER)));
    expect(talk.expected()).toEqual([...UP, ...DOWN]);
    talk.down(request('BYE'));
    expect(talk.expected()).toEqual([]);
  });

  test('the flow is kept for an hour after each message', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request('OPTIONS'));
    expect(talk.flows()[0]).toMatchObject({ timeout: 3600_000 });
  });

  test('media are RELATED, and expected once', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request('INVITE', sdp(CLIENT)));
    const media = { src: SERVER, dst: CLIENT, sport: 9000, dport: 40000 };
    expect(talk.packet(1, udpPacket(media)).pkt.ctinfo).toBe(IP_CT_RELATED);
    expect(talk.expected()).toEqual([UP[1]]);
  });

  test('a refusal of the call ends what it made expected, one of another call does not', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request('INVITE', sdp(CLIENT)));
    talk.down(response(486, 'INVITE', '', [], 2));
    expect(talk.expected()).toEqual(UP);
    talk.down(response(486, 'INVITE'));
    expect(talk.expected()).toEqual([]);
  });

  test.each(['UPDATE', 'ACK', 'PRACK'])('%s carries a description as well', (method) => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request(method, sdp(CLIENT)));
    expect(talk.expected()).toEqual(UP);
  });

  test.each(['OPTIONS', 'INFO', 'CANCEL'])('%s does not', (method) => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request(method, sdp(CLIENT)));
    expect(talk.expected()).toEqual([]);
  });

  test('media of somebody else are not expected', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(request('INVITE', sdp('10.0.0.2')));
    expect(talk.expected()).toEqual([]);
  });

  test('without direct media they are, and from anybody', () => {
    const talk = new Talk('sip', 'udp', 5060, { helpers: sipHelpers({ directMedia: false }) });
    talk.up(request('INVITE', sdp('10.0.0.2')));
    expect(talk.expected()).toEqual(['udp any > 10.0.0.2:40000 180', 'udp any > 10.0.0.2:40001 180']);
  });

  test('media that leave as the signalling does are not expected, if the helper is told so', () => {
    const externalMedia = (address: readonly number[]): number => (address[0]! >>> 24 === 10 ? 3 : 2);
    const helpers = sipHelpers({ directMedia: false, externalMedia });
    const talk = new Talk('sip', 'udp', 5060, { helpers });
    talk.up(request('INVITE', sdp('192.0.2.1')));
    expect(talk.expected()).toEqual([]);
    talk.up(request('INVITE', sdp('10.0.0.2')));
    expect(talk.expected()).toHaveLength(2);
  });

  test('the first three media that count are expected', () => {
    const talk = new Talk('sip', 'udp', 5060);
    const media = ['m=application 9 x', 'm=audio 0 x', 'm=AUDIO 7000 x'];
    media.push(...['audio 5000', 'video 5002', 'image 5004', 'audio 5006'].map((one) => `m=${one} x`));
    talk.up(request('INVITE', sdp(CLIENT, media)));
    const ports = talk.expected().map((line) => Number(/:(\d+) /.exec(line)![1]));
    expect(ports).toEqual([5000, 5001, 5002, 5003, 5004, 5005]);
  });

  test.each([
    ['m=audio 1023 x', 'sip helper: wrong port 1023'],
    ['m=audio 65536 x', 'sip helper: wrong port 65536'],
  ])('%s: the message is dropped', (medium, reason) => {
    const talk = new Talk('sip', 'udp', 5060);
    const heard = talk.up(request('INVITE', sdp(CLIENT, [medium])));
    expect([heard.text, why(heard)]).toEqual([null, reason]);
  });

  test.each([
    [response(0, 'INVITE'), 'cannot get code'],
    [request('INVITE').replace('CSeq', 'X'), 'cannot parse cseq'],
    [request('INVITE').replace(': 1 ', ': 000000000001 '), 'cannot get cseq'],
    [register([`${CONTACT};expires=x`]), 'cannot parse expires'],
    [request('INVITE', sdp('x')), 'cannot parse SDP message'],
  ])('%j is dropped: %s', (text, reason) => {
    const heard = new Talk('sip', 'udp', 5060).up(text);
    expect([heard.text, why(heard)]).toEqual([null, `sip helper: ${reason}`]);
  });
});

describe('sip: registrations', () => {
  const active = `udp ${SERVER} > ${CLIENT}:5070 60`;

  test('who registers may be called when the registrar has said so, for as long as it said', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(register([CONTACT, 'Expires: 3600']));
    expect(talk.expected()).toEqual([`udp ${SERVER} > ${CLIENT}:5070 180`]);
    const call = { src: SERVER, dst: CLIENT, sport: 5060, dport: 5070, payload: 'x' };
    talk.down(response(200, 'REGISTER', '', [`${CONTACT};expires=60`, 'Expires: 7']));
    expect(talk.expected()).toEqual([active]);
    expect(talk.packet(1, udpPacket(call)).pkt.ctinfo).toBe(IP_CT_RELATED);
    // It stays for the next call.
    expect(talk.expected()).toEqual([active]);
  });

  test('before that a call is a new flow', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(register([CONTACT, 'Expires: 3600']));
    const call = { src: SERVER, dst: CLIENT, sport: 5060, dport: 5070, payload: 'x' };
    expect(talk.packet(1, udpPacket(call)).pkt.ctinfo).not.toBe(IP_CT_RELATED);
  });

  test.each([
    ['a refusal', response(403, 'REGISTER', '', [CONTACT, 'Expires: 60'])],
    ['an answer without the contact', response(200, 'REGISTER', '', ['Expires: 60'])],
    ['an answer that it is over', response(200, 'REGISTER', '', [CONTACT, 'Expires: 0'])],
  ])('%s ends it', (_, answer) => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(register([CONTACT, 'Expires: 60']));
    talk.down(response(100, 'REGISTER'));
    talk.down(response(403, 'REGISTER', '', [], 2));
    expect(talk.expected()).toHaveLength(1);
    talk.down(answer);
    expect(talk.expected()).toEqual([]);
  });

  test.each([
    ['for no time', [CONTACT, 'Expires: 0']],
    ['without a time', [CONTACT]],
    ['for somebody else', ['Contact: <sip:a@10.0.0.9>', 'Expires: 60']],
    ['for another transport', [`${CONTACT};transport=tcp`, 'Expires: 60']],
    ['without a contact', ['Contact: *', 'Expires: 60']],
  ])('a registration %s makes nothing expected', (_, headers) => {
    const talk = new Talk('sip', 'udp', 5060);
    expect(talk.up(register(headers)).text).not.toBe(null);
    expect(talk.expected()).toEqual([]);
  });

  test('a second registration takes the place of the first', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(register([CONTACT, 'Expires: 60']));
    talk.up(register(['Contact: <sip:a@10.0.0.1:5071>', 'Expires: 60'], 2));
    expect(talk.expected()).toEqual([`udp ${SERVER} > ${CLIENT}:5071 180`]);
  });

  test('seconds are counted in ticks of 32 bits', () => {
    const talk = new Talk('sip', 'udp', 5060);
    talk.up(register([CONTACT, 'Expires: 4294967295']));
    talk.down(response(200, 'REGISTER', '', [CONTACT, 'Expires: 4294967295']));
    expect(talk.expected()).toEqual([`udp ${SERVER} > ${CLIENT}:5070 17179868.184`]);
  });

  test('without direct signalling anybody may call', () => {
    const talk = new Talk('sip', 'udp', 5060, { helpers: sipHelpers({ directSignalling: false }) });
    talk.up(register([CONTACT, 'Expires: 60']));
    expect(talk.expected()).toEqual([`udp any > ${CLIENT}:5070 180`]);
  });
});

describe('sip: translation', () => {
  test('a masqueraded client speaks of the outer address everywhere, and Content-Length follows', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    const headers = (address: string): string[] => [
      `Via: SIP/2.0/UDP ${address}:4000;maddr=${address}`,
      `From: <sip:a@${address}:4000>`,
      `Contact: <sip:a@${address}:4000>, <sip:b@10.0.0.9>`,
    ];
    const heard = talk.up(request('INVITE', sdp(CLIENT), headers(CLIENT)));
    expect(heard.text).toBe(request('INVITE', sdp(OUTER), headers(OUTER)));
    expect(talk.expected()).toEqual([
      `udp ${SERVER} > ${OUTER}:40000 180`,
      `udp ${SERVER} > ${OUTER}:40001 180`,
    ]);
  });

  test('a call with media at the port of another call to the same server is dropped', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    talk.up(request('INVITE', sdp(CLIENT)));
    const text = request('INVITE', sdp('10.0.0.2'));
    const other = { src: '10.0.0.2', dst: SERVER, sport: 4000, dport: 5060, payload: bytesOf(text) };
    const heard = talk.packet(0, udpPacket(other));
    expect([heard.text, why(heard)]).toEqual([null, 'sip helper: all ports in use']);
  });

  test('media come through to the client', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    talk.up(request('INVITE', sdp(CLIENT)));
    const media = { src: SERVER, dst: OUTER, sport: 9000, dport: 40000, payload: 'x' };
    const heard = talk.packet(1, udpPacket(media));
    expect([heard.text, heard.pkt.ctinfo]).toEqual(['x', IP_CT_RELATED]);
    expect([...heard.bytes.subarray(16, 20)]).toEqual([10, 0, 0, 1]);
  });

  test('answers are translated back, with where the server saw the request come from', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    talk.up(request('OPTIONS'));
    const headers = (via: string, seen: string): string[] => [
      `Via: SIP/2.0/UDP ${via}:4000;received=${seen};rport=4000`,
      `To: <sip:a@${via}:4000>`,
    ];
    const heard = talk.down(response(200, 'OPTIONS', '', headers(OUTER, OUTER)));
    expect(heard.text).toBe(response(200, 'OPTIONS', '', headers(CLIENT, CLIENT)));
  });

  test('answers go to the port in the Via header', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    talk.up(request('OPTIONS', '', [`Via: SIP/2.0/UDP ${CLIENT}:5060`]));
    const { bytes } = talk.down(response(200, 'OPTIONS'));
    expect((bytes[22]! << 8) | bytes[23]!).toBe(5060);
  });

  test('a registered contact is the outer address', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    const contact = (address: string): string => `Contact: <sip:a@${address}:4000>`;
    const heard = talk.up(register([contact(CLIENT), 'Expires: 60']));
    expect(heard.text).toBe(register([contact(OUTER), 'Expires: 60']));
    expect(talk.expected()).toEqual([`udp ${SERVER} > ${OUTER}:4000 180`]);
  });

  test('by TCP everything later is shifted by what all messages of a segment changed', () => {
    const talk = new Talk('sip', 'tcp', 5060, { masqueraded: true });
    const sequence = ({ bytes }: Heard): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(24);
    const text = request('INVITE', sdp(CLIENT)) + request('ACK', sdp(CLIENT));
    const first = talk.up(text);
    expect(first.text).toBe(request('INVITE', sdp(OUTER)) + request('ACK', sdp(OUTER)));
    expect(sequence(talk.up('x')) - sequence(first)).toBe(first.text!.length);
  });

  test('by TCP nothing is shifted if the last message is cut off, as in Linux', () => {
    const talk = new Talk('sip', 'tcp', 5060, { masqueraded: true });
    const sequence = ({ bytes }: Heard): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(24);
    const text = request('INVITE', sdp(CLIENT)) + request('ACK', sdp(CLIENT)).slice(0, -1);
    const first = talk.up(text);
    expect(first.text!.length).toBeGreaterThan(text.length);
    expect(sequence(talk.up('x')) - sequence(first)).toBe(text.length);
  });

  test('what would be longer than a packet can be is dropped', () => {
    const talk = new Talk('sip', 'udp', 5060, { masqueraded: true });
    const fill = `X: ${'y'.repeat(65200)}`;
    const heard = talk.up(request('INVITE', sdp(CLIENT), [fill]).padEnd(65507, '\n'));
    expect([heard.text, why(heard)]).toEqual([null, 'sip helper: cannot mangle the message']);
  });
});

test('sip: by TCP a message in two segments is not read', () => {
  const talk = new Talk('sip', 'tcp', 5060);
  const text = request('INVITE', sdp(CLIENT));
  talk.up(text.slice(0, -1));
  talk.up(text.slice(-1));
  expect(talk.expected()).toEqual([]);
  talk.up(text);
  expect(talk.expected()).toEqual(UP);
});

test('sip: there is a helper each for UDP and TCP, for both families', () => {
  expect(SIP_HELPERS.map(({ name, proto, families, ports }) => ({ name, proto, families, ports }))).toEqual([
    { name: 'sip', proto: 17, families: [2, 10], ports: [5060] },
    { name: 'sip', proto: 6, families: [2, 10], ports: [5060] },
  ]);
});

test('sip: whatever comes is read without a crash, and leaves as a whole packet or not at all', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...[
        'INVITE sip:',
        'REGISTER sip:a',
        'BYE sip:a',
        'SIP/2.0 200 OK',
        '\r\n',
        '\n',
        ' ',
        '\r\n ',
        ',',
        ';',
        ':',
      ],
      ...[
        'CSeq: 1 INVITE',
        'CSeq: 1 REGISTER',
        'm: ',
        'Contact: <sip:a@',
        'Via: SIP/2.0/UDP ',
        'Via: SIP/2.0/TCP ',
      ],
      ...[
        '10.0.0.1',
        '10.0.0.1:4000',
        '203.0.113.1:4000',
        '198.51.100.1:5060',
        'Expires: 60',
        'expires=9',
        'maddr=',
      ],
      ...[
        'received=',
        'rport=4000',
        'l: 5',
        'Content-Length: ',
        '\r\n\r\n',
        'v=0',
        'o=a IN IP4 ',
        'c=IN IP4 ',
        '9',
      ],
      ...['m=audio 4000', 'm=video 5000 x'],
    ),
  );
  const texts = fc.array(fc.tuple(fc.boolean(), fc.array(part, { maxLength: 40 })), { maxLength: 6 });
  fc.assert(
    fc.property(texts, fc.constantFrom('udp', 'tcp'), fc.boolean(), (all, proto, masqueraded) => {
      const talk = new Talk('sip', proto as 'udp' | 'tcp', 5060, { masqueraded });
      for (const [isUp, parts] of all) {
        const { bytes } = isUp ? talk.up(parts.join('')) : talk.down(parts.join(''));
        if (bytes.length > 0) expect((bytes[2]! << 8) | bytes[3]!).toBe(bytes.length);
      }
    }),
    { numRuns: 300 },
  );
});
