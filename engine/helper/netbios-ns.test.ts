import { expect, test } from 'vitest';
import { Firewall } from '../hook/firewall.ts';
import { parsePrefix } from '../host/prefix.ts';
import { udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { IP_CT_NEW, IP_CT_RELATED, Packet, resetPacket } from '../packet/packet.ts';
import { testHost } from './testing.mts';

const LAN = 4;

/** A firewall on a host with a network that knows broadcasts. */
function onLan(): (src: string, dst: string, port: number, ifin: number) => Packet {
  const host = testHost();
  host.addDevice('lan0', { index: LAN });
  host.addAddress('lan0', parsePrefix('192.168.5.1/24')!);
  const firewall = new Firewall({ host, rules: [] });
  firewall.conntrack.autoHelpers = ['netbios-ns'];
  return (src, dst, port, ifin) => {
    const [sport, dport] = ifin === 0 ? [5555, port] : [port, 5555];
    const bytes = udpPacket({ src, dst, sport: sport!, dport: dport!, payload: 4 });
    const pkt = new Packet();
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.ifin = ifin;
    firewall.receive(pkt, DLT_RAW, 1_000_000);
    return pkt;
  };
}

test('netbios-ns: after a broadcast of this host every host of the network may answer, again and again', () => {
  const send = onLan();
  send('192.168.5.1', '192.168.5.255', 137, 0);
  for (const host of ['192.168.5.7', '192.168.5.8'])
    expect(send(host, '192.168.5.1', 137, LAN).ctinfo).toBe(IP_CT_RELATED);
  expect(send('192.168.6.7', '192.168.5.1', 137, LAN).ctinfo).toBe(IP_CT_NEW);
  expect(send('192.168.5.9', '192.168.5.1', 138, LAN).ctinfo).toBe(IP_CT_NEW);
});

test('netbios-ns: nobody may answer a question that was none, or was another’s', () => {
  const send = onLan();
  send('192.168.5.1', '192.168.5.7', 137, 0);
  expect(send('192.168.5.8', '192.168.5.1', 137, LAN).ctinfo).toBe(IP_CT_NEW);
});
