import type { ExpectFnMaker } from '../conntrack/expectation.ts';
import { followMaster } from '../nat/follow.ts';
import { forwardTo } from './h323-forward.ts';
import type { PptpData } from './pptp.ts';
import { forgetOther, translateGre } from './pptp-gre.ts';
import { followSip } from './sip-follow.ts';

/** Functions of expectations by the names that they have in snapshots (nf_ct_helper_expectfn). */
export const EXPECT_FNS: ReadonlyMap<string, ExpectFnMaker> = new Map<string, ExpectFnMaker>([
  ['nat-follow-master', followMaster],
  ['sip', followSip],
  ['callforwarding', forwardTo],
  ['pptp', forgetOther],
  ['pptp-nat', (ct, master) => translateGre(ct, ct.extension(master)?.data as PptpData)],
]);
