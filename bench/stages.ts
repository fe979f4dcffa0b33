/**
 * Stages of a packet's way, each measured with all before it: Node alone; reading; link and IP header; tuple, look-up,
 * new flows and their insertion; the trackers (windows, states, reasons); transport checksums; time passing. The last
 * one, text, is the command line's `trace`.
 */
export const STAGES = ['start', 'read', 'dissect', 'lookup', 'state', 'checksum', 'expiry'] as const;
export type Stage = (typeof STAGES)[number];
