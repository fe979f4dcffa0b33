import { AF_INET } from '../packet/packet.ts';
import {
  IPPROTO_DCCP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { type Expr, UnknownExpr } from '../rules/expr.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { prefixMask } from './address.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import {
  BURST_MAX,
  burstText,
  bytesOf,
  bytesText,
  type HashRate,
  readBurst,
  readHashRate,
  SCALE,
} from './hashlimit-rate.ts';
import { BUCKET_WORDS, burstOverflows, ENOUGH, HashlimitTable, NO_BUCKET } from './hashlimit-table.ts';
import { optionMask } from './option-address.ts';
import { periodRate, readRate } from './rate.ts';
import { uintArg } from './values.ts';

const MODES = ['srcip', 'srcport', 'dstip', 'dstport'] as const;
const DEFAULT_BURST = 5;
/** The kernel makes no greater tables (measured). */
const TABLE_MAX = 1 << 20;
/** The kernel does not take rates of bytes that cost less (measured). */
const COST_MIN = 2;
const DEFAULT_SWEEP = 1000;
/** Lists of the kernel's table on a machine with a gigabyte or more, and how many buckets it has for each. */
const DEFAULT_LISTS = 8192;
const BUCKETS_OF_LIST = 8;
/** Longest name, without the zero behind it. */
const NAME_MAX = 254;

/** What `-m hashlimit` says. */
interface HashlimitSpec {
  rate: HashRate | null;
  /** --hashlimit-above, or --hashlimit-upto negated. */
  above: boolean;
  /** As written: packets or bytes; null for the default. */
  burst: number | null;
  mode: Set<(typeof MODES)[number]>;
  name: string;
  size: number;
  max: number;
  sweep: number;
  expire: number | null;
  srcMask: number;
  dstMask: number;
  rateMatch: boolean;
  /** Seconds, null for those of the rate. */
  interval: number | null;
}

function rateOption(
  name: string,
  aliases: readonly string[],
  above: boolean,
  other: string,
): XtOption<HashlimitSpec> {
  return {
    name,
    aliases,
    invert: true,
    excludes: [other],
    parse(spec, arg) {
      spec.rate = readHashRate(arg);
      spec.above = above !== arg.inverted;
    },
  };
}

function readMode(spec: HashlimitSpec, arg: XtArg): void {
  for (const word of arg.text.split(',')) {
    if (word === '') continue;
    const mode = MODES.find((known) => known === word);
    if (mode === undefined)
      throw new XtError(
        `hashlimit: Bad value for "--hashlimit-mode" option: "${arg.text}"`,
        `known are ${MODES.join(', ')}`,
        0,
      );
    spec.mode.add(mode);
  }
}

type NumberField = 'size' | 'max' | 'sweep' | 'expire' | 'interval';

function numberOption(name: string, field: NumberField, min = 0, most?: number): XtOption<HashlimitSpec> {
  return {
    name,
    parse(spec, arg) {
      spec[field] = Math.min(uintArg(arg, min), most ?? 0xffffffff);
    },
  };
}

function maskOption(name: string, field: 'srcMask' | 'dstMask'): XtOption<HashlimitSpec> {
  return {
    name,
    parse(spec, arg) {
      // The kernel refuses what is no prefix (measured).
      spec[field] = optionMask(arg.text, arg).length ?? Number.POSITIVE_INFINITY;
    },
  };
}

const OPTIONS: readonly XtOption<HashlimitSpec>[] = [
  rateOption('hashlimit-upto', ['hashlimit'], false, 'hashlimit-above'),
  rateOption('hashlimit-above', [], true, 'hashlimit-upto'),
  {
    name: 'hashlimit-burst',
    parse(spec, arg) {
      spec.burst = readBurst(arg);
    },
  },
  { name: 'hashlimit-mode', parse: readMode },
  {
    name: 'hashlimit-name',
    required: true,
    parse(spec, arg) {
      if (arg.text === '')
        throw new XtError('Argument must have a minimum length of 1 characters', undefined, 0);
      spec.name = arg.text.slice(0, NAME_MAX);
    },
  },
  numberOption('hashlimit-htable-size', 'size', 0, TABLE_MAX),
  numberOption('hashlimit-htable-max', 'max', 0, TABLE_MAX),
  numberOption('hashlimit-htable-gcinterval', 'sweep'),
  numberOption('hashlimit-htable-expire', 'expire'),
  maskOption('hashlimit-srcmask', 'srcMask'),
  maskOption('hashlimit-dstmask', 'dstMask'),
  {
    name: 'hashlimit-rate-match',
    args: 0,
    parse(spec) {
      spec.rateMatch = true;
    },
  },
  numberOption('hashlimit-rate-interval', 'interval', 1),
];

/** The burst as the kernel gets it: packets, or how often a bucket of bytes is filled at once. */
function burstOf(spec: HashlimitSpec): number {
  if (!spec.rate!.bytes) return spec.burst ?? DEFAULT_BURST;
  return spec.burst === null ? 0 : Math.ceil(spec.burst / Math.max(1, bytesOf(spec.rate!.period)));
}

function finish(spec: HashlimitSpec): void {
  if (spec.rate === null) throw new XtError('You have to specify --hashlimit');
  // Measured: a rate to be matched is listed as if it were one a second.
  if (spec.rateMatch && !spec.rate.bytes)
    spec.rate = { ...spec.rate, period: readRate(`${spec.rate.count}/s`, SCALE) };
  const { burst } = spec;
  if (burst === null) return;
  if (!spec.rate.bytes) {
    if (burst < 1 || burst > BURST_MAX)
      throw new XtError(`bad value for option "--hashlimit-burst", or out of range (1-${BURST_MAX})`);
    return;
  }
  const least = bytesOf(spec.rate.period);
  if (least === 0) throw new XtError('no burst can be given for less than 16 bytes a second');
  if (burst < least) throw new XtError(`burst cannot be smaller than ${least}b`);
}

/** The time after which idle buckets go that belongs to the rate as it is listed. */
function listedExpire(spec: HashlimitSpec): number {
  return spec.rate!.bytes ? 0 : periodRate(spec.rate!.period, SCALE).unit.seconds * 1000;
}

function save(spec: HashlimitSpec, bits: number): string {
  const { period, bytes } = spec.rate!;
  const listed = bytes ? null : periodRate(period, SCALE);
  const rate = listed === null ? `${bytesText(period)}/s` : `${listed.rate}/${listed.unit.name}`;
  const words = [`--hashlimit-${spec.above ? 'above' : 'upto'} ${rate}`];
  if (!bytes) words.push(`--hashlimit-burst ${burstOf(spec)}`);
  else if (spec.burst !== null) words.push(`--hashlimit-burst ${burstText(bytesOf(period) * burstOf(spec))}`);
  const modes = MODES.filter((mode) => spec.mode.has(mode));
  if (modes.length > 0) words.push(`--hashlimit-mode ${modes.join(',')}`);
  words.push(`--hashlimit-name ${spec.name}`);
  if (spec.size !== 0) words.push(`--hashlimit-htable-size ${spec.size}`);
  if (spec.max !== 0) words.push(`--hashlimit-htable-max ${spec.max}`);
  if (spec.sweep !== DEFAULT_SWEEP) words.push(`--hashlimit-htable-gcinterval ${spec.sweep}`);
  const expire = spec.expire ?? (spec.rate!.expire || 10000);
  if (bytes ? spec.expire !== null : expire !== listedExpire(spec))
    words.push(`--hashlimit-htable-expire ${expire}`);
  if (spec.srcMask !== bits) words.push(`--hashlimit-srcmask ${spec.srcMask}`);
  if (spec.dstMask !== bits) words.push(`--hashlimit-dstmask ${spec.dstMask}`);
  if (spec.rateMatch) words.push('--hashlimit-rate-match');
  const interval = spec.interval ?? spec.rate!.seconds;
  if (spec.rateMatch && interval !== 1) words.push(`--hashlimit-rate-interval ${interval}`);
  return words.join(' ');
}

function check(spec: HashlimitSpec, bits: number): void {
  if (spec.srcMask > bits || spec.dstMask > bits)
    throw new XtError(`hashlimit: a mask has at most ${bits} bits`);
  if (spec.sweep === 0 || spec.expire === 0)
    throw new XtError('hashlimit: the times of the table cannot be 0');
  if (/^\.{0,2}$/.test(spec.name) || spec.name.includes('/'))
    throw new XtError(`hashlimit: '${spec.name}' cannot be the name of a table`);
  if (spec.rate!.bytes && spec.rate!.period < COST_MIN) throw new XtError('hashlimit: the rate is too great');
  if (!spec.rate!.bytes && !spec.rateMatch && burstOverflows(spec.rate!.period, burstOf(spec)))
    throw new XtError('hashlimit: the burst is too large for so slow a rate: Numerical result out of range');
}

/** How many buckets there may be (measured): packets that find no room for theirs are dropped. */
function mostBuckets({ size, max }: HashlimitSpec): number {
  const lists = size === 0 ? DEFAULT_LISTS : size;
  return max === 0 ? lists * BUCKETS_OF_LIST : Math.max(max, lists);
}

function bitsOf(family: number): number {
  return family === NFPROTO_IPV4 ? 32 : 128;
}

/** `-m hashlimit`: a token bucket for each address, port or both. */
export const MATCH_HASHLIMIT: Extension<HashlimitSpec> = {
  kind: 'match',
  name: 'hashlimit',
  families: XT_BOTH,
  options: OPTIONS,
  init: (ctx) => ({
    rate: null,
    above: false,
    burst: null,
    mode: new Set(),
    name: '',
    size: 0,
    max: 0,
    sweep: DEFAULT_SWEEP,
    expire: null,
    srcMask: bitsOf(ctx.family),
    dstMask: bitsOf(ctx.family),
    rateMatch: false,
    interval: null,
  }),
  finish,
  check: (spec, facts) => check(spec, bitsOf(facts.family)),
  save: (spec, ctx) => save(spec, bitsOf(ctx.family)),
  lower(spec, ctx) {
    if (spec.rateMatch) return [new UnknownExpr('hashlimit --hashlimit-rate-match is not evaluated')];
    // A second rule of the same name uses the buckets of the first one, whatever rate it gives (kernel).
    const table = ctx.world.shared(
      `hashlimit:${ctx.family}:${spec.name}`,
      () =>
        new HashlimitTable(
          {
            period: spec.rate!.period,
            burst: burstOf(spec),
            bytes: spec.rate!.bytes,
            expire: spec.expire ?? (spec.rate!.expire || 10000),
            sweep: spec.sweep,
            max: mostBuckets(spec),
          },
          ctx.world.random,
        ),
    );
    return [new HashlimitMatch(spec, table, ctx.family)];
  },
};

const WITH_PORTS: readonly number[] = [
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_DCCP,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
  50,
];
/** AH's index stands four bytes in. */
const IPPROTO_AH = 51;

/** The kernel's hashlimit match. */
class HashlimitMatch implements Expr {
  readonly name = 'match';
  private readonly table: HashlimitTable;
  private readonly above: boolean;
  private readonly v4: boolean;
  private readonly source: readonly number[] | null;
  private readonly destination: readonly number[] | null;
  private readonly ports: number;
  private readonly key: Int32Array = new Int32Array(BUCKET_WORDS);

  constructor(spec: HashlimitSpec, table: HashlimitTable, family: number) {
    this.table = table;
    this.above = spec.above;
    this.v4 = family === NFPROTO_IPV4;
    this.source = spec.mode.has('srcip') ? prefixMask(spec.srcMask, family) : null;
    this.destination = spec.mode.has('dstip') ? prefixMask(spec.dstMask, family) : null;
    this.ports = (spec.mode.has('srcport') ? 0xffff0000 : 0) | (spec.mode.has('dstport') ? 0xffff : 0);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const { key } = this;
    const v4 = pkt.family === AF_INET;
    if (v4 !== this.v4) return NFT_BREAK;
    this.address(state, 0, this.source, v4 ? 12 : 8);
    this.address(state, 4, this.destination, v4 ? 16 : 24);
    key[8] = 0;
    if (this.ports !== 0 && pkt.frag < 8) {
      // Measured: IPv6 without a transport header ("no next header", headers cut off) is dropped.
      if (!v4 && pkt.l4 < 0) return NF_DROP;
      const at = portsAt(pkt.proto, pkt.l4);
      if (at >= 0) {
        if (at + 4 > pkt.end) return NF_DROP;
        key[8] = pkt.view.getInt32(at) & this.ports;
      }
    }
    const taken = this.table.take(key, state, pkt.end - pkt.off);
    if (taken === NO_BUCKET) return NF_DROP;
    return (taken === ENOUGH) !== this.above ? NFT_CONTINUE : NFT_BREAK;
  }

  private address(state: HookState, word: number, mask: readonly number[] | null, offset: number): void {
    const { pkt } = state;
    const words = this.v4 ? 1 : 4;
    for (let i = 0; i < words; i++)
      this.key[word + i] = mask === null ? 0 : pkt.view.getInt32(pkt.off + offset + i * 4) & mask[i]!;
  }
}

/** Where the four bytes stand that tell flows of a protocol apart, -1 if it has none. */
function portsAt(proto: number, l4: number): number {
  if (l4 < 0) return -1;
  if (proto === IPPROTO_AH) return l4 + 4;
  return WITH_PORTS.includes(proto) ? l4 : -1;
}
