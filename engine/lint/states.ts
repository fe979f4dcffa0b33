/** Mistakes in the use of ct states. */
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import type { Chain, Rule, RuleTable } from '../rules/chain.ts';
import {
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NFPROTO_INET,
  NFPROTO_IPV4,
} from '../rules/family.ts';
import { NFT_META_L4PROTO } from '../rules/meta-keys.ts';
import { NF_DROP } from '../rules/verdict.ts';
import { type Conditions, CT_STATE_FIELD, CT_STATES, conditionsOf, isOnly, lets } from './conditions.ts';
import type { Finding } from './finding.ts';
import { isUnconditional, outcomeOf, targetsOf } from './outcome.ts';
import { includes } from './ranges.ts';

const L4PROTO = `meta ${NFT_META_L4PROTO}`;
/** `ip protocol` and `ip6 nexthdr`. */
const IP_PROTOCOL = ['payload 1 9', 'payload 1 6'];
/** Destination port, the flags byte of TCP. */
const DPORT = 'payload 2 2';
const TCP_FLAGS = 'payload 2 13';
const FILTERED_HOOKS = [NF_INET_LOCAL_IN, NF_INET_FORWARD, NF_INET_LOCAL_OUT];

/** Protocols whose data connections only a helper knows: name of the helper, protocol, port. */
const HELPED: readonly (readonly [string, number, number])[] = [
  ['ftp', IPPROTO_TCP, 21],
  ['tftp', IPPROTO_UDP, 69],
  ['irc', IPPROTO_TCP, 6667],
  ['sip', IPPROTO_UDP, 5060],
  ['sip', IPPROTO_TCP, 5060],
  ['h323', IPPROTO_TCP, 1720],
  ['pptp', IPPROTO_TCP, 1723],
  ['amanda', IPPROTO_UDP, 10080],
  ['sane', IPPROTO_TCP, 6566],
];

function isProtocol(c: Conditions, proto: number): boolean {
  return [L4PROTO, ...IP_PROTOCOL].some((key) => isOnly(c, key, proto, 1));
}

function hasState(c: Conditions, state: keyof typeof CT_STATES): boolean {
  const states = c.fields.get(CT_STATE_FIELD);
  return states !== undefined && includes(states, CT_STATES[state]);
}

/** Whether a rule looks at TCP's flags, as --syn does. */
function looksAtFlags(c: Conditions): boolean {
  return [...c.fields.keys()].some((key) => key.startsWith(TCP_FLAGS));
}

/** A rule that drops what is NEW without SYN, for all of TCP. */
function dropsNewWithoutSyn(rule: Rule): boolean {
  const c = conditionsOf(rule);
  return outcomeOf(rule) === 'drop' && looksAtFlags(c) && hasState(c, 'new') && !c.fickle;
}

function newWithoutSyn(chain: Chain, guarded: boolean): Finding[] {
  const found: Finding[] = [];
  for (const rule of chain.rules) {
    if (guarded) break;
    if (dropsNewWithoutSyn(rule)) break;
    const c = conditionsOf(rule);
    if (outcomeOf(rule) !== 'accept' || !isProtocol(c, IPPROTO_TCP)) continue;
    if (!hasState(c, 'new') || looksAtFlags(c)) continue;
    found.push({
      code: 'new-without-syn',
      at: rule.at,
      message:
        'a TCP packet without SYN opens a connection here: an ACK that belongs to nothing is NEW as well',
      fix: "drop it first: '-p tcp ! --syn -m conntrack --ctstate NEW -j DROP', 'tcp flags & (fin|syn|rst|ack) != syn ct state new drop'",
    });
  }
  return found;
}

function invalidAccepted(chain: Chain): Finding[] {
  return chain.rules
    .filter((rule) => outcomeOf(rule) === 'accept' && hasState(conditionsOf(rule), 'invalid'))
    .map((rule) => ({
      code: 'invalid-accepted',
      at: rule.at,
      message:
        'packets in state INVALID are accepted: they belong to no connection and are not translated by NAT',
      fix: 'take INVALID out of the list of states, and drop it in a rule of its own',
    }));
}

/** A chain and all that its rules lead to. */
function reachedFrom(chain: Chain, seen: Set<Chain> = new Set()): Set<Chain> {
  if (seen.has(chain)) return seen;
  seen.add(chain);
  for (const rule of chain.rules) for (const target of targetsOf(rule)) reachedFrom(target, seen);
  return seen;
}

/** Whether a filtering chain drops what no rule of it accepts. */
function dropsTheRest(chain: Chain): boolean {
  return (
    chain.base?.policy === NF_DROP ||
    chain.rules.some((rule) => outcomeOf(rule) === 'drop' && isUnconditional(rule))
  );
}

function acceptsEstablished(rule: Rule): boolean {
  const c = conditionsOf(rule);
  const states = c.fields.get(CT_STATE_FIELD);
  const accepts = outcomeOf(rule) === 'accept' || rule.exprs.some((e) => e.name === 'lookup');
  return (
    accepts &&
    (states === undefined ? isUnconditional(rule) || c.opaque.size > 0 : hasState(c, 'established'))
  );
}

function noEstablished(chain: Chain): Finding[] {
  const { base } = chain;
  if (base === null || base.type !== 'filter' || !FILTERED_HOOKS.includes(base.hook) || !dropsTheRest(chain))
    return [];
  const rules = [...reachedFrom(chain)].flatMap((c) => c.rules);
  if (!rules.some((rule) => outcomeOf(rule) === 'accept') || rules.some(acceptsEstablished)) return [];
  return [
    {
      code: 'no-established',
      at: chain.at ?? rules[0]?.at ?? null,
      message: `chain ${chain.name} drops what it does not accept, and no rule accepts established connections`,
      fix: "begin it with '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', 'ct state established,related accept'",
    },
  ];
}

/** The base chains of these families that filter a hook and drop the rest. */
function guards(tables: readonly RuleTable[], six: boolean, hook: number): Chain[] {
  return tables
    .filter((t) => t.family === NFPROTO_INET || (t.family === NFPROTO_IPV4) !== six)
    .flatMap((t) => [...t.chains.values()])
    .filter((c) => c.base?.hook === hook && c.base.type === 'filter' && dropsTheRest(c));
}

/** Hooks where IPv4 is filtered and IPv6 passes. */
export function openIpv6(tables: readonly RuleTable[]): Finding[] {
  return FILTERED_HOOKS.flatMap((hook) => {
    const [first] = guards(tables, false, hook);
    if (first === undefined || guards(tables, true, hook).length > 0) return [];
    return [
      {
        code: 'open-ipv6' as const,
        at: first.at ?? first.rules[0]?.at ?? null,
        message: `chain ${first.name} drops what it does not accept for IPv4, but nothing filters IPv6 there`,
        fix: 'write the same for IPv6 (ip6tables, table ip6), or use a table of family inet',
      },
    ];
  });
}

/** RELATED is accepted, and a port whose protocol needs a helper for it, but no rule assigns one. */
export function relatedWithoutHelper(tables: readonly RuleTable[]): Finding[] {
  const rules = tables.flatMap((t) => [...t.chains.values()]).flatMap((c) => c.rules);
  if (!rules.some((rule) => outcomeOf(rule) === 'accept' && hasState(conditionsOf(rule), 'related')))
    return [];
  const texts = rules.flatMap((rule) => rule.parts.map((part) => part.text)).join('\n');
  const assigned = (name: string): boolean => /--helper|ct helper set/.test(texts) && texts.includes(name);
  return rules.flatMap((rule) => {
    const c = conditionsOf(rule);
    const hit = HELPED.find(
      ([, proto, port]) => isProtocol(c, proto) && c.fields.has(DPORT) && lets(c, DPORT, port, 2),
    );
    if (hit === undefined || outcomeOf(rule) !== 'accept' || assigned(hit[0])) return [];
    if (c.fields.get(DPORT)!.length > 1 && !isOnly(c, DPORT, hit[2], 2)) return [];
    return [
      {
        code: 'related-without-helper' as const,
        at: rule.at,
        message: `port ${hit[2]} needs the helper '${hit[0]}' for its data connections to be RELATED, and no rule assigns it`,
        fix: `add '-t raw -A PREROUTING -p ${hit[1] === IPPROTO_TCP ? 'tcp' : 'udp'} --dport ${hit[2]} -j CT --helper ${hit[0]}', or 'ct helper set' with a ct helper object`,
      },
    ];
  });
}

/** What of a table's use of ct states is most likely not meant. */
export function stateMistakes(table: RuleTable): Finding[] {
  const chains = [...table.chains.values()];
  return chains.flatMap((chain) => {
    const guarded = chains.some(
      (base) =>
        base.base !== null &&
        base !== chain &&
        base.rules.some(dropsNewWithoutSyn) &&
        reachedFrom(base).has(chain),
    );
    return [...newWithoutSyn(chain, guarded), ...invalidAccepted(chain), ...noEstablished(chain)];
  });
}
