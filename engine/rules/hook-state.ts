import type { Random } from '../base/random.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import type { Host } from '../host/host.ts';
import type { Packet } from '../packet/packet.ts';
import type { Chain, Rule } from './chain.ts';
import { REGISTER_BYTES } from './expr.ts';
import { NF_INET_PRE_ROUTING } from './family.ts';

/** What rules do besides giving a verdict. The pipeline implements it; nothing may keep the packet. */
export interface RuleEffects {
  /**
   * A log statement or LOG target was met.
   * @param prefix as the rule gives it
   * @param level syslog's number, or -1 for a log to an nfnetlink group
   * @param flags NF_LOG_* (1 tcp sequence, 2 tcp options, 4 ip options, 8 uid, 32 mac)
   * @param group the nfnetlink group, or -1 for the kernel's log
   */
  log(state: HookState, prefix: string, level: number, flags: number, group: number): void;
  /**
   * The firewall answers: a reset, an ICMP error, a SYN/ACK, a copy for another host.
   * @param bytes a whole IP packet, the receiver's to keep
   * @param why 'reject', 'dup', …
   * @param device the number of that which it leaves by, as a copy's does that goes to another gateway; 0 if its
   *   destination says
   */
  answer(state: HookState, bytes: Uint8Array, why: string, device: number): void;
  /**
   * A packet goes straight to a device, past all hooks but that device's egress: what chains of netdev answer, copy
   * and forward.
   * @param bytes, why as in {@link answer}
   * @param device its number
   */
  send(state: HookState, bytes: Uint8Array, why: string, device: number): void;
}

/**
 * A packet at a hook, and all that an expression may ask (the kernel's nft_pktinfo and nf_hook_state). One is made
 * and used again for every packet.
 */
export class HookState {
  /** The registers; layout in {@link registerOffset}. */
  readonly regs: Uint8Array = new Uint8Array(REGISTER_BYTES);
  /** The same memory, for words of both byte orders. */
  readonly regView: DataView = new DataView(this.regs.buffer);
  /** The same memory as sixteen words in this machine's byte order. */
  readonly words: Int32Array = new Int32Array(this.regs.buffer);

  /** The packet; its `ifin`, `ifout`, `mark` and so on are the kernel's skb fields. */
  pkt: Packet;
  /** NF_INET_* of family.ts. */
  hook: number = NF_INET_PRE_ROUTING;
  /** The chain whose rules run; behind the last rule, the one that decided. */
  chain: Chain | null = null;
  /** The rule that runs; behind the last, the one that decided, null if that was the policy. */
  rule: Rule | null = null;
  /** Where NFT_JUMP and NFT_GOTO go. */
  target: Chain | null = null;
  /** Why an expression said NF_UNKNOWN. */
  unknown = '';

  readonly conntrack: Conntrack;
  readonly host: Host;
  /** For numgen, statistic and whatever else Linux draws at random. */
  readonly random: Random;
  readonly effects: RuleEffects;
  /** Whether the packet is one that the firewall made itself: no process sent it. */
  readonly isAnswer: boolean;

  constructor(
    pkt: Packet,
    conntrack: Conntrack,
    host: Host,
    random: Random,
    effects: RuleEffects,
    isAnswer = false,
  ) {
    this.pkt = pkt;
    this.conntrack = conntrack;
    this.host = host;
    this.random = random;
    this.effects = effects;
    this.isAnswer = isAnswer;
  }

  /** Virtual time (ms). */
  get now(): number {
    return this.conntrack.now;
  }
}
