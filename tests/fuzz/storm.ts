import type { Profile } from '../../engine/conntrack/profile.ts';
import { Settings } from '../../engine/conntrack/settings.ts';
import { Firewall, NF_ACCEPT, NF_STOLEN } from '../../engine/index.ts';
import { CTINFO_INVALID, CTINFO_NONE, Packet, resetPacket } from '../../engine/packet/packet.ts';
import { Dice } from '../traffic/dice.ts';
import { MixedTraffic } from '../traffic/mix.ts';
import { SEED } from './budget.ts';
import { Clay } from './clay.ts';
import { type Frame, framesOf } from './frames.ts';
import { repair } from './repair.ts';

/** So low that the table is full now and then. */
const MAX = 60;
/** Frames that are made at once, and how often each is sent, every time damaged in another way. */
const FRAMES = 2000;
const TIMES = 12;
/** Settings that change while packets come. */
const SWITCHED: readonly string[] = [
  'nf_conntrack_acct',
  'nf_conntrack_timestamp',
  'nf_conntrack_checksum',
  'nf_conntrack_tcp_loose',
  'nf_conntrack_tcp_be_liberal',
];
/** In 2038: after some leaps, in September 2039, milliseconds / 1024 no longer fit into 31 bits. */
const START = 2_150_000_000_000;
const LEAPS = { step: 40, pause: 20_000, days: 864_000_000, back: -100_000 } as const;

/** Damaged traffic on its way into a firewall, with a clock that runs, leaps and now and then goes back. */
export class Storm {
  readonly firewall: Firewall;
  packets = 0;
  /** Packets that were damaged. */
  mutated = 0;
  readonly seen = { accepted: 0, invalid: 0, never: 0, held: 0 };
  private readonly dice: Dice;
  private readonly traffic: MixedTraffic;
  private readonly pkt = new Packet();
  private readonly clay = new Clay();
  private frames: Frame[] = [];
  private next = 0;
  private left = 0;
  private now = START;

  constructor(profile: Profile, seed: number) {
    const settings = new Settings(profile);
    settings.set('nf_conntrack_max', MAX);
    this.firewall = new Firewall({ settings, seed });
    this.dice = new Dice(seed);
    this.traffic = new MixedTraffic(this.dice);
  }

  /** One packet; whatever it throws is told together with what threw it. */
  send(): void {
    const { dice, clay } = this;
    const frame = this.frame();
    clay.load(frame.bytes);
    if (dice.chance(75)) this.damage(frame);
    const missing = dice.chance(5) ? dice.below(clay.end + 1) : 0;
    clay.end -= missing;
    if (dice.chance(50)) clay.toBrink();
    this.passTime();
    if (dice.chance(0.1)) this.firewall.settings.set(dice.pick(SWITCHED), dice.below(2));
    try {
      this.give(frame.linktype, missing);
    } catch (error) {
      const hex = Buffer.from(clay.now).toString('hex');
      const what = `seed ${SEED}, packet ${this.packets}, link type ${frame.linktype}, ${missing} missing: ${hex}`;
      throw new Error(what, { cause: error });
    }
    this.packets++;
  }

  /** Of the frames at hand the next one: in their order, so that connections go on. */
  private frame(): Frame {
    if (this.next === this.frames.length) {
      this.next = 0;
      if (this.left-- === 0) {
        this.frames = framesOf(this.dice, this.traffic, FRAMES);
        this.left = TIMES - 1;
      }
    }
    return this.frames[this.next++]!;
  }

  /** Mostly behind the link header, and mostly with right lengths and checksums afterwards. */
  private damage({ ip, bytes }: Frame): void {
    const { dice, clay } = this;
    clay.mutate(dice, dice.chance(85) ? ip : 0, 80);
    if (dice.chance(75)) repair(clay, ip);
    // Now and then a change changes nothing, or is repaired.
    if (Buffer.compare(clay.now, bytes) !== 0) this.mutated++;
  }

  private give(linktype: number, missing: number): void {
    const { pkt, clay } = this;
    resetPacket(pkt, clay.bytes, clay.view, clay.off, clay.end);
    pkt.missing = missing;
    pkt.time = this.now;
    const verdict = this.firewall.receive(pkt, linktype);
    if (pkt.ctinfo === CTINFO_INVALID) this.seen.invalid++;
    else if (verdict === NF_STOLEN) this.seen.held++;
    else if (pkt.ctinfo === CTINFO_NONE) this.seen.never++;
    else this.seen.accepted++;
    const tracked = pkt.ctinfo !== CTINFO_NONE;
    if (tracked !== (verdict === NF_ACCEPT)) throw new Error(`verdict ${verdict} at ctinfo ${pkt.ctinfo}`);
    if ((!tracked || pkt.ctinfo === CTINFO_INVALID) && pkt.reason === 0) throw new Error('no reason');
    if (this.firewall.conntrack.table.count > MAX) throw new Error('more flows than nf_conntrack_max');
  }

  private passTime(): void {
    const { dice } = this;
    const roll = dice.below(1000);
    const leap = roll < 900 ? LEAPS.step : roll < 990 ? LEAPS.pause : roll < 998 ? LEAPS.back : LEAPS.days;
    this.now += Math.sign(leap) * dice.below(Math.abs(leap));
  }
}
