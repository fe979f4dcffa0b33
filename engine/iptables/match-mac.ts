import type { Expr } from '../rules/expr.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';

/** What `-m mac` tests. */
interface MacSpec {
  address: Uint8Array;
  inverted: boolean;
}

const ETHER_ADDRESS = 6;
/** ARPHRD_ETHER. */
const ARPHRD_ETHER = 1;
/** First byte of the source in an Ethernet header. */
const ETHER_SOURCE = 6;

/** Six hexadecimal numbers of one or two digits with colons between, undefined for anything else. */
export function readMac(text: string): Uint8Array | undefined {
  const parts = text.split(':');
  if (parts.length !== ETHER_ADDRESS || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part)))
    return undefined;
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

/** As the real tool prints a hardware address: two lower-case digits each. */
export function macText(address: Uint8Array): string {
  return Array.from(address, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** `-m mac`: the Ethernet source. */
export const MATCH_MAC: Extension<MacSpec> = {
  kind: 'match',
  name: 'mac',
  families: XT_BOTH,
  hooks: (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_FORWARD),
  options: [
    {
      name: 'mac-source',
      invert: true,
      required: true,
      parse(spec, arg) {
        const address = readMac(arg.text);
        if (address === undefined)
          throw new XtError('Invalid MAC address specified', 'such as 00:11:22:33:44:55', 0);
        spec.address = address;
        spec.inverted = arg.inverted;
      },
    },
  ],
  init: () => ({ address: new Uint8Array(ETHER_ADDRESS), inverted: false }),
  save: (spec) => `${spec.inverted ? '! ' : ''}--mac-source ${macText(spec.address)}`,
  lower: (spec) => [new MacMatch(spec)],
};

/** Never matches what did not come over Ethernet, negated or not. */
class MacMatch implements Expr {
  readonly name = 'match';
  private readonly spec: MacSpec;

  constructor(spec: MacSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { pkt, host } = state;
    const device = host.device(pkt.ifin);
    if (pkt.mac < 0 || (device !== null && device.type !== ARPHRD_ETHER)) return NFT_BREAK;
    const from = pkt.mac + ETHER_SOURCE;
    if (from + ETHER_ADDRESS > pkt.bytes.length) return NFT_BREAK;
    let same = true;
    for (let i = 0; i < ETHER_ADDRESS; i++) if (pkt.bytes[from + i] !== this.spec.address[i]) same = false;
    return same !== this.spec.inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}
