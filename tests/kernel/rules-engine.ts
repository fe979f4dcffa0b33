/** keepstate's side of the comparison: the same sources and packets through its parsers and its pipeline. */
import type { SourceError } from '../../engine/base/error.ts';
import { Settings } from '../../engine/conntrack/settings.ts';
import { Firewall } from '../../engine/hook/firewall.ts';
import { logLine } from '../../engine/hook/log-line.ts';
import { RTN_UNICAST } from '../../engine/host/host.ts';
import { ARPHRD_NONE, HostModel } from '../../engine/host/model.ts';
import { parsePrefix } from '../../engine/host/prefix.ts';
import { worldSets } from '../../engine/iptables/ipset-world.ts';
import { XtWorld } from '../../engine/iptables/world.ts';
import { Xtables } from '../../engine/iptables/xtables.ts';
import { NftRuleset } from '../../engine/nft/ruleset.ts';
import { DLT_RAW } from '../../engine/packet/link.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';
import type { RuleTable } from '../../engine/rules/chain.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../../engine/rules/family.ts';
import { carryOut } from './rules-before.ts';
import { LINKS } from './rules-namespace-links.ts';
import type { RulePacket, Source } from './rules-types.ts';
import { leftText, logText, type PacketView, toHost } from './rules-view.ts';

const DEVICES: Readonly<Record<RulePacket['from'], number>> = { host: 0, eth0: 2, eth1: 3 };

/** The oracle's namespace as a host model, read from the same lines. */
export function hostModel(): HostModel {
  const host = new HostModel();
  fillHost(host, LINKS);
  return host;
}

/** Gives a host what some lines of `ip -batch` say. */
export function fillHost(host: HostModel, lines: readonly string[]): void {
  host.acceptLocal = true;
  host.addDevice('eth0', { index: DEVICES.eth0, type: ARPHRD_NONE });
  host.addDevice('eth1', { index: DEVICES.eth1, type: ARPHRD_NONE });
  for (const line of lines) {
    const words = line.split(' ');
    const device = words[words.indexOf('dev') + 1]!;
    if (line.startsWith('addr add')) host.addAddress(device, parsePrefix(words[2]!)!);
    else if (line.startsWith('route add')) {
      const prefix = parsePrefix(words[2]! === 'default' ? '0.0.0.0/0' : words[2]!)!;
      const { index } = host.deviceNamed(device)!;
      host.addRoute({ prefix, device: index, type: RTN_UNICAST, metric: 0, source: null, gateway: null });
    }
  }
}

/** All that one namespace holds. */
export class EngineRules {
  readonly world: XtWorld = new XtWorld();
  private readonly xtables: Map<string, Xtables> = new Map();
  private nftables: NftRuleset | null = null;
  private readonly order: (() => readonly RuleTable[])[] = [];

  /** Loads one source; what is wrong with it, empty if all was taken over. */
  load(source: Source): readonly SourceError[] {
    const { kind, text } = source;
    switch (kind) {
      case 'iptables-legacy':
      case 'iptables-nft':
      case 'ip6tables-legacy':
      case 'ip6tables-nft':
        return this.xt(kind).restore({ name: 'rules', text });
      case 'ipset':
        return worldSets(this.world).restore({ name: 'sets', text });
      case 'nft-json':
        return this.nft().loadJson({ name: 'rules', text });
      case 'nft':
        return this.nft().load({ name: 'rules', text });
      default:
        throw new Error(`${kind}: not wired yet`);
    }
  }

  /** iptables of one family and backend, made when first asked for. */
  xt(kind: string): Xtables {
    const had = this.xtables.get(kind);
    if (had !== undefined) return had;
    const family = kind.startsWith('ip6') ? NFPROTO_IPV6 : NFPROTO_IPV4;
    const backend = kind.endsWith('legacy') ? 'legacy' : 'nft';
    const made = new Xtables(family, { world: this.world, backend });
    this.xtables.set(kind, made);
    this.order.push(() => made.tables());
    return made;
  }

  /** nftables, made when first asked for. */
  nft(): NftRuleset {
    if (this.nftables === null) {
      const made = new NftRuleset();
      this.nftables = made;
      this.order.push(() => made.tables());
    }
    return this.nftables;
  }

  /** As iptables-save, with -c if counters are wanted, would print it. */
  save(kind: string, counters = false): string {
    return this.xt(kind).save({ counters });
  }

  /** As `ipset save` would print it. */
  saveSets(): string {
    return worldSets(this.world).save();
  }

  /** As `nft list ruleset` would print it. @param now virtual time (ms) */
  listNft(now?: number): string {
    return this.nft().list(now === undefined ? {} : { now });
  }

  /** As `nft -j list ruleset` would print it. @param now virtual time (ms) */
  listNftJson(now?: number): string {
    return this.nft().listJson(now === undefined ? {} : { now });
  }

  tables(): RuleTable[] {
    return this.order.flatMap((tables) => [...tables()]);
  }
}

/** Plays packets through keepstate; one view for each. */
export class EngineRun {
  readonly firewall: Firewall;
  readonly pkt: Packet = new Packet();
  private log: string[] = [];
  private groups: string[] = [];

  private readonly tables: readonly RuleTable[];

  constructor(tables: readonly RuleTable[]) {
    this.tables = tables;
    const settings = new Settings();
    settings.set('nf_conntrack_acct', 1);
    this.firewall = new Firewall({ settings, host: hostModel(), rules: tables });
    this.firewall.wantsBytes = true;
    this.firewall.ruleLog = {
      log: (state, prefix, level, flags, group) => {
        if (level < 0 || group >= 0) this.groups.push(`${group}:${prefix}`);
        else this.log.push(logText(`<${level}>${logLine(this.firewall.host, state.pkt, prefix, flags)}`));
      },
    };
  }

  play(packet: RulePacket, now: number): PacketView {
    this.log = [];
    this.groups = [];
    if (packet.before !== undefined) carryOut(this.firewall, this.tables, packet.before, now);
    const bytes = Uint8Array.from(packet.bytes);
    const { pkt, firewall } = this;
    resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
    pkt.ifin = DEVICES[packet.from];
    firewall.receive(pkt, DLT_RAW, now);
    const { verdict, answers, out } = firewall.outcome;
    const left = answers
      .filter((answer) => answer.left && !toHost(answer.bytes))
      .map((answer) => leftText(answer.bytes, true));
    left.push(...out.map((o) => leftText(o, false)));
    return {
      verdict: verdict === 'none' || verdict === 'stolen' ? 'drop' : verdict,
      left,
      log: this.log,
      groups: this.groups,
      mark: verdict === 'accept' ? pkt.mark >>> 0 : null,
    };
  }
}
