import type { Packet } from '../packet/packet.ts';
import type { RuleTrace } from '../rules/trace-run.ts';
import type { NatDecision } from './nat-decision.ts';

/** Told of each step of a packet's way: of its hooks, and of the rules there. */
export interface PacketTrace extends RuleTrace {
  /** A packet came in. */
  begin?(pkt: Packet): void;
  /** The packet, or one that the firewall sends because of it, comes to a hook (NF_INET_*). */
  atHook(hook: number, pkt: Packet): void;
  /** It was tracked. */
  tracked(pkt: Packet): void;
  /** Address translation decided one end of its flow. */
  decided?(pkt: Packet, decision: NatDecision): void;
  /** A packet that the firewall sent has come to its end; this one, which caused it, goes on where it was. */
  answered?(pkt: Packet): void;
}
