/** Conversations through a translating router: what each host answers hangs on what it sees. */
import { NAT_EXHAUSTED, NAT_PORT_RANDOM, NAT_PORT_RANGE, NAT_PORT_TAKEN } from '../../engine/nat/choice.ts';
import type { Dice } from '../traffic/dice.ts';
import { fragmentsOf } from '../traffic/fragments.ts';
import { answerTo, errorAbout, opening, parse } from './nat-packet.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import type { Entry, RulePacket, Source } from './rules-types.ts';
import { HOST4, HOST6, INSIDE4, INSIDE6, OUTSIDE4, OUTSIDE6 } from './rules-world.ts';

const DEVICE: Readonly<Record<number, Entry>> = { 2: 'eth0', 3: 'eth1' };
const KINDS = {
  tcp: 30,
  ack: 3,
  udp: 25,
  udplite: 3,
  sctp: 8,
  icmp: 15,
  gre: 3,
  pptp: 3,
  50: 3,
  4: 1,
  89: 1,
};
const PORTS: readonly number[] = [1024, 1024, 1025, 80, 53, 600, 40000];
const SERVICES: readonly number[] = [80, 80, 53, 443, 8080, 5000, 22];
/** Choices that the kernel makes at random. */
const RANDOM: readonly number[] = [NAT_PORT_TAKEN, NAT_PORT_RANDOM, NAT_PORT_RANGE, NAT_EXHAUSTED];

/** A packet as whoever receives it sees it. */
interface Seen {
  readonly at: Entry;
  readonly bytes: Uint8Array;
}

/** Draws packets, and plays them through keepstate to know what to answer. */
export class NatTalk {
  readonly packets: RulePacket[] = [];
  private readonly dice: Dice;
  private readonly engine: EngineRun;
  private readonly families: readonly number[];
  private readonly seen: Seen[] = [];
  private now = 1_700_000_000_000;

  /** @param families 4 and 6, which packets are of */
  constructor(dice: Dice, sources: readonly Source[], families: readonly number[]) {
    this.dice = dice;
    this.families = families;
    const rules = new EngineRules();
    for (const source of sources) {
      const errors = rules.load(source);
      if (errors.length > 0) throw new Error(`${errors[0]}\n${source.text}`);
    }
    this.engine = new EngineRun(rules.tables());
  }

  /** So many packets, fewer if the kernel has to choose at random: what it chose nobody can answer. */
  take(count: number): RulePacket[] {
    while (this.packets.length < count) {
      const packet = this.next();
      const pieces =
        packet.from !== 'host' && this.dice.chance(4)
          ? fragmentsOf(this.dice, packet.bytes).map((bytes) => ({ bytes, from: packet.from }))
          : [packet];
      for (const piece of pieces) if (!this.play(piece)) return this.packets;
    }
    return this.packets;
  }

  private play(packet: RulePacket): boolean {
    const { firewall } = this.engine;
    firewall.conntrack.natChoice = 0;
    this.engine.play(packet, this.now++);
    if (RANDOM.includes(firewall.conntrack.natChoice)) return false;
    this.packets.push(packet);
    const { out, delivered, ifout } = firewall.outcome;
    const at = DEVICE[ifout];
    if (at !== undefined) for (const bytes of out) this.seen.push({ at, bytes });
    if (delivered !== null) this.seen.push({ at: 'host', bytes: delivered });
    return true;
  }

  private next(): RulePacket {
    const { dice, seen, packets } = this;
    const kind = dice.weighted({ open: 30, answer: 50, again: 8, error: 12 });
    if (kind === 'again' && packets.length > 0) return dice.pick(packets);
    // Mostly about what was just seen.
    const last = seen.length === 0 ? undefined : dice.chance(60) ? seen.at(-1) : dice.pick(seen);
    const parsed = last === undefined ? null : parse(last.bytes);
    if (last === undefined || parsed === null || kind === 'open' || kind === 'again') return this.open();
    if (kind === 'error') {
      const router = parsed.v6
        ? last.at === 'eth0'
          ? '2001:db8:9::1'
          : 'fd00:2::99'
        : last.at === 'eth0'
          ? '192.0.2.99'
          : '10.0.0.77';
      const from = dice.chance(60) || last.at === 'host' ? parsed.dst : router;
      return { bytes: errorAbout(dice, from, last.bytes, parsed.src), from: last.at };
    }
    const answer = answerTo(dice, parsed);
    return answer === null ? this.open() : { bytes: answer, from: last.at };
  }

  private open(): RulePacket {
    const { dice } = this;
    const v6 = dice.pick(this.families) === 6;
    const [inside, outside, host] = v6 ? [INSIDE6, OUTSIDE6, HOST6] : [INSIDE4, OUTSIDE4, HOST4];
    const from = dice.pick(['eth1', 'eth1', 'eth1', 'eth0', 'eth0', 'host'] as const);
    const src = dice.pick(from === 'eth1' ? inside : from === 'eth0' ? outside : host);
    const targets = from === 'eth1' ? [...outside, ...host, ...inside] : [...host, ...inside, ...outside];
    const dst = dice.chance(50) ? targets[0]! : dice.pick(targets);
    const ends = {
      src,
      dst: dst === src ? targets[1]! : dst,
      sport: dice.pick(PORTS),
      dport: dice.pick(SERVICES),
    };
    return { bytes: opening(dice, dice.weighted(KINDS), ends), from };
  }
}
