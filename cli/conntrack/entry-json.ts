import { flowFields, JSON_VERSION } from '../format/json-flow.ts';
import type { Entry } from './table.ts';

/** A flow as one line of `conntrack -o json`, without a newline; docs/json.md explains the fields. */
export function jsonEntry(entry: Entry): string {
  const { labels, vtags } = entry;
  return JSON.stringify({
    v: JSON_VERSION,
    ...flowFields(entry),
    ...(labels.length === 0 ? {} : { labels }),
    ...(vtags === null ? {} : { vtags }),
  });
}
