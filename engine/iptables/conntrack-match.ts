import * as F from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_DST_NAT, IPS_SRC_NAT } from '../conntrack/status.ts';
import type { Expr } from '../rules/expr.ts';
import { ctDirection, ctState } from '../rules/expr-ct.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import type { XtAddress } from './address.ts';
import type { Negatable } from './rule.ts';

/** Our bit for `--ctstate SNAT`, beside NF_CT_STATE_*. */
export const STATE_SNAT = 0x100;
/** Our bit for `--ctstate DNAT`. */
export const STATE_DNAT = 0x200;

/** An address of the flow: F_SRC … F_RDST, family from the rule. */
export interface AddressTest extends Negatable<XtAddress> {
  readonly field: number;
}

/** A port of the flow: F_PORTS or F_RPORTS, the upper half (16) or the lower one (0). */
export interface FlowPortTest extends Negatable<readonly [number, number]> {
  readonly field: number;
  readonly shift: number;
}

/** What `-m conntrack` tests; null where it does not. */
export interface ConntrackTests {
  /** NF_CT_STATE_*, STATE_SNAT, STATE_DNAT. */
  state: Negatable<number> | null;
  proto: Negatable<number> | null;
  addresses: (AddressTest | null)[];
  ports: (FlowPortTest | null)[];
  /** IPS_*; 0 is NONE, which no flow has. */
  status: Negatable<number> | null;
  /** Seconds left. */
  expire: Negatable<readonly [number, number]> | null;
  /** 0 original, 1 reply. */
  direction: number | null;
}

function differs(holds: boolean, test: Negatable<unknown>): boolean {
  return holds === test.inverted;
}

/** The kernel's conntrack match. */
export class ConntrackMatch implements Expr {
  readonly name = 'match';
  private readonly tests: ConntrackTests;
  private readonly addresses: readonly AddressTest[];
  private readonly ports: readonly FlowPortTest[];
  private readonly family: number;

  constructor(tests: ConntrackTests, family: number) {
    this.tests = tests;
    this.addresses = tests.addresses.filter((test) => test !== null);
    this.ports = tests.ports.filter((test) => test !== null);
    this.family = family;
  }

  eval(state: HookState): number {
    const { pkt, conntrack } = state;
    const { tests } = this;
    const row = pkt.flow * F.ROW_WORDS;
    const w = conntrack.table.words;
    if (tests.state !== null) {
      let bits = ctState(pkt, conntrack);
      if (pkt.flow !== 0 && (w[row + F.F_STATUS]! & IPS_SRC_NAT) !== 0) bits |= STATE_SNAT;
      if (pkt.flow !== 0 && (w[row + F.F_STATUS]! & IPS_DST_NAT) !== 0) bits |= STATE_DNAT;
      if (differs((tests.state.value & bits) !== 0, tests.state)) return NFT_BREAK;
    }
    // Without a flow the state alone decides, whatever else is asked (kernel: conntrack_mt).
    if (pkt.flow === 0) return tests.state === null ? NFT_BREAK : NFT_CONTINUE;
    if (tests.direction !== null && tests.direction !== ctDirection(pkt)) return NFT_BREAK;
    for (const test of this.addresses)
      if (differs(this.within(state, w[row + test.field]!, test), test)) return NFT_BREAK;
    return this.rest(state, w, row) ? NFT_CONTINUE : NFT_BREAK;
  }

  private rest(state: HookState, w: Int32Array, row: number): boolean {
    const { tests } = this;
    if (tests.proto !== null && differs((w[row + F.F_KIND]! & 0xff) === tests.proto.value, tests.proto))
      return false;
    for (const test of this.ports) {
      const port = (w[row + test.field]! >>> test.shift) & 0xffff;
      if (differs(port >= test.value[0] && port <= test.value[1], test)) return false;
    }
    const { status, expire } = tests;
    const bits = w[row + F.F_STATUS]!;
    if (status !== null && differs((bits & status.value) !== 0, status)) return false;
    if (expire === null) return true;
    const left = (bits & IPS_CONFIRMED) === 0 ? 0 : Math.max(0, state.conntrack.left(state.pkt.flow));
    const seconds = Math.floor(left / 1000);
    return !differs(seconds >= expire.value[0] && seconds <= expire.value[1], expire);
  }

  private within(state: HookState, word: number, test: AddressTest): boolean {
    const { addr, mask } = test.value;
    if (this.family === NFPROTO_IPV4) return ((word ^ addr[0]!) & mask[0]!) === 0;
    const { pool } = state.conntrack;
    for (let i = 0; i < 4; i++) if (((pool.word(word, i) ^ addr[i]!) & mask[i]!) !== 0) return false;
    return true;
  }
}
