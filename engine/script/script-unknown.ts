import { SourceError, type Span } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';

const TOOLS = ['iptables', 'ip6tables', 'iptables-restore', 'ip6tables-restore'];
/** Tools of other things whose names are near those. */
const OTHERS =
  /^((eb|arp)tables|ip6?tables-(apply|xml|translate|restore-translate)|ipvsadm|iptstate|ip6?calc)/;
const RULE_OPTIONS: ReadonlySet<string> = new Set(
  '-A -I -D -R -P -N --append --insert --delete --replace --policy'.split(' '),
);
const TARGET_OPTIONS: ReadonlySet<string> = new Set('-j -g --jump --goto'.split(' '));

/**
 * Why a command that is none of the tools cannot be passed over in silence: it would have changed the rules, or its
 * name is mistyped.
 * @param name without its path
 * @param words what stands behind it, as far as it can be told
 * @returns null if rules do not depend on it
 */
export function unknownCommand(name: string, words: readonly string[], at: Span): SourceError | null {
  if (/^(ip6?tables|ipset|nft)\S*[ \t]/.test(name))
    return new SourceError(
      `unknown command '${name}'`,
      at,
      'without the quotes it is a command and its options',
    );
  if (name === '' && words.some((word) => RULE_OPTIONS.has(word)))
    return new SourceError('which command this is is not known here', at, 'write its name');
  if (OTHERS.test(name)) return null;
  const isLike = /^ip.|tables?$/.test(name);
  const changes = words.some((word) => RULE_OPTIONS.has(word));
  const near = isLike ? suggest(name, changes ? TOOLS : [...TOOLS, 'ipset']) : undefined;
  const isRule = changes && (isLike || words.some((word) => TARGET_OPTIONS.has(word)));
  if (near === undefined && !isRule) return null;
  const hint = near === undefined ? undefined : `did you mean '${near}'?`;
  return new SourceError(`unknown command '${name}'`, at, hint);
}
