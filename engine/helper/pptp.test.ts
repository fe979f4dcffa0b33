import { expect, test } from 'vitest';
import { reasonOf } from '../base/reason.ts';
import { IPCT_DESTROY } from '../conntrack/events.ts';
import { F_MASTER, ROW_WORDS } from '../conntrack/flow-table.ts';
import { pptpGre } from '../packet/build-gre.ts';
import { ipv4 } from '../packet/build-ipv4.ts';
import * as M from './pptp-messages.ts';
import { OUTER, Talk } from './testing.mts';

const OWN = 0x1111;
const PEER = 0x2222;
const LENGTHS: Readonly<Record<number, number>> = {
  1: 156,
  2: 156,
  7: 168,
  8: 32,
  9: 220,
  10: 24,
  11: 28,
  12: 16,
  13: 148,
};

/** A control message with call ids at its first two fields and a good result. */
function message(type: number, first = 0, second = 0): Uint8Array {
  const bytes = new Uint8Array(LENGTHS[type]!);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length);
  view.setUint16(2, 1);
  view.setUint32(4, 0x1a2b3c4d);
  view.setUint16(8, type);
  view.setUint16(M.FIRST, first);
  view.setUint16(M.SECOND, second);
  if (type === M.OUTGOING_REPLY || type === M.INCOMING_REPLY) bytes[M.CALL_RESULT] = 1;
  if (type === M.START_REPLY) bytes[M.START_RESULT] = 1;
  return bytes;
}

function started(masqueraded = false): Talk {
  const talk = new Talk('pptp', 'tcp', 1723, { masqueraded });
  talk.up(message(M.START_REQUEST));
  talk.down(message(M.START_REPLY));
  return talk;
}

/** A call that the client made, answered. @param outer the client's call id as the server sees it */
function called(talk: Talk, outer = OWN): Talk {
  talk.up(message(M.OUTGOING_REQUEST, OWN));
  talk.down(message(M.OUTGOING_REPLY, PEER, outer));
  return talk;
}

function gre(talk: Talk, end: 0 | 1, callId: number, client = talk.client): void {
  const [src, dst] = end === 0 ? [client, talk.server] : [talk.server, client];
  const payload = pptpGre({ callId, seq: 1, payload: 3 });
  talk.packet(end, ipv4({ src, dst, proto: 47, payload }));
}

const BOTH = ['gre 10.0.0.1 > 198.51.100.1:8738 300', 'gre 198.51.100.1 > 10.0.0.1:4369 300'];

test('pptp: a call’s packets are expected both ways, and the first takes both places', () => {
  const talk = called(started());
  expect(talk.expected()).toEqual(BOTH);
  gre(talk, 1, OWN);
  expect(talk.expected()).toEqual([]);
  gre(talk, 0, PEER);
  const flow = talk.flows().find(({ protonum }) => protonum === 47)!;
  expect(flow.original).toMatchObject({ src: talk.server, srckey: PEER, dstkey: OWN });
  expect(flow.master).not.toBe(null);
  expect(talk.flows()).toHaveLength(2);
});

test('pptp: the server may call too', () => {
  const talk = started();
  talk.down(message(M.INCOMING_REQUEST, PEER));
  talk.up(message(M.INCOMING_REPLY, OWN, PEER));
  expect(talk.expected()).toEqual([]);
  talk.down(message(M.INCOMING_CONNECTED, OWN));
  expect(talk.expected()).toEqual(BOTH);
});

test('pptp: nothing is expected of a call on a connection that was not started, nor of an answer to another call', () => {
  expect(called(new Talk('pptp', 'tcp', 1723)).expected()).toEqual([]);
  expect(called(started(), OWN + 1).expected()).toEqual([]);
});

test('pptp: the end of a call takes its flow and what is expected with it', () => {
  const waiting = called(started());
  waiting.down(message(M.DISCONNECT_NOTIFY, PEER));
  expect(waiting.expected()).toEqual([]);
  const talking = called(started());
  gre(talking, 0, PEER);
  expect(talking.flows()).toHaveLength(2);
  const gone: string[] = [];
  talking.firewall.conntrack.sink = {
    event: (_flow, events, _now, reason) => {
      if ((events & IPCT_DESTROY) !== 0) gone.push(reasonOf(reason).name);
    },
  };
  talking.down(message(M.DISCONNECT_NOTIFY, PEER));
  expect(talking.flows().map(({ protonum }) => protonum)).toEqual([6]);
  expect(gone).toEqual(['call-ended']);
});

test('pptp: call ids are forgotten with the control connection', () => {
  const talk = called(started());
  const { conntrack } = talk.firewall;
  conntrack.flush();
  expect(talk.expected()).toEqual([]);
  gre(talk, 0, PEER);
  expect(talk.flows()[0]!.original).toMatchObject({ srckey: 0, dstkey: PEER });
});

test('pptp: the server of a masqueraded client sees the connection’s port as the call id', () => {
  const talk = started(true);
  const request = talk.up(message(M.OUTGOING_REQUEST, OWN)).text!;
  expect(request.slice(M.FIRST, M.FIRST + 2)).toBe(String.fromCharCode(4000 >> 8, 4000 & 255));
  const reply = talk.down(message(M.OUTGOING_REPLY, PEER, 4000)).text!;
  expect(reply.slice(M.SECOND, M.SECOND + 2)).toBe('\x11\x11');
  gre(talk, 1, 4000, OUTER);
  const flow = talk.flows().find(({ protonum }) => protonum === 47)!;
  expect(flow.reply).toMatchObject({ src: '10.0.0.1', srckey: OWN, dstkey: PEER });
});

test('pptp: call ids are forgotten with the call’s GRE flow, too', () => {
  const talk = called(started());
  gre(talk, 0, PEER);
  const { conntrack } = talk.firewall;
  conntrack.eachFlow((flow) => {
    if (talk.flows().length > 1 && conntrack.table.words[flow * ROW_WORDS + F_MASTER] !== 0)
      conntrack.delete(flow);
  });
  gre(talk, 0, PEER);
  expect(talk.flows().find(({ protonum }) => protonum === 47)!.original).toMatchObject({
    srckey: 0,
    dstkey: PEER,
  });
});
