import type { Extension } from './extension.ts';
import { CORE_MATCHES, CORE_TARGETS } from './extensions-core.ts';
import { MORE_MATCHES, MORE_TARGETS } from './extensions-more.ts';

/** Which match a protocol's options belong to when they are met without -m, where the names differ. */
const MATCH_OF_PROTOCOL: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [50, 'esp'],
  [51, 'ah'],
  [58, 'icmp6'],
  [108, 'ipcomp'],
  [132, 'sctp'],
  [135, 'mh'],
]);

function index(extensions: readonly Extension[]): ReadonlyMap<string, readonly Extension[]> {
  const out = new Map<string, Extension[]>();
  for (const ext of extensions) {
    for (const name of [ext.name, ...(ext.aliases ?? [])]) {
      const had = out.get(name);
      if (had === undefined) out.set(name, [ext]);
      else had.push(ext);
    }
  }
  return out;
}

const MATCHES = index([...CORE_MATCHES, ...MORE_MATCHES]);
const TARGETS = index([...CORE_TARGETS, ...MORE_TARGETS]);

/** The match of a name in a family, undefined if there is none. */
export function findMatch(name: string, family: number): Extension | undefined {
  return MATCHES.get(name)?.find((ext) => ext.families.includes(family));
}

/** The target of a name in a family, undefined if there is none. */
export function findTarget(name: string, family: number): Extension | undefined {
  return TARGETS.get(name)?.find((ext) => ext.families.includes(family));
}

/** The match that a protocol's options belong to, undefined if it has none. */
export function protocolMatch(proto: number, family: number): Extension | undefined {
  const name = MATCH_OF_PROTOCOL.get(proto);
  return name === undefined ? undefined : findMatch(name, family);
}

/** All names of matches, for suggestions. */
export function matchNames(): readonly string[] {
  return [...MATCHES.keys()];
}

/** All names of targets, for suggestions. */
export function targetNames(): readonly string[] {
  return [...TARGETS.keys()];
}
