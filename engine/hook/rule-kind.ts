import { restoreFamily } from '../iptables/restore-family.ts';

/** What a ruleset may be written in. `iptables` and `ip6tables` are commands, one a line or in a shell script. */
export const RULE_KINDS = [
  'nft',
  'nft-json',
  'iptables',
  'ip6tables',
  'iptables-save',
  'ip6tables-save',
  'ipset',
] as const;

/** One of {@link RULE_KINDS}. */
export type RuleKind = (typeof RULE_KINDS)[number];

/** Whether a word names a kind. */
export function isRuleKind(word: string): word is RuleKind {
  return (RULE_KINDS as readonly string[]).includes(word);
}

const SAVE_TABLE = /^\*(filter|nat|mangle|raw|security)\s*$/m;
const IPSET_LINE = /^\s*(create|-N|add|-A)\s+(-exist\s+)?\S+\s+\S/m;
const IPSET_TYPE = /^\s*(create|-N)\s+(-exist\s+)?\S+\s+(bitmap|hash|list):/m;
/** A command, by its name, by a path, or by a variable that holds either. */
const COMMAND = /(^|[\s;&|("'=/])(ip6?tables)(-nft|-legacy)?(-restore)?(["'\s]|$)/m;
/** A line of a script that calls another tool. */
const OTHER_COMMAND = /^\s*(sudo\s+)?(\S*\/)?(nft|ipset)\s+(-\S+\s+)*['"]?[a-z-]/m;
/** A rule of iptables-save text that has lost its table: -A is a word of ipset too, which knows no -j. */
const BARE_RULE = /^\s*-[AI]\s+\S+\s(.*\s)?(-j|--jump|-g|--goto)\s/m;
const SHELL_SHEBANG = /^#!\s*\S*\/(env\s+)?(ba|da|a|k|z)?sh\b/;

/** A text without the lines that are comments in every one of the languages. */
function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, '');
}

/**
 * What a text is written in, by what stands in it.
 * @param name of the file: `rules.v6` and `ip6tables.rules` tell what a text without addresses does not
 */
export function recogniseRules(text: string, name: string): RuleKind {
  if (SHELL_SHEBANG.test(text)) return 'iptables';
  const code = withoutComments(text);
  if (/^\s*\{\s*"/.test(code)) return 'nft-json';
  if (SAVE_TABLE.test(code) && !/^\s*table\s/m.test(code) && !COMMAND.test(code)) {
    const family = restoreFamily(text);
    return family === 6 || (family === 0 && /(v6|ip6tables|ipv6)[^/]*$/i.test(name))
      ? 'ip6tables-save'
      : 'iptables-save';
  }
  if (
    IPSET_TYPE.test(code) ||
    (IPSET_LINE.test(code) &&
      !/[{}]/.test(code) &&
      !COMMAND.test(code) &&
      !NFT_LINE.test(code) &&
      !BARE_RULE.test(code))
  )
    return 'ipset';
  if (COMMAND.test(code) || OTHER_COMMAND.test(code)) return 'iptables';
  return BARE_RULE.test(code) && !NFT_LINE.test(code) ? 'iptables-save' : 'nft';
}

const NFT_LINE =
  /^\s*(add|create)\s+(table|chain|rule|set|map|element|counter|quota|limit|flowtable|ct|ip|ip6|inet)\s/m;
