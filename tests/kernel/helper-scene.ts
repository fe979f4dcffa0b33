/** What the dialogues of several helpers have in common: rulesets, ends of connections, a seeded source of chance. */
import { Random } from '../../engine/base/random.ts';
import { type End, TcpTalk, udpPacket } from './dialogue-tcp.ts';
import type { RulePacket, Source } from './rules-types.ts';

/** What the ruleset translates. */
export type Nat = 'none' | 'snat' | 'dnat' | 'masquerade' | 'both';
/** All of them. */
export const NATS: readonly Nat[] = ['none', 'snat', 'dnat', 'masquerade', 'both'];

const POSTROUTING = 'chain post { type nat hook postrouting priority 100;';
const PREROUTING = 'chain pre { type nat hook prerouting priority -100;';
const TO_SERVER = `${PREROUTING}\n iifname "eth0" ip daddr 203.0.113.2 dnat to 10.0.0.1\n }`;
const TABLES: Readonly<Record<Nat, string>> = {
  none: '',
  snat: `table ip nat {\n ${POSTROUTING}\n oifname "eth0" snat to 203.0.113.9\n }\n}\n`,
  masquerade: `table ip nat {\n ${POSTROUTING}\n oifname "eth0" masquerade\n }\n}\n`,
  dnat: `table ip nat {\n ${TO_SERVER}\n}\n`,
  both: `table ip nat {\n ${TO_SERVER}\n ${POSTROUTING}\n oifname "eth1" snat to 10.9.9.9\n }\n}\n`,
};

/** The tables that translate. */
export function natText(nat: Nat): string {
  return TABLES[nat];
}

/** A ruleset that gives flows to some ports a helper, and translates. */
export function helperRules(name: string, proto: 'tcp' | 'udp', ports: readonly number[], nat: Nat): Source {
  const set = ports.join(', ');
  const text = `table inet h {
  ct helper one { type "${name}" protocol ${proto}; }
  chain pre {
    type filter hook prerouting priority -150;
    ${proto} dport { ${set} } ct helper set "one"
  }
  chain out {
    type filter hook output priority -150;
    ${proto} dport { ${set} } ct helper set "one"
  }
}
${TABLES[nat]}`;
  return { kind: 'nft', text };
}

/** The two ends of a connection under a translation, and addresses that they are known by. */
export interface Ends {
  readonly client: End;
  readonly server: End;
  /** The client's address as the server sees it. */
  readonly outer: string;
}

/** @param client number of the client, `port` the server's */
export function endsOf(nat: Nat, port: number, client = 1, sport = 4000): Ends {
  const inside = `10.0.0.${client}`;
  const isIn = nat === 'dnat' || nat === 'both';
  const outside = isIn ? `198.51.100.${client}` : '198.51.100.1';
  if (isIn) {
    const outer = nat === 'both' ? '10.9.9.9' : outside;
    return {
      client: { from: 'eth0', src: outside, sport, dst: '203.0.113.2', dport: port },
      server: { from: 'eth1', src: '10.0.0.1', sport: port, dst: outer, dport: sport },
      outer,
    };
  }
  const outer = nat === 'snat' ? '203.0.113.9' : nat === 'masquerade' ? '203.0.113.1' : inside;
  return {
    client: { from: 'eth1', src: inside, sport, dst: outside, dport: port },
    server: { from: 'eth0', src: outside, sport: port, dst: outer, dport: sport },
    outer,
  };
}

/** A TCP connection under a translation, open. */
export function openTalk(ends: Ends): TcpTalk {
  return new TcpTalk(ends.client, ends.server).open();
}

/** A datagram of an end. */
export function datagram(end: End, payload: string | Uint8Array): RulePacket {
  return { from: end.from, bytes: udpPacket(end.src, end.sport, end.dst, end.dport, payload) };
}

/** An IPv4 address as a number. */
export function numberOf(address: string): number {
  return address.split('.').reduce((n, byte) => n * 256 + Number(byte), 0);
}

/** Chance that repeats. */
export class Chance {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** 0 to `n` - 1. */
  below(n: number): number {
    return this.random.below(n);
  }

  /** One of these. */
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Bytes with some of them changed, taken out or put in. */
  damage(bytes: Uint8Array, times: number): Uint8Array {
    const out = [...bytes];
    for (let i = 0; i < times && out.length > 0; i++) {
      const at = this.below(out.length);
      const kind = this.below(4);
      if (kind === 0) out.splice(at, 1);
      else if (kind === 1) out.splice(at, 0, this.below(256));
      else if (kind === 2) out[at] = out[at]! ^ (1 << this.below(8));
      else out[at] = this.below(256);
    }
    return Uint8Array.from(out);
  }
}
