import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import * as R from '../base/reason.ts';
import { reasonText } from '../base/reason-text.ts';
import { IPCT_ASSURED, IPCT_NEW, IPCT_PROTOINFO, IPCT_REPLY } from '../conntrack/events.ts';
import { type FlowRecord, readFlow } from '../conntrack/flow-record.ts';
import { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { Firewall } from '../hook/firewall.ts';
import { sctpPacket } from '../packet/build.ts';
import { ipPacket } from '../packet/build-ip.ts';
import { type SctpChunk, sctp } from '../packet/build-sctp.ts';
import { DLT_RAW } from '../packet/link.ts';
import { CTINFO_INVALID, IP_CT_NEW, Packet, resetPacket } from '../packet/packet.ts';
import { IPPROTO_SCTP } from '../packet/protocols.ts';
import * as CID from '../packet/sctp.ts';
import { SCTP_STATE_NAMES } from './sctp-states.ts';

/** Tags as the original (A) and the reply side (B) announce them; packets to that side carry them. */
const A = 0xa000_0001;
const B = 0xb000_0002;
const FOREIGN = 0xf000_0003;
const T = { flags: CID.SCTP_CHUNK_FLAG_T };
const ORIG = { src: '10.0.0.1', dst: '10.1.0.1', sport: 2000, dport: 36412 } as const;
const REPLY = { src: '10.1.0.1', dst: '10.0.0.1', sport: 36412, dport: 2000 } as const;

let settings: Settings;
let fw: Firewall;
let pkt: Packet;
let now: number;
let events: number;

beforeEach(() => {
  settings = new Settings();
  pkt = new Packet();
  now = 1000;
  const event = (_: number, mask: number): void => {
    events |= mask;
  };
  fw = new Firewall({ settings, sink: { event } });
});

function receive(bytes: Uint8Array): string {
  events = 0;
  resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
  pkt.time = now;
  fw.receive(pkt, DLT_RAW);
  if (pkt.ctinfo === CTINFO_INVALID) return `INVALID ${R.reasonOf(pkt.reason).name}`;
  return pkt.ctinfo === IP_CT_NEW ? 'NEW' : 'ESTABLISHED';
}

/** A packet from the original side, then one from the reply side. */
function orig(vtag: number, ...chunks: readonly SctpChunk[]): string {
  return receive(sctpPacket({ ...ORIG, vtag, chunks }));
}

function reply(vtag: number, ...chunks: readonly SctpChunk[]): string {
  return receive(sctpPacket({ ...REPLY, vtag, chunks }));
}

function flow(): FlowRecord {
  const flows: FlowRecord[] = [];
  fw.conntrack.eachFlow((row) => flows.push(readFlow(fw.conntrack, row)));
  expect(flows).toHaveLength(1);
  return flows[0]!;
}

const state = (): string => flow().state!;
const why = (): string => reasonText(pkt.reason, pkt.operands);
const chunk = (type: number, more: Partial<SctpChunk> = {}): SctpChunk => ({ type, ...more });
const withTag = (type: number, tag: number): SctpChunk => {
  const value = new Uint8Array(16);
  new DataView(value.buffer).setUint32(0, tag);
  return { type, value };
};
const init = (tag: number): SctpChunk => withTag(CID.SCTP_CID_INIT, tag);
const initAck = (tag: number): SctpChunk => withTag(CID.SCTP_CID_INIT_ACK, tag);
const DATA = chunk(CID.SCTP_CID_DATA, { value: 16 });
const HEARTBEAT = chunk(CID.SCTP_CID_HEARTBEAT);
const HEARTBEAT_ACK = chunk(CID.SCTP_CID_HEARTBEAT_ACK);
const COOKIE_ECHO = chunk(CID.SCTP_CID_COOKIE_ECHO, { value: 8 });
const COOKIE_ACK = chunk(CID.SCTP_CID_COOKIE_ACK);
const SHUTDOWN = chunk(CID.SCTP_CID_SHUTDOWN, { value: 4 });
const SHUTDOWN_ACK = chunk(CID.SCTP_CID_SHUTDOWN_ACK);
const SHUTDOWN_COMPLETE = chunk(CID.SCTP_CID_SHUTDOWN_COMPLETE);
const ABORT = chunk(CID.SCTP_CID_ABORT);

function handshake(): void {
  expect(orig(0, init(A))).toBe('NEW');
  expect(reply(A, initAck(B))).toBe('ESTABLISHED');
  expect(orig(B, COOKIE_ECHO)).toBe('ESTABLISHED');
  expect(reply(A, COOKIE_ACK)).toBe('ESTABLISHED');
}

describe('sctp: the course of an association', () => {
  test('a handshake and a shutdown pass through the kernel’s states, each with its own timeout', () => {
    const after = (_: string): string => `${state()} ${flow().timeout / 1000}`;
    expect([
      after(orig(0, init(A))),
      after(reply(A, initAck(B))),
      after(orig(B, COOKIE_ECHO)),
      after(reply(A, COOKIE_ACK)),
      after(orig(B, SHUTDOWN)),
      after(reply(A, SHUTDOWN_ACK)),
      after(orig(B, SHUTDOWN_COMPLETE)),
    ]).toEqual([
      'CLOSED 10',
      'COOKIE_WAIT 3',
      'COOKIE_ECHOED 3',
      'ESTABLISHED 210',
      'SHUTDOWN_SENT 3',
      'SHUTDOWN_ACK_SENT 3',
      'CLOSED 10',
    ]);
  });

  test('the timeout of a state is what its sysctl says when the packet comes', () => {
    handshake();
    settings.set('nf_conntrack_sctp_timeout_established', 7000);
    orig(B, DATA);
    expect(flow().timeout).toBe(7_000_000);
  });

  test('COOKIE ACK makes the flow ASSURED, and so it stays after the end', () => {
    handshake();
    expect(flow().status & IPS_ASSURED).not.toBe(0);
    orig(B, ABORT);
    expect(state()).toBe('CLOSED');
    expect(flow().status & IPS_ASSURED).not.toBe(0);
  });

  test('a flow can become ESTABLISHED and ASSURED although nothing was ever answered', () => {
    orig(B, HEARTBEAT);
    orig(0, init(A));
    orig(B, COOKIE_ECHO);
    expect(orig(B, COOKIE_ACK)).toBe('NEW');
    expect(state()).toBe('ESTABLISHED');
    expect(flow().status & (IPS_ASSURED | IPS_SEEN_REPLY)).toBe(IPS_ASSURED);
  });

  test('on another path a HEARTBEAT opens the flow and its answer establishes it', () => {
    expect(orig(B, HEARTBEAT)).toBe('NEW');
    expect(`${state()} ${flow().timeout}`).toBe('HEARTBEAT_SENT 30000');
    expect(reply(A, DATA)).toBe('INVALID sctp-vtag');
    expect(reply(A, HEARTBEAT_ACK)).toBe('ESTABLISHED');
    expect(`${state()} ${flow().timeout}`).toBe('ESTABLISHED 210000');
  });

  test('events tell a change of state and of ASSURED, but not a packet that changes nothing', () => {
    orig(0, init(A));
    expect(events).toBe(IPCT_NEW | IPCT_PROTOINFO);
    reply(A, initAck(B));
    expect(events).toBe(IPCT_REPLY | IPCT_PROTOINFO);
    orig(B, COOKIE_ECHO);
    expect(events).toBe(IPCT_PROTOINFO);
    reply(A, COOKIE_ACK);
    expect(events).toBe(IPCT_PROTOINFO | IPCT_ASSURED);
    reply(A, DATA);
    expect(events).toBe(0);
    orig(B, ABORT);
    reply(A, initAck(B));
    orig(B, COOKIE_ECHO);
    reply(A, COOKIE_ACK);
    expect(events).toBe(IPCT_PROTOINFO);
  });

  test('a restart keeps ESTABLISHED and takes over the new tags one by one', () => {
    handshake();
    expect(orig(0, init(A + 1))).toBe('ESTABLISHED');
    expect(reply(A, DATA)).toBe('INVALID sctp-vtag');
    expect(reply(A + 1, initAck(B + 1))).toBe('ESTABLISHED');
    expect(orig(B, DATA)).toBe('INVALID sctp-vtag');
    expect(orig(B + 1, COOKIE_ECHO)).toBe('ESTABLISHED');
    expect(reply(A + 1, COOKIE_ACK)).toBe('ESTABLISHED');
    expect(state()).toBe('ESTABLISHED');
  });

  test('an INIT repeated in CLOSED does not refresh the timer, so the flow ends ten seconds after the first', () => {
    orig(0, init(A));
    now += 9_000;
    expect(orig(0, init(A))).toBe('NEW');
    expect(pkt.reason).toBe(R.R_SCTP_INIT_CLOSED);
    expect(flow().timeout).toBe(1000);
    const { flowId } = flow();
    now += 1_000;
    orig(0, init(A));
    expect(flow().flowId).not.toBe(flowId);
  });
});

describe('sctp: packets that are malformed', () => {
  const short = (length: number): string =>
    receive(ipPacket(ORIG, IPPROTO_SCTP, sctp({ sport: 1, dport: 2, chunks: [init(A)] }).slice(0, length)));

  test('three bytes have no tuple, eleven no header, fifteen no chunk', () => {
    expect([3, 4, 11].map(short)).toEqual(['INVALID no-tuple', 'INVALID sctp-short', 'INVALID sctp-short']);
    settings.set('nf_conntrack_checksum', 0);
    expect([12, 15].map(short)).toEqual(['INVALID sctp-empty', 'INVALID sctp-empty']);
  });

  test('an INIT without room for its initiate tag and the rest of its 20 bytes is INVALID', () => {
    settings.set('nf_conntrack_checksum', 0);
    expect([31, 32].map(short)).toEqual(['INVALID sctp-init-short', 'NEW']);
  });

  test('a wrong CRC32c is INVALID, zero too, unless nf_conntrack_checksum is 0', () => {
    const bad = (checksum: number): string => receive(sctpPacket({ ...ORIG, chunks: [init(A)], checksum }));
    expect([bad(0), bad(1)]).toEqual(['INVALID sctp-crc', 'INVALID sctp-crc']);
    settings.set('nf_conntrack_checksum', 0);
    expect(bad(0)).toBe('NEW');
  });

  test('a chunk of length 0 is INVALID, below 4 counts as 4, beyond the packet ends it', () => {
    handshake();
    const data = (length: number, value = '\0'.repeat(16)): SctpChunk => ({ ...DATA, length, value });
    expect(orig(B, data(0), SHUTDOWN)).toBe('INVALID sctp-chunks');
    expect(why()).toBe('do_basic_checks failed. chunk num 0, type 0, len 0 flag 0');
    expect(orig(B, data(4000), SHUTDOWN)).toBe('ESTABLISHED');
    expect(state()).toBe('ESTABLISHED');
    expect(orig(B, data(17), SHUTDOWN)).toBe('ESTABLISHED');
    expect(state()).toBe('SHUTDOWN_SENT');
    expect(orig(B, data(1, '\x08\0\0\x10'))).toBe('ESTABLISHED');
    expect(state()).toBe('SHUTDOWN_ACK_SENT');
  });

  test('INIT, INIT ACK and SHUTDOWN COMPLETE stand alone, COOKIE ECHO and COOKIE ACK first', () => {
    handshake();
    for (const [first, second] of [
      [init(A), DATA],
      [DATA, init(A)],
      [initAck(A), HEARTBEAT],
      [SHUTDOWN_COMPLETE, DATA],
      [DATA, SHUTDOWN_COMPLETE],
      [DATA, COOKIE_ECHO],
      [HEARTBEAT, COOKIE_ACK],
    ])
      expect(orig(B, first!, second!)).toBe('INVALID sctp-chunks');
    expect(orig(B, COOKIE_ECHO, DATA)).toBe('ESTABLISHED');
    expect(orig(B, COOKIE_ACK, DATA)).toBe('ESTABLISHED');
  });

  test('every chunk of the first packet must be able to open a flow', () => {
    expect(orig(0, HEARTBEAT, chunk(192))).toBe('INVALID sctp-new');
    expect(why()).toBe('chunk 192 cannot open an association');
    expect(orig(B, COOKIE_ECHO)).toBe('INVALID sctp-tag');
    expect(orig(B, COOKIE_ECHO, HEARTBEAT)).toBe('NEW');
  });

  test('random bytes never throw, and only leave states that the kernel has a name for', () => {
    settings.set('nf_conntrack_checksum', 0);
    const bytes = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 4, 5, 7, 8, 10, 11, 20), fc.nat(255)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), bytes), { maxLength: 9 }), (packets) => {
        for (const [answer, payload] of packets) {
          const head = answer ? [142, 60, 7, 208] : [7, 208, 142, 60];
          receive(ipPacket(answer ? REPLY : ORIG, IPPROTO_SCTP, Uint8Array.from([...head, ...payload])));
        }
        fw.conntrack.eachFlow((row) =>
          expect(SCTP_STATE_NAMES.slice(1)).toContain(readFlow(fw.conntrack, row).state),
        );
      }),
    );
  });
});

describe('sctp: verification tags', () => {
  beforeEach(handshake);

  test('a wrong tag is INVALID with both tags told, and the timer runs on', () => {
    now += 5000;
    expect(orig(FOREIGN, DATA)).toBe('INVALID sctp-vtag');
    expect(why()).toBe('verification tag check failed f0000003 vs b0000002 for dir 0');
    expect(flow().timeout).toBe(205_000);
    expect(orig(B, DATA)).toBe('ESTABLISHED');
    expect(flow().timeout).toBe(210_000);
  });

  test('ABORT has the receiver’s tag, or with the T bit the sender’s own', () => {
    expect(orig(A, ABORT)).toBe('INVALID sctp-tag');
    expect(orig(B, { ...ABORT, ...T })).toBe('INVALID sctp-tag');
    expect(orig(FOREIGN, { ...ABORT, ...T })).toBe('INVALID sctp-tag');
    expect(state()).toBe('ESTABLISHED');
    expect(orig(A, { ...ABORT, ...T })).toBe('ESTABLISHED');
    expect(state()).toBe('CLOSED');
  });

  test('SHUTDOWN COMPLETE follows the same rule, INIT must have tag 0', () => {
    expect(orig(B, init(A))).toBe('INVALID sctp-tag');
    orig(B, SHUTDOWN);
    reply(A, SHUTDOWN_ACK);
    expect(orig(A, SHUTDOWN_COMPLETE)).toBe('INVALID sctp-tag');
    expect(orig(B, { ...SHUTDOWN_COMPLETE, ...T })).toBe('INVALID sctp-tag');
    expect(state()).toBe('SHUTDOWN_ACK_SENT');
    orig(A, { ...SHUTDOWN_COMPLETE, ...T });
    expect(state()).toBe('CLOSED');
  });

  test('SHUTDOWN ACK passes with any tag, and takes what stands beside it along', () => {
    expect(orig(FOREIGN, DATA, SHUTDOWN_ACK)).toBe('ESTABLISHED');
    orig(B, SHUTDOWN);
    expect(reply(FOREIGN, SHUTDOWN_ACK)).toBe('ESTABLISHED');
    expect(state()).toBe('SHUTDOWN_ACK_SENT');
  });

  test('a HEARTBEAT with another tag is let through but refreshes nothing', () => {
    now += 5000;
    expect(orig(FOREIGN, HEARTBEAT)).toBe('ESTABLISHED');
    expect(pkt.reason).toBe(R.R_SCTP_HEARTBEAT);
    expect(flow().timeout).toBe(205_000);
    expect(orig(FOREIGN, DATA)).toBe('INVALID sctp-vtag');
  });

  test('its HEARTBEAT ACK, with another tag too, proves it: the flow learns both tags anew', () => {
    orig(FOREIGN, HEARTBEAT);
    expect(reply(FOREIGN + 1, HEARTBEAT_ACK)).toBe('ESTABLISHED');
    expect(reply(FOREIGN + 2, HEARTBEAT_ACK)).toBe('INVALID sctp-tag');
    expect(reply(A, DATA)).toBe('INVALID sctp-vtag');
    expect(reply(FOREIGN + 1, DATA)).toBe('ESTABLISHED');
    expect(orig(FOREIGN, HEARTBEAT)).toBe('ESTABLISHED');
    expect(orig(FOREIGN, DATA)).toBe('ESTABLISHED');
  });

  test('a HEARTBEAT ACK with another tag proves nothing if it comes unasked or from the asking side', () => {
    expect(reply(FOREIGN, HEARTBEAT_ACK)).toBe('INVALID sctp-tag');
    orig(FOREIGN, HEARTBEAT);
    expect(orig(FOREIGN, HEARTBEAT_ACK)).toBe('INVALID sctp-tag');
    orig(B, HEARTBEAT);
    expect(reply(FOREIGN, HEARTBEAT_ACK)).toBe('INVALID sctp-tag');
  });

  test('a HEARTBEAT with another tag may carry no DATA and no second one', () => {
    expect(orig(FOREIGN, HEARTBEAT, DATA)).toBe('INVALID sctp-tag');
    expect(orig(FOREIGN, HEARTBEAT, HEARTBEAT)).toBe('INVALID sctp-tag');
    expect(orig(FOREIGN, HEARTBEAT, chunk(192))).toBe('ESTABLISHED');
  });
});

describe('sctp: several chunks in a packet', () => {
  test('each steps the state', () => {
    handshake();
    orig(B, SHUTDOWN, SHUTDOWN_ACK);
    expect(state()).toBe('SHUTDOWN_ACK_SENT');
  });

  test('what was done before an INVALID chunk stays done, without the timer', () => {
    handshake();
    orig(B, SHUTDOWN);
    now += 1000;
    expect(reply(FOREIGN, SHUTDOWN_ACK, ABORT)).toBe('INVALID sctp-tag');
    expect(`${state()} ${flow().timeout}`).toBe('SHUTDOWN_ACK_SENT 2000');
  });

  test('a chunk that the state has no place for is INVALID', () => {
    orig(0, HEARTBEAT);
    expect(reply(0, SHUTDOWN)).toBe('INVALID sctp-invalid');
    expect(why()).toBe('Invalid, old_state 8, dir 1, type 7');
  });
});

describe('sctp: INIT collision', () => {
  beforeEach(() => {
    orig(0, init(A));
    reply(0, init(B));
  });

  test('a late INIT ACK with another tag is INVALID, so the tags of the association that goes on stay', () => {
    expect(orig(B, initAck(A))).toBe('ESTABLISHED');
    expect(reply(A, initAck(B + 1))).toBe('INVALID sctp-collision');
    expect(orig(B, DATA)).toBe('ESTABLISHED');
  });

  test('a second INIT of one side takes the other side’s back: then its answer may bring another tag', () => {
    orig(0, init(A + 1));
    expect(reply(A + 1, initAck(B + 1))).toBe('ESTABLISHED');
    expect(state()).toBe('COOKIE_WAIT');
  });

  test('the same INIT sent twice does not', () => {
    orig(0, init(A));
    expect(reply(A, initAck(B + 1))).toBe('INVALID sctp-collision');
  });

  test('an INIT ACK of the side that nobody asked is INVALID', () => {
    orig(0, init(A + 1));
    expect(orig(B, initAck(A + 2))).toBe('INVALID sctp-collision');
  });

  test('COOKIE ACK ends it: an INIT ACK that comes later is INVALID unless it repeats the tag', () => {
    expect(reply(A, initAck(B))).toBe('ESTABLISHED');
    orig(B, COOKIE_ECHO);
    reply(A, COOKIE_ACK);
    expect(reply(A, initAck(B + 1))).toBe('INVALID sctp-collision');
    expect(orig(B, initAck(A + 1))).toBe('INVALID sctp-collision');
    expect(reply(A, initAck(B))).toBe('ESTABLISHED');
  });
});
