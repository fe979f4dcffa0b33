import {
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
} from './packet.ts';

/** A packet's ct state as rules see it. */
export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';

/** The side of its flow that a packet came from. */
export type CtDirection = 'original' | 'reply';

/** The ct state that a packet's `ctinfo` stands for. @returns null if it never reached tracking */
export function ctStateOf(ctinfo: number): CtState | null {
  switch (ctinfo) {
    case CTINFO_NONE:
      return null;
    case CTINFO_INVALID:
      return 'INVALID';
    case IP_CT_UNTRACKED:
      return 'UNTRACKED';
    case IP_CT_NEW:
      return 'NEW';
    case IP_CT_RELATED:
    case IP_CT_RELATED_REPLY:
      return 'RELATED';
    default:
      return 'ESTABLISHED';
  }
}

/** The side of its flow that a packet came from, by its `ctinfo`. @returns null without a flow */
export function ctDirectionOf(ctinfo: number): CtDirection | null {
  if (ctinfo === IP_CT_ESTABLISHED_REPLY || ctinfo === IP_CT_RELATED_REPLY) return 'reply';
  return ctinfo === CTINFO_NONE || ctinfo === CTINFO_INVALID || ctinfo === IP_CT_UNTRACKED
    ? null
    : 'original';
}
