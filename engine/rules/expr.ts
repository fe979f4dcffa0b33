import type { HookState } from './hook-state.ts';
import { NF_UNKNOWN } from './verdict.ts';

/**
 * One step of a rule as it runs: an nf_tables expression (`payload`, `cmp`, `lookup`, `limit`, …), an xtables match
 * or an xtables target. A class each, one a file; what it holds is what the kernel's own holds.
 */
export interface Expr {
  /** As `nft --debug=netlink` prints it (`payload`, `cmp`); `match` and `target` for those of xtables. */
  readonly name: string;
  /** Why keepstate cannot evaluate it, for some packets at least; left out if it can. */
  readonly unknowable?: string | undefined;
  /** The ports that it asks for, if it asks for nothing else, and only at one end: what lint compares. */
  readonly askedPorts?: AskedPorts | undefined;
  /** Whether it reads the counters of flows: rules with it switch them on (nf_conntrack_acct). */
  readonly needsAccounting?: boolean;
  /**
   * Looks at the packet of `state`, reads and writes its registers. Allocates nothing.
   * @returns NFT_CONTINUE (matches, or is no match at all), NFT_BREAK (does not match), a verdict (NF_*), or
   *   NFT_JUMP, NFT_GOTO (with `state.target` set), NFT_RETURN. NF_UNKNOWN if keepstate cannot tell.
   */
  eval(state: HookState): number;
}

/** Ports of one end of a packet. */
export interface AskedPorts {
  /** Where the port stands in the transport header: 0 the source's, 2 the destination's. */
  readonly offset: number;
  /** First and last of each range. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Any others but these. */
  readonly inverted: boolean;
}

/** Number of bytes of all registers: sixteen of four bytes each. */
export const REGISTER_BYTES = 64;

/**
 * Where a register begins in {@link HookState.regs}.
 * @param reg as the kernel numbers them: 1 to 4 are 16 bytes each, 8 to 23 (NFT_REG32_00 on) four bytes of the same
 */
export function registerOffset(reg: number): number {
  return reg <= 4 ? (reg - 1) << 4 : (reg - 8) << 2;
}

/** What keepstate reads but cannot evaluate. The verdict is unknown where it would have decided. */
export class UnknownExpr implements Expr {
  readonly name = 'unknown';
  readonly unknowable: string;

  constructor(why: string) {
    this.unknowable = why;
  }

  eval(state: HookState): number {
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}
