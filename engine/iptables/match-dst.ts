import type { Extension } from './extension.ts';
import { type Ipv6Options, optionsExtension } from './ipv6-options.ts';

/** `-m dst`: IPv6's destination options. */
export const MATCH_DST: Extension<Ipv6Options> = optionsExtension('dst', 60);
