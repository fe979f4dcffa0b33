/** Whatever is said to a helper, it neither throws nor writes past the packet. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from './payload.ts';
import { Talk } from './testing.mts';

interface Service {
  readonly helper: string;
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  /** Something that it reads. */
  readonly sample: string;
}

const SERVICES: readonly Service[] = [
  { helper: 'tftp', proto: 'udp', port: 69, sample: '\0\x01file\0octet\0' },
  { helper: 'irc', proto: 'tcp', port: 6667, sample: 'PRIVMSG b :\x01DCC SEND f 167772161 5000\x01\r\n' },
  {
    helper: 'pptp',
    proto: 'tcp',
    port: 1723,
    sample: `\0\xa8\0\x01\x1a\x2b\x3c\x4d\0\x07${'\0'.repeat(158)}`,
  },
  { helper: 'amanda', proto: 'udp', port: 10080, sample: 'CONNECT DATA 50000 MESG 50001 INDEX 50002\n' },
  {
    helper: 'snmp',
    proto: 'udp',
    port: 161,
    sample: '0\x18\x02\x01\x01\x04\x01p\xa7\x10\x02\x01\x07\x02\x01\0\x02\x01\0',
  },
  { helper: 'snmp_trap', proto: 'udp', port: 162, sample: '0\x80\x02\x01\x01\x04\x01p\xa7\x80' },
  { helper: 'sane', proto: 'tcp', port: 6566, sample: '\0\0\0\x07\0\0\0\x01' },
];

const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 2 }));

/** A sample with some bytes changed, taken out or put in. */
function damaged(sample: string, changes: readonly (readonly [number, number, number])[]): Uint8Array {
  const bytes = [...bytesOf(sample)];
  for (const [where, byte, kind] of changes) {
    const at = where % (bytes.length + 1);
    bytes.splice(at, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [byte]));
  }
  return Uint8Array.from(bytes);
}

describe.each(SERVICES)('$helper', ({ helper, proto, port, sample }) => {
  test.each([false, true])('takes anything (translated: %s)', (masqueraded) => {
    const said = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(change, { maxLength: 6 }).map((changes) => damaged(sample, changes)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), said), { maxLength: 6 }), (lines) => {
        const talk = new Talk(helper, proto, port, { masqueraded });
        for (const [isUp, bytes] of lines) {
          const heard = isUp ? talk.up(bytes) : talk.down(bytes);
          if (heard.text !== null && !masqueraded) expect(bytesOf(heard.text)).toEqual(bytes);
        }
      }),
      { numRuns: 60 },
    );
  });
});
