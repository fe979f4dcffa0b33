import type { Packet } from '../engine/packet/packet.ts';
import { type BenchTest, maskOf } from './rules-kinds.ts';

/** More rules in one function are not compiled by V8 at times (performance.md). */
const CHUNK = 200;

function condition({ src, dst, dport }: BenchTest): string {
  const out: string[] = [];
  const address = (name: string, [word, bits]: readonly [number, number]): string => {
    const mask = maskOf(bits) | 0;
    return mask === -1 ? `${name} === ${word | 0}` : `(${name} & ${mask}) === ${word & mask}`;
  };
  if (src !== undefined) out.push(address('s', src));
  if (dst !== undefined) out.push(address('d', dst));
  if (dport !== undefined) {
    out.push('p === 6');
    out.push(dport[0] === dport[1] ? `o === ${dport[0]}` : `o >= ${dport[0]} && o <= ${dport[1]}`);
  }
  return out.join(' && ');
}

/**
 * The same rules as JavaScript made of text, which a strict Content-Security-Policy forbids: what the engine could
 * do instead of interpreting.
 */
export function generated(tests: readonly BenchTest[]): (pkt: Packet) => number {
  const chunks: ((s: number, d: number, p: number, o: number) => number)[] = [];
  for (let i = 0; i < tests.length; i += CHUNK) {
    const lines = tests.slice(i, i + CHUNK).map((test) => `if (${condition(test)}) return 0;`);
    const body = `s |= 0; d |= 0; p |= 0; o |= 0;\n${lines.join('\n')}\nreturn 1;`;
    chunks.push(new Function('s', 'd', 'p', 'o', body) as (typeof chunks)[number]);
  }
  return ({ view, off, l4, proto }) => {
    const s = view.getInt32(off + 12);
    const d = view.getInt32(off + 16);
    const o = view.getUint16(l4 + 2);
    for (const chunk of chunks) if (chunk(s, d, proto, o) === 0) return 0;
    return 1;
  };
}
