import { SourceError } from '../base/error.ts';
import type { Helper } from '../conntrack/helper.ts';
import { HELPERS } from '../helper/registry.ts';
import { worldSets } from '../iptables/ipset-world.ts';
import { XtWorld } from '../iptables/world.ts';
import { Xtables } from '../iptables/xtables.ts';
import type { Finding } from '../lint/finding.ts';
import { lint } from '../lint/lint.ts';
import { NftRuleset } from '../nft/ruleset.ts';
import type { Rule, RuleTable } from '../rules/chain.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import { runScript } from '../script/script.ts';
import { namedSets } from './named-sets.ts';
import { type RuleKind, recogniseRules } from './rule-kind.ts';

/** A text with the name that messages give it. */
export interface RuleSource {
  readonly name: string;
  readonly text: string;
}

/** What rulesets are read with. */
export interface RulesetOptions {
  /**
   * Finds the files that an include names.
   * @param pattern as written, may be a pattern of glob(3)
   * @param from name of the file that asks
   */
  readonly read?: (pattern: string, from: string) => readonly RuleSource[];
  /** Values of nft's variables, as `nft -D` gives them. */
  readonly defines?: ReadonlyMap<string, string>;
  /** Conntrack helpers that rules may name beside those that keepstate has; the firewall is given them too. */
  readonly helpers?: readonly Helper[];
}

/** Which of the tools hold something, in the order in which they were first used. */
type Part = 'nft' | 'ipv4' | 'ipv6';

/** All rules of a host, of both languages and families, with its IP sets: what several files together say. */
export class Ruleset {
  readonly world: XtWorld = new XtWorld();
  readonly nft: NftRuleset;
  readonly ipv4: Xtables = new Xtables(NFPROTO_IPV4, { world: this.world });
  readonly ipv6: Xtables = new Xtables(NFPROTO_IPV6, { world: this.world });

  /** What in scripts was not followed, though rules may not depend on it. */
  readonly warnings: SourceError[] = [];

  private readonly options: RulesetOptions;
  private readonly order: Set<Part> = new Set();

  constructor(options: RulesetOptions = {}) {
    this.options = options;
    const helpers = this.world.shared('helpers', () => [...(options.helpers ?? []), ...HELPERS]);
    this.nft = new NftRuleset(helpers);
  }

  /**
   * Reads a text in addition to what was read before.
   * @param kind what it is written in; null to recognise it
   * @returns all that is wrong, empty if nothing is
   */
  load(source: RuleSource, kind: RuleKind | null = null): readonly SourceError[] {
    switch (kind ?? recogniseRules(source.text, source.name)) {
      case 'nft':
        this.order.add('nft');
        return this.nft.load(source, (path) => this.include(path, source.name), this.defines());
      case 'nft-json':
        this.order.add('nft');
        return this.nft.loadJson(source);
      case 'iptables-save':
        this.order.add('ipv4');
        return this.ipv4.restore(source);
      case 'ip6tables-save':
        this.order.add('ipv6');
        return this.ipv6.restore(source);
      case 'ipset':
        return worldSets(this.world).restore(source);
      default:
        return this.script(source, kind === 'ip6tables' ? 'ip6tables' : 'iptables');
    }
  }

  private script(source: RuleSource, bare: 'iptables' | 'ip6tables'): readonly SourceError[] {
    this.order.add('ipv4').add('ipv6');
    const { errors, warnings } = runScript(source, {
      v4: this.ipv4,
      v6: this.ipv6,
      nft: (text) => {
        this.order.add('nft');
        return this.nft.load(text, (path) => this.include(path, source.name), this.defines());
      },
      read: (path) => this.fileOf(path, source.name),
      bare,
    });
    this.warnings.push(...warnings);
    return errors;
  }

  /** The tables as they run, in the order in which they came to the kernel. */
  tables(): RuleTable[] {
    return [...this.order].flatMap((part) => [...this[part].tables()]);
  }

  /**
   * The rules as their tools list them: nft list ruleset, iptables-save, ip6tables-save, ipset save.
   * @param kind only this kind's; null for all that hold something
   * @param counters with packets and bytes
   * @param now virtual time (ms), for what elements of nft's sets have left
   */
  list(kind: RuleKind | null = null, counters = false, now?: number): string {
    const time = now === undefined ? {} : { now };
    const nft = (): string => this.nft.list({ stateless: !counters, ...time });
    switch (kind) {
      case 'nft':
        return nft();
      case 'nft-json':
        return this.nft.listJson(time);
      case 'iptables':
      case 'ip6tables':
        // A script may hold commands of both.
        return this.ipv4.save({ counters }) + this.ipv6.save({ counters });
      case 'iptables-save':
        return this.ipv4.save({ counters });
      case 'ip6tables-save':
        return this.ipv6.save({ counters });
      case 'ipset':
        return worldSets(this.world).save();
      default: {
        const parts = [...this.order].map((part) => (part === 'nft' ? nft() : this[part].save({ counters })));
        return worldSets(this.world).save() + parts.join('');
      }
    }
  }

  /** As `nft -j list ruleset` prints it, one line. */
  listJson(): string {
    return this.nft.listJson();
  }

  /** How much there is. */
  counts(): { tables: number; chains: number; rules: number } {
    const tables = this.tables();
    const chains = tables.flatMap((table) => [...table.chains.values()]);
    return {
      tables: tables.length,
      chains: chains.length,
      rules: chains.reduce((sum, chain) => sum + chain.rules.length, 0),
    };
  }

  /** Every rule that holds something which keepstate knows but cannot evaluate. */
  unsupported(): SourceError[] {
    return this.rules().flatMap((rule) =>
      rule.exprs
        .flatMap((expr) => expr.unknowable ?? [])
        .map((why) => {
          const at = rule.at ?? { file: '', line: 1, col: 1, len: 1 };
          return new SourceError(`keepstate cannot evaluate this: ${why}`, at);
        }),
    );
  }

  /** What is legal and most likely not meant. */
  lint(): Finding[] {
    return lint(this.tables(), namedSets(this));
  }

  private rules(): Rule[] {
    return this.tables().flatMap((table) => [...table.chains.values()].flatMap((chain) => chain.rules));
  }

  private include(path: string, from: string): RuleSource[] | null {
    const found = this.options.read?.(path, from) ?? [];
    return found.length === 0 ? null : [...found];
  }

  /** A file that a script reads; one that cannot be read is as none, which the script is told. */
  private fileOf(path: string, from: string): string | null {
    try {
      return this.include(path, from)?.[0]?.text ?? null;
    } catch {
      return null;
    }
  }

  private defines(): Record<string, string> {
    return Object.fromEntries(this.options.defines ?? []);
  }
}
