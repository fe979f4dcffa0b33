import type { Extension } from './extension.ts';
import { type Ipv6Options, optionsExtension } from './ipv6-options.ts';

/** `-m hbh`: IPv6's hop-by-hop options. */
export const MATCH_HBH: Extension<Ipv6Options> = optionsExtension('hbh', 0);
