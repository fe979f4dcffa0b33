import type { Extension } from './extension.ts';
import { SRC_HOOKS } from './nat-options.ts';
import { type NptSpec, nptTarget } from './npt.ts';

/** `-j SNPT`: translates the prefix of the source address. */
export const TARGET_SNPT: Extension<NptSpec> = nptTarget('SNPT', SRC_HOOKS, 8);
