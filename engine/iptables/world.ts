import { hashSeed } from '../base/hash-seed.ts';
import { Random } from '../base/random.ts';

/**
 * What the matches and targets of all tables and both families share in a network namespace: the lists of `recent`,
 * the tables of `hashlimit`, IP sets, rate estimators, quotas by name. Each kind is made by whoever asks first.
 */
export class XtWorld {
  /** Keys the hash tables of what packets fill. */
  readonly random: Random = new Random(hashSeed());
  private readonly things: Map<string, unknown> = new Map();

  /**
   * The one thing of this name.
   * @param key kind and name, such as `recent:SSH`; whoever uses a kind agrees on its type
   * @param make makes it if there is none yet
   */
  shared<T>(key: string, make: () => T): T {
    const had = this.things.get(key);
    if (had !== undefined) return had as T;
    const made = make();
    this.things.set(key, made);
    return made;
  }

  /** The thing of this name, undefined if nobody made it. */
  find<T>(key: string): T | undefined {
    return this.things.get(key) as T | undefined;
  }
}
