import { beforeEach, describe, expect, test } from 'vitest';
import {
  genericPacket,
  icmpPacket,
  icmpv6Packet,
  sctpPacket,
  tcpPacket,
  udpPacket,
} from '../packet/build.ts';
import { fragmentIpv4 } from '../packet/build-fragment.ts';
import type { Chain } from '../rules/chain.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { runChain } from '../rules/run.ts';
import { arrive, type Heard, newState } from '../rules/testing.mts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';
import { Xtables } from './xtables.ts';

const ENDS = { src: '10.0.0.7', dst: '192.0.2.9' };
const SYN = 2;
const ACK = 16;

let state: HookState & { effects: Heard };
beforeEach(() => {
  state = newState();
});

/** FORWARD of a fresh table with these rules. */
function chainOf(rules: readonly string[], backend: 'nft' | 'legacy' = 'nft', family = NFPROTO_IPV4): Chain {
  const tables = new Xtables(family, { backend });
  for (const rule of rules) tables.commandLine(`-A FORWARD ${rule}`);
  return tables.tables()[0]!.chains.get('FORWARD')!;
}

/** Whether a rule that drops what it matches matches a packet. */
function matches(
  rule: string,
  packet: Uint8Array,
  backend: 'nft' | 'legacy' = 'nft',
  family = NFPROTO_IPV4,
): boolean {
  const chain = chainOf([`${rule} -j DROP`], backend, family);
  arrive(state, packet);
  return runChain(chain, state) === NF_DROP;
}

function tcp(flags: number, more: Partial<Parameters<typeof tcpPacket>[0]> = {}): Uint8Array {
  return tcpPacket({ ...ENDS, sport: 1025, dport: 22, flags, ...more });
}

describe.each(['nft', 'legacy'] as const)('by iptables-%s', (backend) => {
  const hit = (rule: string, packet: Uint8Array): boolean => matches(rule, packet, backend);

  test('addresses, devices and their negations', () => {
    expect(hit('-s 10.0.0.0/29', tcp(SYN))).toBe(true);
    expect(hit('! -s 10.0.0.0/29', tcp(SYN))).toBe(false);
    expect(hit('-d 192.0.0.9/255.255.0.255', tcp(SYN))).toBe(true);
    expect(hit('-d 192.0.0.8/255.255.0.255', tcp(SYN))).toBe(false);
    expect(hit('-i eth0 -o eth+', tcp(SYN))).toBe(true);
    expect(hit('-i eth', tcp(SYN))).toBe(false);
    expect(hit('! -i +', tcp(SYN))).toBe(false);
  });

  test('ports, in ranges whose ends count', () => {
    expect(hit('-p tcp --dport 22', tcp(SYN))).toBe(true);
    expect(hit('-p tcp --sport 1024:1025', tcp(SYN))).toBe(true);
    expect(hit('-p tcp ! --sport 1025:', tcp(SYN))).toBe(false);
    expect(hit('-p udp --dport :53', udpPacket({ ...ENDS, sport: 1, dport: 53 }))).toBe(true);
    expect(hit('-p tcp -m multiport --dports 21,22:23', tcp(SYN))).toBe(true);
    expect(hit('-p tcp -m multiport ! --ports 80,1025', tcp(SYN))).toBe(false);
  });

  test('--syn is a SYN without ACK, RST and FIN', () => {
    expect(hit('-p tcp --syn', tcp(SYN))).toBe(true);
    expect(hit('-p tcp --syn', tcp(SYN | ACK))).toBe(false);
    expect(hit('-p tcp ! --syn', tcp(ACK))).toBe(true);
    expect(hit('-p tcp --tcp-flags ALL NONE', tcp(0))).toBe(true);
  });

  test('an option of TCP is looked for among the options, not in the payload', () => {
    const mss = { mss: 1460 };
    expect(hit('-p tcp --tcp-option 2', tcp(SYN, { options: mss }))).toBe(true);
    expect(hit('-p tcp --tcp-option 2', tcp(SYN, { payload: Uint8Array.of(2, 4, 5, 0xb4) }))).toBe(false);
    expect(hit('-p tcp ! --tcp-option 2', tcp(SYN, { options: mss }))).toBe(false);
  });

  test('ICMP by type and code', () => {
    const unreachable = icmpPacket({ ...ENDS, type: 3, code: 1 });
    expect(hit('-p icmp --icmp-type host-unreachable', unreachable)).toBe(true);
    expect(hit('-p icmp --icmp-type 3', unreachable)).toBe(true);
    expect(hit('-p icmp ! --icmp-type 3/1', unreachable)).toBe(false);
    expect(hit('-p icmp --icmp-type any', unreachable)).toBe(true);
  });

  test('states of connections', () => {
    expect(hit('-m state --state NEW', tcp(SYN))).toBe(true);
    expect(hit('-m conntrack ! --ctstate ESTABLISHED,RELATED', tcp(SYN))).toBe(true);
    expect(hit('-m conntrack --ctstate INVALID', tcp(SYN | 1))).toBe(true);
    // Without a flow nothing but the state is asked.
    expect(hit('-m conntrack --ctstate INVALID --ctproto 17', tcp(SYN | 1))).toBe(true);
    expect(hit('-m conntrack --ctorigsrc 10.0.0.0/24 --ctorigdstport 22 --ctdir ORIGINAL', tcp(SYN))).toBe(
      true,
    );
    expect(hit('-m conntrack --ctdir REPLY', tcp(SYN))).toBe(false);
    expect(hit('-m conntrack --ctstatus NONE', tcp(SYN))).toBe(false);
  });
});

describe('a transport header that is cut off', () => {
  const short = genericPacket({ ...ENDS, proto: 6, payload: Uint8Array.of(4, 1, 0, 22, 0, 0, 0, 0) });

  test('drops the packet by iptables-legacy', () => {
    const chain = chainOf(['-p tcp --dport 80 -j ACCEPT'], 'legacy');
    arrive(state, short);
    expect(runChain(chain, state)).toBe(NF_DROP);
  });

  test('is compared as far as it goes by iptables-nft', () => {
    const chain = chainOf(['-p tcp --dport 80 -j DROP']);
    arrive(state, short);
    expect(runChain(chain, state)).toBe(NF_ACCEPT);
  });
});

test('a later fragment has no ports, and -f tells it from the first', () => {
  const [first, second] = fragmentIpv4(udpPacket({ ...ENDS, sport: 1, dport: 53, payload: 64 }), 32);
  expect(matches('-f', first!)).toBe(false);
  expect(matches('-f', second!)).toBe(true);
  expect(matches('-p udp --dport 53', second!, 'legacy')).toBe(false);
  expect(matches('! -f', second!)).toBe(false);
});

test('ICMPv6 by type, behind a policy of the table', () => {
  const request = icmpv6Packet({ src: '2001:db8::1', dst: '2001:db8::2', type: 128 });
  expect(matches('-p icmpv6 --icmpv6-type echo-request', request, 'nft', NFPROTO_IPV6)).toBe(true);
  expect(matches('-p icmpv6 ! --icmpv6-type 128', request, 'legacy', NFPROTO_IPV6)).toBe(false);
});

test('chunks of SCTP: any of them, all of them, only them', () => {
  const packet = sctpPacket({
    ...ENDS,
    sport: 1,
    dport: 2,
    chunks: [
      { type: 3, value: new Uint8Array(12) },
      { type: 0, flags: 3, value: new Uint8Array(13) },
    ],
  });
  expect(matches('-p sctp --chunk-types any DATA', packet)).toBe(true);
  expect(matches('-p sctp --chunk-types all DATA,INIT', packet)).toBe(false);
  expect(matches('-p sctp --chunk-types only SACK,DATA', packet)).toBe(true);
  expect(matches('-p sctp --chunk-types any DATA:u', packet)).toBe(true);
  expect(matches('-p sctp --chunk-types any DATA:U', packet)).toBe(false);
  expect(matches('-p sctp ! --chunk-types only DATA', packet)).toBe(true);
});

test('addrtype asks the routes of the host, with the device if it is told to', () => {
  const toHost = tcp(SYN, { dst: '10.0.0.1' });
  expect(matches('-m addrtype --dst-type LOCAL', toHost)).toBe(true);
  expect(matches('-m addrtype --dst-type LOCAL', tcp(SYN))).toBe(false);
  expect(matches('-m addrtype ! --src-type UNICAST', tcp(SYN))).toBe(false);
  expect(matches('-m addrtype --dst-type BROADCAST,MULTICAST', tcp(SYN, { dst: '10.0.0.255' }))).toBe(true);
});

test('LOG writes its line and the packet goes on', () => {
  const chain = chainOf(['-j LOG --log-prefix "a: " --log-level 6 --log-uid', '-j DROP']);
  arrive(state, tcp(SYN));
  expect(runChain(chain, state)).toBe(NF_DROP);
  expect(state.effects.logs).toEqual(['a:  6 8 -1']);
  expect(chain.rules.map((rule) => rule.counters!.packets)).toEqual([1, 1]);
});

test('REJECT drops the packet and answers it', () => {
  const chain = chainOf(['-p tcp -j REJECT --reject-with tcp-reset']);
  arrive(state, tcp(SYN));
  expect(runChain(chain, state)).toBe(NF_DROP);
  expect(state.effects.answers).toEqual(['reject 40']);
});

test('recent counts an address by the seconds, over both of its rules', () => {
  const chain = chainOf([
    '-m recent --name ssh --set',
    '-m recent --name ssh --rcheck --seconds 60 --hitcount 3 -j DROP',
  ]);
  const verdicts = [0, 1, 2, 70, 71].map((second) => {
    arrive(state, tcp(SYN), 1000 + second * 1000);
    return runChain(chain, state);
  });
  expect(verdicts).toEqual([NF_ACCEPT, NF_ACCEPT, NF_DROP, NF_ACCEPT, NF_ACCEPT]);
});

test('a list of recent holds a hundred addresses, and the one not seen for longest goes', () => {
  const tables = new Xtables(NFPROTO_IPV4);
  tables.commandLine('-A FORWARD -m recent --set');
  tables.commandLine('-A INPUT -m recent --rcheck -j DROP');
  const [forward, input] = ['FORWARD', 'INPUT'].map((name) => tables.tables()[0]!.chains.get(name)!);
  for (let i = 0; i <= 100; i++) {
    arrive(state, tcp(SYN, { src: `10.1.0.${i}` }), 1000 + i);
    runChain(forward!, state);
  }
  const listed = (last: number): boolean => {
    arrive(state, tcp(SYN, { src: `10.1.0.${last}` }), 2000);
    return runChain(input!, state) === NF_DROP;
  };
  expect([listed(0), listed(1), listed(100)]).toEqual([false, true, true]);
});

test('hashlimit keeps a bucket for each address, until it had no packet for long enough', () => {
  const chain = chainOf([
    '-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name h --hashlimit-htable-expire 5000 -j ACCEPT',
    '-j DROP',
  ]);
  const send = (src: string, second: number): number => {
    arrive(state, tcp(SYN, { src }), 1000 + second * 1000);
    return runChain(chain, state);
  };
  expect([0, 0, 0].map((s) => send('10.0.0.1', s))).toEqual([NF_ACCEPT, NF_ACCEPT, NF_DROP]);
  expect(send('10.0.0.2', 1)).toBe(NF_ACCEPT);
  expect(send('10.0.0.1', 4)).toBe(NF_DROP);
  expect(send('10.0.0.1', 12)).toBe(NF_ACCEPT);
});

test('rules keep what they remember when others change', () => {
  const tables = new Xtables(NFPROTO_IPV4);
  tables.commandLine('-A FORWARD -m limit --limit 1/hour --limit-burst 1 -j DROP');
  const run = (): number => {
    arrive(state, tcp(SYN));
    return runChain(tables.tables()[0]!.chains.get('FORWARD')!, state);
  };
  expect(run()).toBe(NF_DROP);
  tables.commandLine('-A FORWARD -s 1.2.3.4 -j DROP');
  expect(run()).toBe(NF_ACCEPT);
});

test('a table runs at its priorities, with policies and jumps', () => {
  const tables = new Xtables(NFPROTO_IPV4);
  for (const line of [
    '-N user',
    '-A user -p tcp -j RETURN',
    '-A user -j ACCEPT',
    '-A FORWARD -j user',
    '-P FORWARD DROP',
  ])
    tables.commandLine(line);
  for (const table of ['raw', 'mangle', 'nat', 'security'])
    tables.commandLine(`-t ${table} -A OUTPUT -j ACCEPT`);
  const priorities = tables
    .tables()
    .map(
      ({ name, chains }) => `${name} ${[...chains.values()].map((c) => c.base?.priority ?? '-').join(' ')}`,
    );
  expect(priorities.sort()).toEqual([
    'filter 0 0 0 -',
    'mangle -150 -150 -150 -150 -150',
    'nat -100 100 -100 100',
    'raw -300 -300',
    'security 150 150 150',
  ]);
  const forward = tables
    .tables()
    .find(({ name }) => name === 'filter')!
    .chains.get('FORWARD')!;
  arrive(state, tcp(SYN));
  expect(runChain(forward, state)).toBe(NF_DROP);
  expect(forward.policyCounters!.packets).toBe(1);
  arrive(state, udpPacket({ ...ENDS, sport: 1, dport: 2 }));
  expect(runChain(forward, state)).toBe(NF_ACCEPT);
});
