import type { Extension } from './extension.ts';
import { DST_HOOKS } from './nat-options.ts';
import { type NptSpec, nptTarget } from './npt.ts';

/** `-j DNPT`: translates the prefix of the destination address. */
export const TARGET_DNPT: Extension<NptSpec> = nptTarget('DNPT', DST_HOOKS, 24);
