import { type XtArg, XtError } from './extension.ts';
import { readUint, scanUint } from './values.ts';

/** Names of RFC 1349. */
const NAMES: ReadonlyMap<string, number> = new Map([
  ['minimize-delay', 0x10],
  ['maximize-throughput', 0x08],
  ['maximize-reliability', 0x04],
  ['minimize-cost', 0x02],
  ['normal-service', 0x00],
]);

/** A value of the type of service, and which of its bits count. */
export interface TosValue {
  value: number;
  mask: number;
}

/** `value[/mask]`, or a name, which leaves out the two bits of congestion notification. @throws XtError */
export function readTos(arg: XtArg, nameMask: number): TosValue {
  const { text } = arg;
  const scanned = scanUint(text);
  if (scanned !== null && scanned.value <= 255) {
    if (scanned.end === text.length) return { value: scanned.value, mask: 255 };
    const mask = text[scanned.end] === '/' ? readUint(text.slice(scanned.end + 1), 0, 255) : undefined;
    if (mask !== undefined) return { value: scanned.value, mask };
    throw new XtError(`Illegal value: "${text}"`, undefined, 0);
  }
  const named = [...NAMES].filter(([name]) => name === text.toLowerCase());
  if (named.length !== 1 || text === '')
    throw new XtError(`Symbolic name "${text}" is unknown`, undefined, 0);
  return { value: named[0]![1], mask: nameMask };
}
