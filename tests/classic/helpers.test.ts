import { describe, expect, test } from 'vitest';
import { readFlow } from '../../engine/conntrack/flow-record.ts';
import { LINUX_2_4, LINUX_6_18, type Profile } from '../../engine/conntrack/profile.ts';
import { Settings } from '../../engine/conntrack/settings.ts';
import { testHost } from '../../engine/helper/testing.mts';
import { Firewall } from '../../engine/hook/firewall.ts';
import { Ruleset } from '../../engine/hook/ruleset.ts';
import { tcpPacket } from '../../engine/packet/build.ts';
import { viewOf } from '../../engine/packet/build-bytes.ts';
import { DLT_RAW } from '../../engine/packet/link.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';

/** Helpers of the flows that SYNs to some ports open. @param rules of the nat table */
function helpersOf(
  profile: Profile,
  ports: readonly number[],
  rules = '',
  sysctl?: readonly [string, number],
): readonly (string | null)[] {
  const ruleset = new Ruleset();
  const text = `*nat\n:PREROUTING ACCEPT [0:0]\n${rules}COMMIT\n`;
  expect(ruleset.load({ name: 'rules', text })).toEqual([]);
  const settings = new Settings(profile);
  if (sysctl !== undefined) settings.set(...sysctl);
  const firewall = new Firewall({ settings, host: testHost(), rules: ruleset.tables() });
  return ports.map((dport, i) => {
    const bytes = tcpPacket({ src: '10.0.0.1', dst: '198.51.100.1', sport: 4000 + i, dport, flags: 2 });
    const pkt = new Packet();
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.ifin = 3;
    firewall.receive(pkt, DLT_RAW, 1_000_000);
    return readFlow(firewall.conntrack, pkt.flow).helper;
  });
}

describe('helpers of the classic system', () => {
  test('go by port alone, as soon as their module is there; today a rule has to give them', () => {
    expect(helpersOf(LINUX_2_4, [21, 6667, 80, 5060])).toEqual(['ftp', 'irc', null, null]);
    expect(helpersOf(LINUX_6_18, [21, 6667])).toEqual([null, null]);
  });

  test('go by port no more with nf_conntrack_helper=0', () => {
    expect(helpersOf(LINUX_2_4, [21, 6667], '', ['nf_conntrack_helper', 0])).toEqual([null, null]);
  });

  test('go by the port that the flow is translated to', () => {
    const rules =
      '-A PREROUTING -p tcp --dport 2121 -j DNAT --to-destination 198.51.100.2:21\n-A PREROUTING -p tcp --dport 21 -j DNAT --to-destination 198.51.100.2:2121\n';
    expect(helpersOf(LINUX_2_4, [2121, 21], rules)).toEqual(['ftp', null]);
  });
});
