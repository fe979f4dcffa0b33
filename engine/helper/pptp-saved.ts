/** PPTP's data in snapshots. */
import type { Conntrack } from '../conntrack/conntrack.ts';
import type { GreKeyWords } from '../proto/gre-keys.ts';
import type { PptpData } from './pptp.ts';
import { keysOf } from './pptp-gre.ts';
import { isNumbers } from './saved-data.ts';

/** {@link Helper.save}: the states and call ids, and the call ids that are noted for its GRE packets. */
export function savePptp(data: PptpData): unknown {
  const { session, call, pnsCallId, pacCallId, ownCallId, keys, kept } = data;
  return { ids: [session, call, pnsCallId, pacCallId, ownCallId], keys: keys?.of(data) ?? kept };
}

/** {@link Helper.restore}. */
export function restorePptp(saved: unknown): PptpData | undefined {
  const from = saved as { readonly ids?: unknown; readonly keys?: unknown } | null;
  if (typeof from !== 'object' || from === null || !isNumbers(from.ids, 5)) return undefined;
  const { keys } = from;
  if (!Array.isArray(keys) || !keys.every((key) => isNumbers(key, 5))) return undefined;
  const [session, call, pnsCallId, pacCallId, ownCallId] = from.ids as [
    number,
    number,
    number,
    number,
    number,
  ];
  const kept = keys as unknown as readonly GreKeyWords[];
  return { session, call, pnsCallId, pacCallId, ownCallId, keys: null, kept };
}

/** {@link Helper.resume}: notes the call ids again. */
export function resumePptp(ct: Conntrack, data: PptpData): void {
  const keys = keysOf(ct);
  if (keys !== null && data.kept.length > 0) {
    data.keys = keys;
    for (const key of data.kept) keys.add(data, ...key);
  }
  data.kept = [];
}
