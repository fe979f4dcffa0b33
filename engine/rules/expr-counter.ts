import type { HookState } from './hook-state.ts';
import type { StatefulExpr } from './stateful.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `counter`: counts packets, and their bytes from the network header on. */
export class CounterExpr implements StatefulExpr {
  readonly name = 'counter';
  packets: number;
  bytes: number;

  /** @param packets and `bytes` are what it starts from */
  constructor(packets = 0, bytes = 0) {
    this.packets = packets;
    this.bytes = bytes;
  }

  eval(state: HookState): number {
    this.packets++;
    this.bytes += state.pkt.end - state.pkt.off;
    return NFT_CONTINUE;
  }

  clone(): CounterExpr {
    return new CounterExpr();
  }
}
