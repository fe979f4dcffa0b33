import { copyOfBytes } from '../packet/packet.ts';
import { sendCopy } from './copy.ts';
import { type Expr, registerOffset } from './expr.ts';
import { deviceNumber } from './expr-fwd.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `dup`: sends a copy to another host (or, from a netdev chain, to another device) and goes on. */
export class DupExpr implements Expr {
  readonly name = 'dup';
  readonly sregAddr: number | null;
  readonly sregDev: number | null;
  private readonly device: string | null;

  /** @param device the device's name in place of the number in `sregDev`, if the rule has one */
  constructor(sregAddr: number | null, sregDev: number | null, device: string | null = null) {
    this.sregAddr = sregAddr;
    this.sregDev = sregDev;
    this.device = device;
  }

  eval(state: HookState): number {
    const { pkt, effects } = state;
    const device = this.sregDev === null ? 0 : deviceNumber(state, this.sregDev, this.device);
    if (this.sregAddr !== null) sendCopy(state, state.regView, registerOffset(this.sregAddr), device);
    else effects.send(state, copyOfBytes(pkt.bytes, pkt.off, pkt.end), 'dup', device);
    return NFT_CONTINUE;
  }
}
