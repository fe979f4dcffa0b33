import { hashSeed } from '../base/hash-seed.ts';
import { IpSets } from '../ipset/ip-sets.ts';
import type { SetSlot } from '../ipset/list-set.ts';
import type { SetQuery } from '../ipset/set-base.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { type XtContext, XtError } from './extension.ts';
import type { XtWorld } from './world.ts';

/** Most words of `src,dst`. */
const MAX_DIMENSIONS = 6;

/** The IP sets of a network namespace, which its matches and targets ask; made empty if there are none yet. */
export function worldSets(world: XtWorld): IpSets {
  return world.shared('ipset', () => new IpSets(hashSeed()));
}

/** A set and which addresses of the packet are looked up in it. */
export interface SetRef {
  readonly slot: SetSlot;
  readonly dimensions: number;
  readonly directions: number;
}

/**
 * `name src,dst`.
 * @throws XtError if there is no such set, or it is of the other family
 */
export function readSetRef(name: string, flags: string, ctx: XtContext): SetRef {
  if (name.length > 31) throw new XtError(`setname \`${name}' too long, max 31 characters.`, undefined, 0);
  const slot = worldSets(ctx.world).find(name);
  if (slot === undefined)
    throw new XtError(`Set ${name} doesn't exist.`, 'read the file with the ipset commands first', 0);
  const { type, options } = slot.set;
  const isV4 = options.addressBytes === 4;
  if (type.family !== 'none' && isV4 !== (ctx.family === NFPROTO_IPV4))
    throw new XtError(
      `The protocol family of set ${name} is ${isV4 ? 'IPv4' : 'IPv6'}, which is not applicable.`,
      undefined,
      0,
    );
  const words = flags.split(',');
  if (words.length > MAX_DIMENSIONS)
    throw new XtError(`Can't be more src/dst options than ${MAX_DIMENSIONS}.`, undefined, 1);
  let directions = 0;
  for (const [i, word] of words.entries()) {
    if (word !== 'src' && word !== 'dst')
      throw new XtError("You must spefify (the comma separated list of) 'src' or 'dst'.", undefined, 1);
    if (word === 'src') directions |= 1 << i;
  }
  return { slot, dimensions: words.length, directions };
}

/** As it is saved. */
export function setRefText(ref: SetRef): string {
  const words = Array.from({ length: ref.dimensions }, (_, i) =>
    (ref.directions & (1 << i)) !== 0 ? 'src' : 'dst',
  );
  return `${ref.slot.name} ${words.join(',')}`;
}

/** What a packet asks a set, with nothing special. */
export function plainQuery(ref: SetRef): SetQuery {
  return {
    dimensions: ref.dimensions,
    directions: ref.directions,
    keepsCounters: false,
    keepsSubcounters: false,
    wantsNomatch: false,
    packets: null,
    bytes: null,
    skbmark: 0,
    skbmask: 0,
    skbprio: 0,
    skbqueue: 0,
  };
}
