import { didYouMean } from '../base/suggest.ts';
import { IPPROTO_SCTP } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, type XtArg, XtError } from './extension.ts';
import { type GivenPorts, givenPortOptions, givenPortWords, noPortsGiven, portHolds } from './port-test.ts';

/** A chunk that is looked for: its type, and which flags must be set or not. */
interface ChunkTest {
  type: number;
  mask: number;
  flags: number;
}

interface SctpSpec extends GivenPorts {
  chunks: { how: 'all' | 'any' | 'only'; list: ChunkTest[] | 'ALL' | 'NONE'; inverted: boolean } | null;
}

/** Types by name (IANA, SCTP Parameters). */
const TYPES: readonly (readonly [string, number])[] = [
  ['DATA', 0],
  ['INIT', 1],
  ['INIT_ACK', 2],
  ['SACK', 3],
  ['HEARTBEAT', 4],
  ['HEARTBEAT_ACK', 5],
  ['ABORT', 6],
  ['SHUTDOWN', 7],
  ['SHUTDOWN_ACK', 8],
  ['ERROR', 9],
  ['COOKIE_ECHO', 10],
  ['COOKIE_ACK', 11],
  ['ECN_ECNE', 12],
  ['ECN_CWR', 13],
  ['SHUTDOWN_COMPLETE', 14],
  ['I_DATA', 64],
  ['ASCONF_ACK', 128],
  ['RE_CONFIG', 130],
  ['PAD', 132],
  ['FORWARD_TSN', 192],
  ['ASCONF', 193],
  ['I_FORWARD_TSN', 194],
];

/** Flags that have letters, by type: from the highest bit to the lowest; dashes have none. */
const LETTERS: ReadonlyMap<number, string> = new Map([
  [0, '----IUBE'],
  [6, '-------T'],
  [14, '-------T'],
  [64, '----IUBE'],
]);
const SCTP_HEADER = 12;

/** A capital letter wants the flag set, a small one wants it not set. */
function readFlags(type: number, letters: string): ChunkTest {
  const known = LETTERS.get(type) ?? '';
  let mask = 0;
  let flags = 0;
  for (const letter of letters) {
    const at = known.indexOf(letter.toUpperCase());
    if (at < 0 || letter === '-') {
      const hint = known === '' ? 'it has no flags' : `its flags are ${known.replaceAll('-', '')}`;
      throw new XtError(`Invalid flags for chunk type ${type}`, hint, 1);
    }
    const bit = 0x80 >> at;
    mask |= bit;
    if (letter === letter.toUpperCase()) flags |= bit;
  }
  return { type, mask, flags };
}

function readChunk(word: string): ChunkTest {
  const colon = word.indexOf(':');
  const name = (colon < 0 ? word : word.slice(0, colon)).toUpperCase();
  const type = TYPES.find(([known]) => known === name)?.[1];
  if (type === undefined) {
    const near = didYouMean(
      name,
      TYPES.map(([known]) => known),
    );
    throw new XtError(`Unknown sctp chunk \`${word}'`, near, 1);
  }
  return readFlags(type, colon < 0 ? '' : word.slice(colon + 1));
}

function readChunks(spec: SctpSpec, arg: XtArg): void {
  const how = arg.words[0]!.toLowerCase();
  if (how !== 'all' && how !== 'any' && how !== 'only')
    throw new XtError('Match type has to be one of "ALL", "ANY" or "ONLY"', undefined, 0);
  const text = arg.words[1]!;
  const whole = text.toUpperCase();
  if (whole === 'ALL' || whole === 'NONE' || text === '') {
    spec.chunks = { how, list: whole === 'ALL' ? 'ALL' : 'NONE', inverted: arg.inverted };
    return;
  }
  const byType = new Map<number, ChunkTest>();
  for (const word of text.split(',')) {
    if (word === '') continue;
    const chunk = readChunk(word);
    byType.set(chunk.type, chunk);
  }
  const list = [...byType.values()].sort((a, b) => a.type - b.type);
  spec.chunks = { how, list, inverted: arg.inverted };
}

function chunkText({ type, mask, flags }: ChunkTest): string {
  const name = TYPES.find(([, number]) => number === type)![0];
  // Measured: the flags of I_DATA are read and not listed.
  if (mask === 0 || type === 64) return name;
  const letters = Array.from(LETTERS.get(type)!, (letter, i) => {
    const bit = 0x80 >> i;
    if ((mask & bit) === 0) return '';
    return (flags & bit) === 0 ? letter.toLowerCase() : letter;
  });
  return `${name}:${letters.join('')}`;
}

function save(spec: SctpSpec): string {
  const words = givenPortWords(spec);
  if (spec.chunks !== null) {
    const { how, list, inverted } = spec.chunks;
    const text = typeof list === 'string' ? list : list.map(chunkText).join(',');
    words.push(`${inverted ? '! ' : ''}--chunk-types ${how} ${text}`);
  }
  return words.join(' ');
}

/** `-m sctp`: ports and chunks. */
export const MATCH_SCTP: Extension<SctpSpec> = {
  kind: 'match',
  name: 'sctp',
  families: XT_BOTH,
  protocols: [IPPROTO_SCTP],
  options: [
    ...givenPortOptions<SctpSpec>('sctp', (name) => `Only one \`--${name}' allowed`),
    {
      name: 'chunk-types',
      args: 2,
      invert: true,
      doubled: "Only one `--chunk-types' allowed",
      parse: readChunks,
    },
  ],
  init: () => ({ ...noPortsGiven(), chunks: null }),
  save,
  lower: (spec) => [new SctpMatch(spec)],
};

/** The kernel's sctp match: a header that is cut off drops the packet, a later fragment does not match. */
class SctpMatch implements Expr {
  readonly name = 'match';
  private readonly spec: SctpSpec;
  /** By chunk type: 1 if it is looked for. */
  private readonly wanted: Uint8Array = new Uint8Array(256);
  private readonly masks: Uint8Array = new Uint8Array(256);
  private readonly flags: Uint8Array = new Uint8Array(256);
  private readonly left: Uint8Array = new Uint8Array(256);
  private count = 0;

  constructor(spec: SctpSpec) {
    this.spec = spec;
    const list = spec.chunks?.list;
    if (list === 'ALL') this.wanted.fill(1);
    else if (list !== undefined && list !== 'NONE')
      for (const { type, mask, flags } of list) {
        this.wanted[type] = 1;
        this.masks[type] = mask;
        this.flags[type] = flags;
      }
    for (const bit of this.wanted) this.count += bit;
  }

  eval(state: HookState): number {
    const { l4, view, end, frag } = state.pkt;
    const { spec } = this;
    if (frag >= 8) return NFT_BREAK;
    if (l4 < 0 || l4 + SCTP_HEADER > end) return NF_DROP;
    if (!portHolds(spec.sport, view.getUint16(l4)) || !portHolds(spec.dport, view.getUint16(l4 + 2)))
      return NFT_BREAK;
    if (spec.chunks === null) return NFT_CONTINUE;
    const found = this.chunks(view, l4 + SCTP_HEADER, end);
    if (found < 0) return NF_DROP;
    return (found === 1) !== spec.chunks.inverted ? NFT_CONTINUE : NFT_BREAK;
  }

  /** @returns 1 if the chunks are as wanted, 0 if not, -1 if they are malformed */
  private chunks(view: DataView, from: number, end: number): number {
    const { how } = this.spec.chunks!;
    this.left.set(this.wanted);
    let left = this.count;
    let at = from;
    do {
      if (at + 4 > end) return -1;
      const type = view.getUint8(at);
      const length = view.getUint16(at + 2);
      if (length === 0) return -1;
      const fits =
        this.wanted[type] === 1 && (view.getUint8(at + 1) & this.masks[type]!) === this.flags[type];
      at += (length + 3) & ~3;
      if (fits && how === 'any') return 1;
      if (fits && how === 'all' && this.left[type] === 1) {
        this.left[type] = 0;
        left--;
      }
      if (!fits && how === 'only') return 0;
    } while (at < end);
    if (how === 'all') return left === 0 ? 1 : 0;
    return how === 'only' ? 1 : 0;
  }
}
