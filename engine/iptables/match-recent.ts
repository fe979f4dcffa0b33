import { AF_INET } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { addressText, prefixMask } from './address.ts';
import { type Extension, XT_BOTH, XtError, type XtOption } from './extension.ts';
import { HZ, jiffies } from './jiffies.ts';
import { optionAddress } from './option-address.ts';
import { RECENT_WORDS, type RecentEntry, RecentList } from './recent-list.ts';
import { uintArg } from './values.ts';

/** What the rule does with an address. */
type RecentMode = 'set' | 'rcheck' | 'update' | 'remove';

/** What `-m recent` says. */
interface RecentSpec {
  mode: RecentMode | null;
  inverted: boolean;
  seconds: number;
  hits: number;
  rttl: boolean;
  reap: boolean;
  name: string;
  mask: readonly number[];
  side: 'rsource' | 'rdest';
}

/** XT_RECENT_MAX_NSTAMPS: as many hits as can be asked for, and one more (measured). */
const HITS_MAX = 65535;
const NAME_MAX = 199;

const MODES: readonly RecentMode[] = ['set', 'rcheck', 'update', 'remove'];

function modeOption(mode: RecentMode): XtOption<RecentSpec> {
  return {
    name: mode,
    args: 0,
    invert: true,
    excludes: MODES.filter((other) => other !== mode),
    parse(spec, arg) {
      spec.mode = mode;
      spec.inverted = arg.inverted;
    },
  };
}

function sideOption(side: 'rsource' | 'rdest'): XtOption<RecentSpec> {
  return {
    name: side,
    args: 0,
    many: true,
    parse(spec) {
      spec.side = side;
    },
  };
}

const OPTIONS: readonly XtOption<RecentSpec>[] = [
  ...MODES.map(modeOption),
  {
    name: 'seconds',
    parse(spec, arg) {
      spec.seconds = uintArg(arg, 1);
    },
  },
  {
    name: 'reap',
    args: 0,
    also: ['seconds'],
    parse(spec) {
      spec.reap = true;
    },
  },
  {
    name: 'hitcount',
    parse(spec, arg) {
      spec.hits = uintArg(arg);
    },
  },
  {
    name: 'rttl',
    args: 0,
    excludes: ['set', 'remove'],
    parse(spec) {
      spec.rttl = true;
    },
  },
  {
    name: 'name',
    parse(spec, arg) {
      spec.name = arg.text.slice(0, NAME_MAX);
    },
  },
  {
    name: 'mask',
    parse(spec, arg) {
      spec.mask = optionAddress(arg.text, arg.ctx.family);
    },
  },
  sideOption('rsource'),
  sideOption('rdest'),
];

/** `-m recent`: lists of addresses with the times of their packets. */
export const MATCH_RECENT: Extension<RecentSpec> = {
  kind: 'match',
  name: 'recent',
  families: XT_BOTH,
  options: OPTIONS,
  init: (ctx) => ({
    mode: null,
    inverted: false,
    seconds: 0,
    hits: 0,
    rttl: false,
    reap: false,
    name: 'DEFAULT',
    mask: prefixMask(ctx.family === NFPROTO_IPV4 ? 32 : 128, ctx.family),
    side: 'rsource',
  }),
  finish(spec) {
    if (spec.mode === null)
      throw new XtError("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'");
  },
  check(spec) {
    const { mode, name } = spec;
    if ((mode === 'set' || mode === 'remove') && (spec.seconds !== 0 || spec.hits !== 0))
      throw new XtError(`recent: --seconds and --hitcount have no meaning with --${mode}`);
    if (name === '' || name === '.' || name === '..' || name.includes('/'))
      throw new XtError(`recent: '${name}' cannot be the name of a list`);
    if (spec.hits > HITS_MAX)
      throw new XtError(`recent: hitcount (${spec.hits}) is larger than allowed maximum (${HITS_MAX})`);
  },
  save(spec) {
    const words = [`${spec.inverted ? '! ' : ''}--${spec.mode}`];
    if (spec.seconds !== 0) words.push(`--seconds ${spec.seconds | 0}`);
    if (spec.reap) words.push('--reap');
    if (spec.hits !== 0) words.push(`--hitcount ${spec.hits}`);
    if (spec.rttl) words.push('--rttl');
    words.push(`--name ${spec.name}`, `--mask ${addressText(spec.mask)}`, `--${spec.side}`);
    return words.join(' ');
  },
  lower(spec, ctx) {
    const list = ctx.world.shared(`recent:${spec.name}`, () => new RecentList(ctx.world.random));
    list.use(spec.hits);
    return [new RecentMatch(spec, list)];
  },
};

/** The kernel's recent match. */
class RecentMatch implements Expr {
  readonly name = 'match';
  private readonly spec: RecentSpec;
  private readonly list: RecentList;
  private readonly key: Int32Array = new Int32Array(RECENT_WORDS);

  constructor(spec: RecentSpec, list: RecentList) {
    this.spec = spec;
    this.list = list;
  }

  eval(state: HookState): number {
    const { spec, list } = this;
    const now = jiffies(state);
    this.readKey(state);
    const ttl = seenTtl(state);
    const entry = list.find(this.key, spec.rttl ? ttl : 0);
    let holds = spec.inverted;
    if (entry === null) {
      if (spec.mode === 'set') {
        list.add(this.key, ttl, now);
        holds = !holds;
      }
      return holds ? NFT_CONTINUE : NFT_BREAK;
    }
    if (spec.mode === 'set') {
      list.update(entry, now);
      entry.ttl = ttl;
      return spec.inverted ? NFT_BREAK : NFT_CONTINUE;
    }
    if (spec.mode === 'remove') {
      list.remove(entry);
      return spec.inverted ? NFT_BREAK : NFT_CONTINUE;
    }
    if (this.wasSeen(entry, now)) holds = !holds;
    const updates = spec.mode === 'update' && holds;
    if (spec.reap) list.reap(now - spec.seconds * HZ, updates ? entry : null);
    if (updates) {
      list.update(entry, now);
      entry.ttl = ttl;
    }
    return holds ? NFT_CONTINUE : NFT_BREAK;
  }

  /** Whether it was seen often enough in the last seconds. */
  private wasSeen(entry: RecentEntry, now: number): boolean {
    const { seconds, hits } = this.spec;
    const since = now - seconds * HZ;
    let seen = 0;
    for (let i = 0; i < entry.count; i++) {
      if (seconds !== 0 && entry.stamps[i]! < since) continue;
      if (hits === 0 || ++seen >= hits) return true;
    }
    return false;
  }

  private readKey(state: HookState): void {
    const { pkt } = state;
    const { key, spec } = this;
    const v4 = pkt.family === AF_INET;
    const first = spec.side === 'rsource' ? (v4 ? 12 : 8) : v4 ? 16 : 24;
    key[0] = pkt.family;
    for (let i = 0; i < 4; i++)
      key[i + 1] = v4 && i > 0 ? 0 : pkt.view.getInt32(pkt.off + first + i * 4) & spec.mask[i]!;
  }
}

/** The TTL or hop limit as it was before this machine took one off in forwarding. */
function seenTtl(state: HookState): number {
  const { pkt } = state;
  const ttl = pkt.view.getUint8(pkt.off + (pkt.family === AF_INET ? 8 : 7));
  return pkt.ifin !== 0 && pkt.ifout !== 0 ? ttl + 1 : ttl;
}
