/** TCP states, with the kernel's numbers (enum tcp_conntrack). */
export const TCP_NONE = 0;
/** SYN_SENT. */
export const TCP_SYN_SENT = 1;
/** SYN_RECV. */
export const TCP_SYN_RECV = 2;
/** ESTABLISHED. */
export const TCP_ESTABLISHED = 3;
/** FIN_WAIT. */
export const TCP_FIN_WAIT = 4;
/** CLOSE_WAIT. */
export const TCP_CLOSE_WAIT = 5;
/** LAST_ACK. */
export const TCP_LAST_ACK = 6;
/** TIME_WAIT. */
export const TCP_TIME_WAIT = 7;
/** CLOSE. */
export const TCP_CLOSE = 8;
/** SYN_SENT2: simultaneous open. The classic system has LISTEN in its place. */
export const TCP_SYN_SENT2 = 9;
/** Not a state: the packet is INVALID. */
export const TCP_INVALID = 10;
/** Not a state: the packet is let through and changes nothing. */
export const TCP_IGNORE = 11;

/** What a segment counts as. The kernel's numbers, which its log messages show. */
export const INDEX_SYN = 0;
/** SYN with ACK. */
export const INDEX_SYNACK = 1;
/** FIN. */
export const INDEX_FIN = 2;
/** ACK alone. */
export const INDEX_ACK = 3;
/** RST. */
export const INDEX_RST = 4;
/** None of these. */
export const INDEX_NONE = 5;

const LETTERS: Readonly<Record<string, number>> = {
  NO: TCP_NONE,
  SS: TCP_SYN_SENT,
  SR: TCP_SYN_RECV,
  ES: TCP_ESTABLISHED,
  FW: TCP_FIN_WAIT,
  CW: TCP_CLOSE_WAIT,
  LA: TCP_LAST_ACK,
  TW: TCP_TIME_WAIT,
  CL: TCP_CLOSE,
  S2: TCP_SYN_SENT2,
  LI: TCP_SYN_SENT2,
  '--': TCP_INVALID,
  ig: TCP_IGNORE,
};

/** Columns of a table: states a row is written for. */
const STATES = 10;
/** Rows of a table for one direction: indices. */
const INDICES = 6;

function table(rows: readonly string[]): Uint8Array {
  return Uint8Array.from(
    rows.flatMap((row) =>
      row
        .trim()
        .split(/\s+/)
        .map((word) => LETTERS[word]!),
    ),
  );
}

/**
 * Next state by direction, index and state before, measured on Linux 6.18 for every cell (kernel-facts: each
 * state, each kind of segment, both directions; tests/kernel repeats it). `--` INVALID, `ig` ignored.
 */
const MODERN: Uint8Array = table([
  // NO SS SR ES FW CW LA TW CL S2     original direction
  'SS SS ig ig ig ig ig SS SS S2', // SYN
  '-- -- SR -- -- -- -- -- -- SR', // SYN+ACK
  '-- -- FW FW LA LA LA TW CL --', // FIN
  'ES -- ES ES CW CW TW TW CL --', // ACK
  '-- CL CL CL CL CL CL CL CL CL', // RST
  '-- -- -- -- -- -- -- -- -- --', // none
  // NO SS SR ES FW CW LA TW CL S2     reply direction
  '-- S2 -- -- -- -- -- SS -- S2', // SYN
  '-- SR ig ig ig ig ig ig ig SR', // SYN+ACK
  '-- -- FW FW LA LA LA TW CL --', // FIN
  '-- ig SR ES CW CW TW TW CL ig', // ACK
  '-- CL CL CL CL CL CL CL CL CL', // RST
  '-- -- -- -- -- -- -- -- -- --', // none
]);

/**
 * The classic system's table (Linux 2.4 without the window extension; its documents: classic-system in the
 * docs): nothing is INVALID, any segment may open a flow, SYN+ACK counts as SYN. Column S2 is its LISTEN.
 */
const CLASSIC: Uint8Array = table([
  // NO SS SR ES FW CW LA TW CL LI     original direction
  'SS SS SR ES SS SS SS SS SS LI', // SYN
  'SS SS SR ES SS SS SS SS SS LI', // SYN+ACK
  'TW SS TW FW FW TW LA TW CL LI', // FIN
  'ES SS ES ES FW CW LA TW CL ES', // ACK
  'CL SS CL CL CL CL CL TW CL CL', // RST
  'NO SS SR ES FW CW LA TW CL LI', // none
  // NO SS SR ES FW CW LA TW CL LI     reply direction
  'SR SR SR ES SR SR SR SR SR SR', // SYN
  'SR SR SR ES SR SR SR SR SR SR', // SYN+ACK
  'CL SS TW CW TW CW LA TW CL LI', // FIN
  'CL SS SR ES FW CW CL TW CL LI', // ACK
  'CL CL CL CL CL CL CL CL CL CL', // RST
  'NO SS SR ES FW CW LA TW CL LI', // none
]);

/** Next state in today's system. */
export function nextState(dir: number, index: number, state: number): number {
  return MODERN[(dir * INDICES + index) * STATES + state]!;
}

/** Next state in the classic system. */
export function nextClassicState(dir: number, index: number, state: number): number {
  return CLASSIC[(dir * INDICES + index) * STATES + state]!;
}

/** Index of each of the 64 flag combinations FIN SYN RST PSH ACK URG: RST before SYN before FIN before ACK. */
const INDEX_OF: Uint8Array = Uint8Array.from({ length: 64 }, (_, flags) => {
  if ((flags & 0x04) !== 0) return INDEX_RST;
  if ((flags & 0x02) !== 0) return (flags & 0x10) !== 0 ? INDEX_SYNACK : INDEX_SYN;
  if ((flags & 0x01) !== 0) return INDEX_FIN;
  return (flags & 0x10) !== 0 ? INDEX_ACK : INDEX_NONE;
});

/** What a segment with these TH_* flags counts as (INDEX_*). */
export function indexOf(flags: number): number {
  return INDEX_OF[flags & 0x3f]!;
}

/** Flag combinations that make sense; PSH, ECE and CWR do not matter (measured in all states). */
const SENSIBLE: readonly string[] = ['S', 'SU', 'SA', 'R', 'RA', 'FA', 'FAU', 'A', 'AU'];
const BITS: Readonly<Record<string, number>> = { F: 0x01, S: 0x02, R: 0x04, A: 0x10, U: 0x20 };
const VALID: Uint8Array = new Uint8Array(64);
for (const letters of SENSIBLE) {
  const flags = [...letters].reduce((sum, letter) => sum | BITS[letter]!, 0);
  VALID[flags] = VALID[flags | 0x08] = 1;
}

/** Whether a flag combination makes sense at all. */
export function flagsValid(flags: number): boolean {
  return VALID[flags & 0x3f] === 1;
}
