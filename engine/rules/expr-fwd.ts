import { AF_INET, copyOfBytes, type Packet } from '../packet/packet.ts';
import { replaceChecksum } from '../packet/rewrite.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NF_DROP, NF_STOLEN } from './verdict.ts';

/** `fwd`: from a netdev chain straight to another device; the packet's way ends here. */
export class FwdExpr implements Expr {
  readonly name = 'fwd';
  readonly sregDev: number;
  readonly sregAddr: number | null;
  readonly family: number;
  private readonly device: string | null;

  /** @param device the device's name in place of the number in `sregDev`, if the rule has one */
  constructor(sregDev: number, sregAddr: number | null, family: number, device: string | null = null) {
    this.sregDev = sregDev;
    this.sregAddr = sregAddr;
    this.family = family;
    this.device = device;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const bytes = copyOfBytes(pkt.bytes, pkt.off, pkt.end);
    if (this.sregAddr !== null && !takeHop(pkt, bytes)) return NF_DROP;
    state.effects.send(state, bytes, 'fwd', deviceNumber(state, this.sregDev, this.device));
    return NF_STOLEN;
  }
}

/** The number of the device in a register, or of that with a name; 0 if there is none. */
export function deviceNumber({ host, regView }: HookState, sreg: number, name: string | null): number {
  if (name === null) return regView.getInt32(registerOffset(sreg), true);
  return host.deviceNamed(name)?.index ?? 0;
}

/** To a neighbour it goes as if it were routed: one hop less. @returns false where none is left */
function takeHop({ family }: Packet, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer);
  const at = family === AF_INET ? 8 : 7;
  const hops = view.getUint8(at);
  if (hops <= 1) return false;
  view.setUint8(at, hops - 1);
  if (family === AF_INET) replaceChecksum(view, 10, hops << 8, (hops - 1) << 8);
  return true;
}
