/** Status bits of a flow, with the kernel's numbers (enum ip_conntrack_status). */
/** IPS_EXPECTED: opened by an expectation. */
export const IPS_EXPECTED: number = 1 << 0;
/** IPS_SEEN_REPLY: packets were seen both ways. */
export const IPS_SEEN_REPLY: number = 1 << 1;
/** IPS_ASSURED: not dropped early when the table is full. */
export const IPS_ASSURED: number = 1 << 2;
/** IPS_CONFIRMED: its first packet got through, the flow is in the table. */
export const IPS_CONFIRMED: number = 1 << 3;
/** IPS_SRC_NAT: the source is translated. */
export const IPS_SRC_NAT: number = 1 << 4;
/** IPS_DST_NAT: the destination is translated. */
export const IPS_DST_NAT: number = 1 << 5;
/** IPS_SEQ_ADJUST: TCP sequence numbers are adjusted. */
export const IPS_SEQ_ADJUST: number = 1 << 6;
/** IPS_SRC_NAT_DONE: source translation was decided. */
export const IPS_SRC_NAT_DONE: number = 1 << 7;
/** IPS_DST_NAT_DONE: destination translation was decided. */
export const IPS_DST_NAT_DONE: number = 1 << 8;
/** IPS_DYING: removed; only packets under way still refer to it. */
export const IPS_DYING: number = 1 << 9;
/** IPS_FIXED_TIMEOUT: packets do not refresh the timer. */
export const IPS_FIXED_TIMEOUT: number = 1 << 10;
/** IPS_TEMPLATE. */
export const IPS_TEMPLATE: number = 1 << 11;
/** IPS_NAT_CLASH: inserted only in reply direction by clash resolution. */
export const IPS_NAT_CLASH: number = 1 << 12;
/** IPS_HELPER: a helper was assigned by a rule. */
export const IPS_HELPER: number = 1 << 13;
/** IPS_OFFLOAD. */
export const IPS_OFFLOAD: number = 1 << 14;
/** IPS_HW_OFFLOAD. */
export const IPS_HW_OFFLOAD: number = 1 << 15;

/** The kernel's bits, which users see. */
export const IPS_MASK = 0xffff;
/** Ours: the flow has a {@link FlowExtension}, so that the shortest ways are not for its packets. */
export const IPS_EXTENDED: number = 1 << 30;
/** IPS_NAT_MASK: it is translated. */
export const IPS_NAT_MASK: number = IPS_SRC_NAT | IPS_DST_NAT;

/** Names of the status bits by their numbers. */
export const STATUS_NAMES: readonly string[] = [
  'EXPECTED',
  'SEEN_REPLY',
  'ASSURED',
  'CONFIRMED',
  'SRC_NAT',
  'DST_NAT',
  'SEQ_ADJUST',
  'SRC_NAT_DONE',
  'DST_NAT_DONE',
  'DYING',
  'FIXED_TIMEOUT',
  'TEMPLATE',
  'NAT_CLASH',
  'HELPER',
  'OFFLOAD',
  'HW_OFFLOAD',
];

/** The names of the status bits that are set, in the order of their numbers. */
export function statusNames(status: number): string[] {
  return STATUS_NAMES.filter((_, bit) => (status & (1 << bit)) !== 0);
}
