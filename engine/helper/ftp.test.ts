import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reasonOf } from '../base/reason.ts';
import { tcpPacket } from '../packet/build.ts';
import { IP_CT_NEW, IP_CT_RELATED } from '../packet/packet.ts';
import { ftpHelper } from './ftp.ts';
import { FtpLines } from './ftp-lines.ts';
import { OUTER, Talk, type TalkOptions } from './testing.mts';

/** A control connection behind its greeting and first command. */
function control(options: TalkOptions = {}): Talk {
  const talk = new Talk('ftp', 'tcp', 21, options);
  talk.down('220 ready\r\n');
  talk.up('USER x\r\n');
  return talk;
}

const PORT = 'PORT 10,0,0,1,4,1\r\n';
const IPV6: TalkOptions = { client: 'fd00::7', server: '2001:db8::9' };

describe('FTP', () => {
  test.each([
    ['PORT', 0, PORT],
    ['EPRT', 0, 'EPRT |1|10.0.0.1|1025|\r\n'],
  ] as const)('%s: the server connects to the client', (_, end, line) => {
    const talk = control();
    expect((end === 0 ? talk.up(line) : talk.down(line)).text).toBe(line);
    expect(talk.expected()).toEqual(['tcp 198.51.100.1 > 10.0.0.1:1025 300']);
  });

  test.each(['227 Entering Passive Mode (198,51,100,1,4,1)\r\n', '229 Entering (|||1025|)\r\n'])(
    '%s: the client connects to the server',
    (line) => {
      const talk = control();
      talk.down(line);
      expect(talk.expected()).toEqual(['tcp 10.0.0.1 > 198.51.100.1:1025 300']);
    },
  );

  test('over IPv6', () => {
    const talk = control(IPV6);
    talk.up('EPRT |2|fd00::7|1025|\r\n');
    expect(talk.expected()).toEqual(['tcp 2001:db8::9 > fd00::7:1025 300']);
    talk.down('229 Entering (|||1026|)\r\n');
    expect(talk.expected()).toEqual(['tcp fd00::7 > 2001:db8::9:1026 300']);
  });

  test('a byte of 0 ends an IPv6 address too', () => {
    const talk = control(IPV6);
    talk.up('EPRT |2|fd00::7\x001025|\r\n');
    expect(talk.expected()).toEqual(['tcp 2001:db8::9 > fd00::7:1025 300']);
  });

  test('a data connection is RELATED, once', () => {
    const talk = control();
    talk.up(PORT);
    const syn = (sport: number): number =>
      talk.packet(1, tcpPacket({ src: talk.server, dst: talk.client, sport, dport: 1025, flags: 2 })).pkt
        .ctinfo;
    expect([syn(20), syn(21)]).toEqual([IP_CT_RELATED, IP_CT_NEW]);
  });

  test('of masqueraded clients the address is replaced, and the numbers behind it are shifted', () => {
    const talk = control({ masqueraded: true });
    expect(talk.up(PORT).text).toBe('PORT 203,0,113,1,4,1\r\n');
    expect(talk.expected()).toEqual([`tcp 198.51.100.1 > ${OUTER}:1025 300`]);
    const { bytes } = talk.up('NOOP\r\n');
    // 3 bytes longer: 1 + 8 + 19 were said before it.
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(24)).toBe(1001 + 8 + 19 + 3);
    const data = { src: talk.server, dst: OUTER, sport: 20, dport: 1025, flags: 2 };
    expect(talk.packet(1, tcpPacket(data)).bytes.slice(16, 20)).toEqual(Uint8Array.of(10, 0, 0, 1));
  });

  test('two clients behind one address that announce the same port get two', () => {
    const talk = control({ masqueraded: true });
    talk.up(PORT);
    const other = { src: '10.0.0.2', dst: talk.server, sport: 4001, dport: 21 };
    const answer = { src: talk.server, dst: OUTER, sport: 21, dport: 4001 };
    const say = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    talk.packet(0, tcpPacket({ ...other, flags: 2, seq: 10 }));
    talk.packet(1, tcpPacket({ ...answer, flags: 18, seq: 70, ack: 11 }));
    talk.packet(0, tcpPacket({ ...other, flags: 16, seq: 11, ack: 71, payload: say('USER y\r\n') }));
    const line = say('PORT 10,0,0,2,4,1\r\n');
    const { text } = talk.packet(0, tcpPacket({ ...other, flags: 16, seq: 19, ack: 71, payload: line }));
    const [, high, low] = /^PORT 203,0,113,1,(\d+),(\d+)\r\n$/.exec(text!)!;
    const port = Number(high) * 256 + Number(low);
    expect(port).toBeGreaterThan(1025);
    expect(talk.expected().at(-1)).toBe(`tcp 198.51.100.1 > ${OUTER}:${port} 300`);
  });

  test('a line is read only where one is known to begin', () => {
    const talk = new Talk('ftp', 'tcp', 21);
    talk.up(PORT);
    expect(talk.expected()).toEqual([]);
    talk.up(PORT);
    expect(talk.expected()).toHaveLength(1);
  });

  test.each([
    'PORT 10,0,0,1,4',
    'PORT  10,0,0,1,4,1\r\n',
    'PORT 10,0,0,1,4,1\n',
    'P',
    'EPRT |2|10.0.0.1|1025|\r\n',
  ])('%j is dropped: its sender has to say it whole', (line) => {
    const { text, pkt } = control().up(line);
    expect([text, reasonOf(pkt.reason).name]).toEqual([null, 'helper-partial']);
  });

  test('somebody else’s address is not believed, unless the helper is loose', () => {
    const line = 'PORT 10,0,0,9,4,1\r\n';
    const talk = control();
    expect(talk.up(line).text).toBe(line);
    expect(talk.expected()).toEqual([]);
    const loose = control();
    loose.firewall.conntrack.helpers = [ftpHelper({ loose: true })];
    const open = (sport: number): void => {
      const ends = { src: '10.0.0.1', dst: loose.server, sport, dport: 21 };
      loose.packet(0, tcpPacket({ ...ends, flags: 2, seq: 10 }));
      const back = { src: loose.server, dst: '10.0.0.1', sport: 21, dport: sport };
      loose.packet(1, tcpPacket({ ...back, flags: 18, seq: 70, ack: 11 }));
      for (const [seq, text] of [
        [11, 'USER x\r\n'],
        [19, line],
      ] as const) {
        const payload = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
        loose.packet(0, tcpPacket({ ...ends, flags: 16, seq, ack: 71, payload }));
      }
    };
    open(5000);
    expect(loose.expected()).toEqual(['tcp 198.51.100.1 > 10.0.0.9:1025 300']);
  });

  test('whatever is said in whatever pieces, nothing throws and nothing foreign is expected', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        PORT,
        'PORT ',
        '10,0,0,1',
        ',4,1',
        '\r\n',
        'EPRT |1|10.0.0.1|',
        '1025|',
        '\n',
        '227 (',
        '229 (|||',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    );
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.tuple(fc.boolean(), piece), { maxLength: 12 }),
        (masqueraded, said) => {
          const talk = control({ masqueraded });
          for (const [isUp, text] of said)
            if (isUp) talk.up(text);
            else talk.down(text);
          for (const line of talk.expected())
            expect(line).toMatch(
              /^tcp (198\.51\.100\.1 > (10\.0\.0\.1|203\.0\.113\.1)|10\.0\.0\.1 > 198\.51\.100\.1):/,
            );
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('the places where lines begin', () => {
  test('are the last two of each direction, over the end of the circle too', () => {
    const lines = new FtpLines();
    for (const seq of [-5, 10, 20]) lines.note(0, seq);
    expect([-5, 10, 20].map((seq) => lines.begins(0, seq))).toEqual([false, true, true]);
    lines.note(0, 15);
    expect([10, 15, 20].map((seq) => lines.begins(0, seq))).toEqual([false, true, true]);
    lines.note(0, 5);
    expect([5, 15, 20].map((seq) => lines.begins(0, seq))).toEqual([false, true, true]);
    expect(lines.begins(1, 20)).toBe(false);
  });
});
