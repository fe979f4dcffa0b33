// Help for the tests beside it (a .mts file is in neither the engine's build nor vitest's list): a client inside and a
// server outside that talk through a firewall whose rules give their flow a helper.
import type { Expectation } from '../conntrack/expectation.ts';
import { type FlowRecord, readFlow } from '../conntrack/flow-record.ts';
import type { Helper } from '../conntrack/helper.ts';
import { restore } from '../conntrack/restore.ts';
import { snapshot } from '../conntrack/snapshot.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC } from '../conntrack/tuple.ts';
import { Firewall } from '../hook/firewall.ts';
import { Ruleset } from '../hook/ruleset.ts';
import { ARPHRD_NONE, HostModel } from '../host/model.ts';
import { parsePrefix } from '../host/prefix.ts';
import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { DLT_RAW } from '../packet/link.ts';
import { AF_INET, Packet, resetPacket } from '../packet/packet.ts';
import { IPPROTO_TCP, protocolName } from '../packet/protocols.ts';
import { bytesOf } from './payload.ts';

/** The client is masqueraded behind this address. */
export const OUTER = '203.0.113.1';
const INSIDE = 3;
const OUTSIDE = 2;
const PUSH_ACK = 0x18;
const SYN = 2;
const SYN_ACK = 0x12;
const ACK = 0x10;

const MASQUERADE = `table ip nat {
  chain post { type nat hook postrouting priority 100;
    oifname "eth0" masquerade
  }
}`;

export interface TalkOptions {
  readonly masqueraded?: boolean;
  readonly client?: string;
  readonly server?: string;
  /** Helpers beside those that keepstate has. */
  readonly helpers?: readonly Helper[];
}

/** Whether each packet of a {@link Talk} comes to a firewall that was restored from a snapshot of the one before. */
export const restarts: { on: boolean } = { on: false };

/** What became of a packet. */
export interface Heard {
  /** Payload as it left, one letter a byte; null if it did not. */
  readonly text: string | null;
  /** The packet that left, empty if none. */
  readonly bytes: Uint8Array;
  readonly pkt: Packet;
}

/** A host with a network inside (10/8, fd00::/16) and the rest of the world outside. */
export function testHost(): HostModel {
  const host = new HostModel();
  host.addDevice('eth0', { index: OUTSIDE, type: ARPHRD_NONE });
  host.addDevice('eth1', { index: INSIDE, type: ARPHRD_NONE });
  for (const [device, address] of [
    ['eth0', `${OUTER}/24`],
    ['eth1', '10.0.0.254/8'],
    ['eth0', '2001:db8::1/64'],
    ['eth1', 'fd00::1/16'],
  ] as const)
    host.addAddress(device, parsePrefix(address)!);
  for (const prefix of ['0.0.0.0/0', '::/0'])
    host.addRoute({ prefix: parsePrefix(prefix)!, device: OUTSIDE, type: 1, metric: 0, source: null });
  return host;
}

/** One exchange. TCP's numbers go on by themselves, with nothing lost. */
export class Talk {
  firewall: Firewall;
  now = 1_000_000;
  readonly client: string;
  readonly server: string;
  private readonly restart: () => Firewall;
  private readonly isTcp: boolean;
  private readonly port: number;
  private readonly outer: string;
  private readonly seq = [1000, 5000];

  constructor(helper: string, proto: 'tcp' | 'udp', port: number, options: TalkOptions = {}) {
    const helpers = options.helpers ?? [];
    const rules = new Ruleset({ helpers });
    const text = `table inet h {
      ct helper one { type "${helper}" protocol ${proto}; }
      chain pre { type filter hook prerouting priority -150;
        ${proto} dport ${port} ct helper set "one"
      }
    }
    ${options.masqueraded === true ? MASQUERADE : ''}`;
    const errors = rules.load({ name: 'rules', text });
    if (errors.length > 0) throw new Error(String(errors[0]));
    this.restart = () => {
      const firewall = new Firewall({ host: testHost(), rules: rules.tables(), helpers });
      firewall.wantsBytes = true;
      return firewall;
    };
    this.firewall = this.restart();
    this.isTcp = proto === 'tcp';
    this.port = port;
    this.client = options.client ?? '10.0.0.1';
    this.server = options.server ?? '198.51.100.1';
    this.outer = options.masqueraded === true ? OUTER : this.client;
    if (!this.isTcp) return;
    this.segment(0, SYN, '');
    this.seq[0]!++;
    this.segment(1, SYN_ACK, '');
    this.seq[1]!++;
    this.segment(0, ACK, '');
  }

  /** The client says something. */
  up(payload: string | Uint8Array): Heard {
    return this.say(0, payload);
  }

  /** The server does. */
  down(payload: string | Uint8Array): Heard {
    return this.say(1, payload);
  }

  /** Any packet. @param end 0 comes from inside, 1 from outside */
  packet(end: 0 | 1, bytes: Uint8Array): Heard {
    if (restarts.on) this.goOnElsewhere();
    const pkt = new Packet();
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.ifin = end === 0 ? INSIDE : OUTSIDE;
    this.firewall.receive(pkt, DLT_RAW, this.now);
    const out = this.firewall.outcome.out[0] ?? new Uint8Array(0);
    return { text: out.length === 0 ? null : payloadText(out), bytes: out, pkt };
  }

  /** Another firewall takes this one's place, with all that a snapshot keeps. */
  private goOnElsewhere(): void {
    const before = this.firewall.conntrack;
    const firewall = this.restart();
    firewall.conntrack.helpers = before.helpers;
    firewall.conntrack.autoHelpers = before.autoHelpers;
    before.comeTo(this.now);
    restore(firewall.conntrack, snapshot(before), { now: this.now });
    firewall.conntrack.sink = before.sink;
    this.firewall = firewall;
  }

  /** What is expected, as `proto source > destination:port seconds`. */
  expected(): string[] {
    const { conntrack } = this.firewall;
    return conntrack.expectations.all().map((one) => this.line(one));
  }

  flows(): FlowRecord[] {
    const { conntrack } = this.firewall;
    const flows: FlowRecord[] = [];
    conntrack.eachFlow((flow) => flows.push(readFlow(conntrack, flow)));
    return flows;
  }

  private line({ tuple, sourceMask, expires }: Expectation): string {
    const kind = tuple[T_KIND]!;
    const isAny = sourceMask.every((word) => word === 0);
    const source = isAny ? 'any' : this.address(kind >>> 8, tuple[T_SRC]!);
    const destination = this.address(kind >>> 8, tuple[T_DST]!);
    const seconds = (expires - this.firewall.conntrack.now) / 1000;
    return `${protocolName(kind & 255)} ${source} > ${destination}:${tuple[T_PORTS]! & 0xffff} ${seconds}`;
  }

  private address(family: number, word: number): string {
    if (family === AF_INET) return ipv4Text(word);
    const { pool } = this.firewall.conntrack;
    return ipv6Text(pool.word(word, 0), pool.word(word, 1), pool.word(word, 2), pool.word(word, 3));
  }

  private say(end: 0 | 1, payload: string | Uint8Array): Heard {
    const bytes = typeof payload === 'string' ? bytesOf(payload) : payload;
    if (this.isTcp) {
      const heard = this.segment(end, PUSH_ACK, bytes);
      this.seq[end]! += bytes.length;
      return heard;
    }
    const [src, dst] = this.ends(end);
    const [sport, dport] = end === 0 ? [4000, this.port] : [this.port, 4000];
    return this.packet(end, udpPacket({ src, dst, sport: sport!, dport: dport!, payload: bytes }));
  }

  private segment(end: 0 | 1, flags: number, payload: string | Uint8Array): Heard {
    const [src, dst] = this.ends(end);
    const [sport, dport] = end === 0 ? [4000, this.port] : [this.port, 4000];
    const seq = this.seq[end]!;
    const ack = flags === SYN ? 0 : this.seq[1 - end]!;
    const bytes = typeof payload === 'string' ? bytesOf(payload) : payload;
    return this.packet(
      end,
      tcpPacket({ src, dst, sport: sport!, dport: dport!, flags, seq, ack, payload: bytes }),
    );
  }

  private ends(end: 0 | 1): readonly [string, string] {
    return end === 0 ? [this.client, this.server] : [this.server, this.outer];
  }
}

function payloadText(packet: Uint8Array): string {
  const head = packet[0]! >>> 4 === 4 ? 20 : 40;
  const proto = packet[head === 20 ? 9 : 6];
  const start = proto === IPPROTO_TCP ? head + (packet[head + 12]! >>> 4) * 4 : head + 8;
  return String.fromCharCode(...packet.subarray(start));
}
