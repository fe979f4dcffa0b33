/** What rules' hash tables are keyed with unless somebody says otherwise, so that runs repeat. */
let seed = 0x6b737365;

/** The seed of keys of hash tables that packets fill: sets, meters, ipset's, hashlimit's, recent's. */
export function hashSeed(): number {
  return seed;
}

/** @param value for all tables that are made from now on */
export function setHashSeed(value: number): void {
  seed = value;
}
