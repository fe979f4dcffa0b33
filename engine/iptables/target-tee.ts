import { sendCopy } from '../rules/copy.ts';
import type { HookState } from '../rules/hook-state.ts';
import { addressText } from './address.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { optionAddress } from './option-address.ts';
import { XtChange } from './xt-match.ts';

interface TeeSpec {
  gateway: readonly number[];
  oif: string;
}

class TeeTarget extends XtChange {
  private readonly gateway: DataView;
  private readonly oif: string;

  constructor({ gateway, oif }: TeeSpec) {
    super();
    this.gateway = new DataView(new ArrayBuffer(16));
    for (const [i, word] of gateway.entries()) this.gateway.setInt32(4 * i, word);
    this.oif = oif;
  }

  apply(state: HookState): void {
    // A device that there is not is none asked for (measured).
    const device = this.oif === '' ? null : state.host.deviceNamed(this.oif);
    sendCopy(state, this.gateway, 0, device?.index ?? 0);
  }
}

/** `-j TEE`: a copy of the packet to another machine. */
export const TARGET_TEE: Extension<TeeSpec> = {
  kind: 'target',
  name: 'TEE',
  families: XT_BOTH,
  options: [
    {
      name: 'gateway',
      required: true,
      parse: (spec, arg) => {
        spec.gateway = optionAddress(arg.text, arg.ctx.family);
      },
    },
    {
      name: 'oif',
      parse: (spec, arg) => {
        // Measured: what is too long for a device's name is cut off.
        spec.oif = arg.text.slice(0, 15);
      },
    },
  ],
  init: () => ({ gateway: [], oif: '' }),
  check: (spec) => {
    if (spec.gateway.every((w) => w === 0)) throw new XtError('TEE: the gateway cannot be the address 0');
  },
  save: (spec) => `--gateway ${addressText(spec.gateway)}${spec.oif === '' ? '' : ` --oif ${spec.oif}`}`,
  lower: (spec) => [new TeeTarget(spec)],
};
