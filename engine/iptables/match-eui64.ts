import { NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_IPV6 } from './extension.ts';
import { XtMatch } from './xt-match.ts';

const ETH_HLEN = 14;
const ETH_P_IPV6 = 0x86dd;

/** Whether the source address was made of the sender's hardware address (RFC 4291, appendix A). */
class Eui64Match extends XtMatch {
  matches(state: HookState): boolean {
    const { view, off, mac } = state.pkt;
    if (mac < 0 || off - mac < ETH_HLEN || view.getUint16(mac + 12) !== ETH_P_IPV6) return false;
    const at = off + 16;
    const source = mac + 6;
    return (
      view.getUint8(at) === (view.getUint8(source) ^ 2) &&
      view.getUint16(at + 1) === view.getUint16(source + 1) &&
      view.getUint16(at + 3) === 0xfffe &&
      view.getUint8(at + 5) === view.getUint8(source + 3) &&
      view.getUint16(at + 6) === view.getUint16(source + 4)
    );
  }
}

/** `-m eui64`: the interface identifier is that of the sender's hardware address. */
export const MATCH_EUI64: Extension<null> = {
  kind: 'match',
  name: 'eui64',
  families: XT_IPV6,
  hooks: (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_FORWARD),
  options: [],
  init: () => null,
  save: () => '',
  lower: () => [new Eui64Match()],
};
