import { expect, test } from 'vitest';
import { ipv4Text } from '../packet/address.ts';
import { tcpPacket } from '../packet/build.ts';
import { IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { TH_ACK, TH_SYN } from '../packet/tcp.ts';
import { Wire } from './testing.mts';

const MAX = 4096;
const SYNS = 100_000;
const TALKERS = 100;
const SERVER = '10.1.0.1';

/** A segment of an established connection with a client of 10.0.0.0/16. */
function talk(client: number, flags: number, back = false): Uint8Array {
  const host = `10.0.0.${client}`;
  const seq = (flags & TH_SYN) === 0 ? 1 : 0;
  return back
    ? tcpPacket({ src: SERVER, dst: host, sport: 80, dport: 4000, flags, seq: 500 + seq, ack: 101 })
    : tcpPacket({ src: host, dst: SERVER, sport: 4000, dport: 80, flags, seq: 100 + seq, ack: 501 });
}

test('a flood of 100,000 SYNs never exceeds nf_conntrack_max, finds room each time, and drives no established flow out', () => {
  const wire = new Wire({ nf_conntrack_max: MAX, nf_conntrack_events: 0 });
  for (let client = 1; client <= TALKERS; client++) {
    wire.receive(talk(client, TH_SYN));
    wire.receive(talk(client, TH_SYN | TH_ACK, true));
    wire.receive(talk(client, TH_ACK));
  }
  let most = 0;
  for (let n = 0; n < SYNS; n++) {
    const spread = Math.imul(n + 1, 0x9e3779b1);
    // 10,000 a second, from anywhere but the clients' network: none is overdue before it is driven out.
    if (n % 10 === 0) wire.wait(1);
    wire.receive(
      tcpPacket({
        src: ipv4Text(spread | 0x20000000),
        dst: SERVER,
        sport: spread & 0xffff,
        dport: 80,
        flags: TH_SYN,
        seq: n,
      }),
    );
    most = Math.max(most, wire.ct.table.count);
    if (n % 100 !== 0) continue;
    const client = 1 + ((n / 100) % TALKERS);
    const back = n % 200 === 0;
    expect(wire.receive(talk(client, TH_ACK, back)).ctinfo).toBe(
      back ? IP_CT_ESTABLISHED_REPLY : IP_CT_ESTABLISHED,
    );
  }
  expect(most).toBe(MAX);
  const established = wire.flows().filter((flow) => flow.state === 'ESTABLISHED');
  expect(established).toHaveLength(TALKERS);
  const { early_drop, drop, created } = wire.ct.stats;
  expect([early_drop, drop]).toEqual([created - MAX, 0]);
});
