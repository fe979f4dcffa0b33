/**
 * How the tuple of a translated flow was chosen, for whoever explains it. Numbers, because it is noted for each new
 * flow.
 */

/** No rule said anything, and nothing had to change. */
export const NAT_UNCHANGED = 0;
/** The original tuple lies in the range and is free. */
export const NAT_KEPT = 1;
/** Another flow of the same source has this address and port already. */
export const NAT_SAME_SOURCE = 2;
/** The address is mapped, the port is the flow's own. */
export const NAT_ADDRESS = 3;
/** The port is the only one of the range. */
export const NAT_ONE_PORT = 4;
/** The port was taken: another one, by chance, of the same class. */
export const NAT_PORT_TAKEN = 5;
/** A port of the range that the rule gives. */
export const NAT_PORT_RANGE = 6;
/** The rule asks for any port. */
export const NAT_PORT_RANDOM = 7;
/** Ports keep their distance from the base. */
export const NAT_PORT_OFFSET = 8;
/** Every port that was tried was taken: the packet will be dropped. */
export const NAT_EXHAUSTED = 9;

/** The words for each, by number. */
export const NAT_CHOICES: readonly string[] = [
  'unchanged',
  'kept: free and in the range',
  'the same as for other flows of this source',
  'port kept',
  'the only port of the range',
  'port taken: another one at random',
  'the first free port of the range',
  'any port, as the rule asks',
  'port by its distance from the base',
  'no free port',
];
