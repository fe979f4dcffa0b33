import { describe, expect, test } from 'vitest';
import { R_SCTP_INVALID, R_SCTP_VTAG } from '../base/reason.ts';
import { readFlow } from '../conntrack/flow-record.ts';
import { IPS_ASSURED } from '../conntrack/status.ts';
import { Firewall } from '../hook/firewall.ts';
import { sctpPacket } from '../packet/build.ts';
import { DLT_RAW } from '../packet/link.ts';
import { CTINFO_INVALID, IP_CT_NEW, Packet, resetPacket } from '../packet/packet.ts';
import * as CID from '../packet/sctp.ts';
import { nextSctpState, SCTP_STATE_NAMES } from './sctp-states.ts';

// Measured chunk by chunk on Linux 6.18, each cell in a fresh association: what becomes of the packet when the
// original or the reply side sends it, the state after it, and A if the flow is ASSURED. EST and NEW are ct
// states. TAG: INVALID, "verification tag check failed"; STATE: INVALID, "Invalid, old_state ..."; INVALID: so
// without a word. Packets carry the tag that the peer announced, INIT none.
const MEASURED = `
none
  DATA              | INVALID -                 | INVALID -
  INIT              | NEW CLOSED                | NEW CLOSED
  INIT_ACK          | TAG -                     | TAG -
  SACK              | INVALID -                 | INVALID -
  HEARTBEAT         | NEW HEARTBEAT_SENT        | NEW HEARTBEAT_SENT
  HEARTBEAT_ACK     | NEW CLOSED                | NEW CLOSED
  ABORT             | INVALID -                 | INVALID -
  SHUTDOWN          | TAG -                     | TAG -
  SHUTDOWN_ACK      | NEW SHUTDOWN_ACK_SENT     | NEW SHUTDOWN_ACK_SENT
  ERROR             | TAG -                     | TAG -
  COOKIE_ECHO       | INVALID -                 | INVALID -
  COOKIE_ACK        | INVALID -                 | INVALID -
  SHUTDOWN_COMPLETE | INVALID -                 | INVALID -
CLOSED(after INIT)
  DATA              | TAG CLOSED                | EST CLOSED
  INIT              | NEW CLOSED                | EST CLOSED
  INIT_ACK          | TAG CLOSED                | EST COOKIE_WAIT
  SACK              | TAG CLOSED                | EST CLOSED
  HEARTBEAT         | NEW CLOSED                | EST CLOSED
  HEARTBEAT_ACK     | NEW CLOSED                | EST CLOSED
  ABORT             | INVALID CLOSED            | EST CLOSED
  SHUTDOWN          | TAG CLOSED                | EST CLOSED
  SHUTDOWN_ACK      | NEW CLOSED                | EST CLOSED
  ERROR             | TAG CLOSED                | EST CLOSED
  COOKIE_ECHO       | INVALID CLOSED            | EST CLOSED
  COOKIE_ACK        | TAG CLOSED                | EST CLOSED
  SHUTDOWN_COMPLETE | INVALID CLOSED            | EST CLOSED
COOKIE_WAIT
  DATA              | EST COOKIE_WAIT           | EST COOKIE_WAIT
  INIT              | EST COOKIE_WAIT           | EST COOKIE_WAIT
  INIT_ACK          | EST COOKIE_WAIT           | EST COOKIE_WAIT
  SACK              | EST COOKIE_WAIT           | EST COOKIE_WAIT
  HEARTBEAT         | EST COOKIE_WAIT           | EST COOKIE_WAIT
  HEARTBEAT_ACK     | EST COOKIE_WAIT           | EST COOKIE_WAIT
  ABORT             | EST CLOSED                | EST CLOSED
  SHUTDOWN          | EST COOKIE_WAIT           | EST COOKIE_WAIT
  SHUTDOWN_ACK      | EST COOKIE_WAIT           | EST COOKIE_WAIT
  ERROR             | EST COOKIE_WAIT           | EST COOKIE_WAIT
  COOKIE_ECHO       | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  COOKIE_ACK        | EST COOKIE_WAIT           | EST COOKIE_WAIT
  SHUTDOWN_COMPLETE | EST COOKIE_WAIT           | EST COOKIE_WAIT
COOKIE_ECHOED
  DATA              | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  INIT              | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  INIT_ACK          | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  SACK              | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  HEARTBEAT         | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  HEARTBEAT_ACK     | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  ABORT             | EST CLOSED                | EST CLOSED
  SHUTDOWN          | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  SHUTDOWN_ACK      | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  ERROR             | EST COOKIE_ECHOED         | EST CLOSED
  COOKIE_ECHO       | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
  COOKIE_ACK        | EST ESTABLISHED A         | EST ESTABLISHED A
  SHUTDOWN_COMPLETE | EST COOKIE_ECHOED         | EST COOKIE_ECHOED
ESTABLISHED
  DATA              | EST ESTABLISHED A         | EST ESTABLISHED A
  INIT              | EST ESTABLISHED A         | EST ESTABLISHED A
  INIT_ACK          | EST ESTABLISHED A         | EST ESTABLISHED A
  SACK              | EST ESTABLISHED A         | EST ESTABLISHED A
  HEARTBEAT         | EST ESTABLISHED A         | EST ESTABLISHED A
  HEARTBEAT_ACK     | EST ESTABLISHED A         | EST ESTABLISHED A
  ABORT             | EST CLOSED A              | EST CLOSED A
  SHUTDOWN          | EST SHUTDOWN_SENT A       | EST SHUTDOWN_RECD A
  SHUTDOWN_ACK      | EST ESTABLISHED A         | EST ESTABLISHED A
  ERROR             | EST ESTABLISHED A         | EST ESTABLISHED A
  COOKIE_ECHO       | EST ESTABLISHED A         | EST ESTABLISHED A
  COOKIE_ACK        | EST ESTABLISHED A         | EST ESTABLISHED A
  SHUTDOWN_COMPLETE | EST ESTABLISHED A         | EST ESTABLISHED A
SHUTDOWN_SENT
  DATA              | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  INIT              | EST CLOSED A              | EST SHUTDOWN_SENT A
  INIT_ACK          | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  SACK              | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  HEARTBEAT         | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  HEARTBEAT_ACK     | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  ABORT             | EST CLOSED A              | EST CLOSED A
  SHUTDOWN          | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  SHUTDOWN_ACK      | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  ERROR             | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  COOKIE_ECHO       | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  COOKIE_ACK        | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
  SHUTDOWN_COMPLETE | EST SHUTDOWN_SENT A       | EST SHUTDOWN_SENT A
SHUTDOWN_RECD
  DATA              | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  INIT              | EST CLOSED A              | EST SHUTDOWN_RECD A
  INIT_ACK          | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  SACK              | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  HEARTBEAT         | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  HEARTBEAT_ACK     | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  ABORT             | EST CLOSED A              | EST CLOSED A
  SHUTDOWN          | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  SHUTDOWN_ACK      | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  ERROR             | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  COOKIE_ECHO       | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  COOKIE_ACK        | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
  SHUTDOWN_COMPLETE | EST SHUTDOWN_RECD A       | EST SHUTDOWN_RECD A
SHUTDOWN_ACK_SENT
  DATA              | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  INIT              | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  INIT_ACK          | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  SACK              | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  HEARTBEAT         | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  HEARTBEAT_ACK     | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  ABORT             | EST CLOSED A              | EST CLOSED A
  SHUTDOWN          | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  SHUTDOWN_ACK      | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  ERROR             | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  COOKIE_ECHO       | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  COOKIE_ACK        | EST SHUTDOWN_ACK_SENT A   | EST SHUTDOWN_ACK_SENT A
  SHUTDOWN_COMPLETE | EST CLOSED A              | EST CLOSED A
CLOSED(end)
  DATA              | EST CLOSED A              | EST CLOSED A
  INIT              | EST CLOSED A              | EST CLOSED A
  INIT_ACK          | EST CLOSED A              | EST COOKIE_WAIT A
  SACK              | EST CLOSED A              | EST CLOSED A
  HEARTBEAT         | EST CLOSED A              | EST CLOSED A
  HEARTBEAT_ACK     | EST CLOSED A              | EST CLOSED A
  ABORT             | EST CLOSED A              | EST CLOSED A
  SHUTDOWN          | EST CLOSED A              | EST CLOSED A
  SHUTDOWN_ACK      | EST CLOSED A              | EST CLOSED A
  ERROR             | EST CLOSED A              | EST CLOSED A
  COOKIE_ECHO       | EST CLOSED A              | EST CLOSED A
  COOKIE_ACK        | EST CLOSED A              | EST CLOSED A
  SHUTDOWN_COMPLETE | EST CLOSED A              | EST CLOSED A
HEARTBEAT_SENT
  DATA              | NEW HEARTBEAT_SENT        | TAG HEARTBEAT_SENT
  INIT              | NEW COOKIE_WAIT           | STATE HEARTBEAT_SENT
  INIT_ACK          | NEW CLOSED                | TAG HEARTBEAT_SENT
  SACK              | NEW HEARTBEAT_SENT        | TAG HEARTBEAT_SENT
  HEARTBEAT         | NEW HEARTBEAT_SENT        | EST HEARTBEAT_SENT
  HEARTBEAT_ACK     | NEW HEARTBEAT_SENT        | EST ESTABLISHED A
  ABORT             | NEW CLOSED                | INVALID HEARTBEAT_SENT
  SHUTDOWN          | NEW CLOSED                | TAG HEARTBEAT_SENT
  SHUTDOWN_ACK      | NEW SHUTDOWN_ACK_SENT     | STATE HEARTBEAT_SENT
  ERROR             | NEW CLOSED                | TAG HEARTBEAT_SENT
  COOKIE_ECHO       | NEW CLOSED                | INVALID HEARTBEAT_SENT
  COOKIE_ACK        | NEW CLOSED                | TAG HEARTBEAT_SENT
  SHUTDOWN_COMPLETE | NEW CLOSED                | INVALID HEARTBEAT_SENT
`;

const A = 0xa000_0001;
const B = 0xb000_0002;
type Step = readonly [dir: number, type: number];
const INIT: readonly Step[] = [[0, CID.SCTP_CID_INIT]];
const WAIT: readonly Step[] = [...INIT, [1, CID.SCTP_CID_INIT_ACK]];
const ECHOED: readonly Step[] = [...WAIT, [0, CID.SCTP_CID_COOKIE_ECHO]];
const UP: readonly Step[] = [...ECHOED, [1, CID.SCTP_CID_COOKIE_ACK]];
const DOWN: readonly Step[] = [...UP, [0, CID.SCTP_CID_SHUTDOWN], [1, CID.SCTP_CID_SHUTDOWN_ACK]];
const WAYS: Readonly<Record<string, readonly Step[]>> = {
  none: [],
  'CLOSED(after INIT)': INIT,
  COOKIE_WAIT: WAIT,
  COOKIE_ECHOED: ECHOED,
  ESTABLISHED: UP,
  SHUTDOWN_SENT: DOWN.slice(0, -1),
  SHUTDOWN_RECD: [...UP, [1, CID.SCTP_CID_SHUTDOWN]],
  SHUTDOWN_ACK_SENT: DOWN,
  'CLOSED(end)': [...DOWN, [0, CID.SCTP_CID_SHUTDOWN_COMPLETE]],
  HEARTBEAT_SENT: [[0, CID.SCTP_CID_HEARTBEAT]],
};
const TYPES = new Map(Array.from({ length: 16 }, (_, type) => [CID.chunkName(type), type]));

/** Sends one chunk with the tag that its receiver expects: the reply side announced B, the original side A. */
function send(fw: Firewall, pkt: Packet, [dir, type]: Step, now: number): void {
  const [src, dst] = dir === 0 ? ['10.0.0.1', '10.1.0.1'] : ['10.1.0.1', '10.0.0.1'];
  const [sport, dport] = dir === 0 ? [2000, 36412] : [36412, 2000];
  const value = new Uint8Array(16);
  new DataView(value.buffer).setUint32(0, dir === 0 ? A : B);
  const vtag = type === CID.SCTP_CID_INIT ? 0 : dir === 0 ? B : A;
  const bytes = sctpPacket({
    src: src!,
    dst: dst!,
    sport: sport!,
    dport: dport!,
    vtag,
    chunks: [{ type, value }],
  });
  resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
  pkt.time = now;
  fw.receive(pkt, DLT_RAW);
}

/** What the engine says, in the words of the table. */
function outcome(way: readonly Step[], step: Step): string {
  const fw = new Firewall();
  const pkt = new Packet();
  for (const before of way) send(fw, pkt, before, 1000);
  send(fw, pkt, step, 2000);
  let after = '-';
  fw.conntrack.eachFlow((flow) => {
    const { state, status } = readFlow(fw.conntrack, flow);
    after = `${state}${(status & IPS_ASSURED) !== 0 ? ' A' : ''}`;
  });
  if (pkt.ctinfo !== CTINFO_INVALID) return `${pkt.ctinfo === IP_CT_NEW ? 'NEW' : 'EST'} ${after}`;
  const why = pkt.reason === R_SCTP_VTAG ? 'TAG' : pkt.reason === R_SCTP_INVALID ? 'STATE' : 'INVALID';
  return `${why} ${after}`;
}

describe('every chunk in every state does what the kernel was measured to do', () => {
  for (const block of MEASURED.trim().split(/\n(?! )/)) {
    const [name, ...lines] = block.split('\n');
    test(name!, () => {
      const told = lines.map((line) => {
        const chunk = line.split('|')[0]!.trim();
        const cells = [0, 1].map((dir) => outcome(WAYS[name!]!, [dir, TYPES.get(chunk)!]));
        return `  ${chunk.padEnd(18)}| ${cells[0]!.padEnd(26)}| ${cells[1]}`;
      });
      expect(told).toEqual(lines);
    });
  }
});

test('a chunk type that the table does not know changes no state', () => {
  for (let state = 0; state < SCTP_STATE_NAMES.length; state++)
    for (const dir of [0, 1])
      for (const type of [CID.SCTP_CID_DATA, CID.SCTP_CID_SACK, 12, 13, 15, 16, 64, 128, 192, 255])
        expect(nextSctpState(dir, state, type)).toBe(state);
});
