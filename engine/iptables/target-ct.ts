import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPEXP_NEW } from '../conntrack/events.ts';
import type { Helper, Template } from '../conntrack/helper.ts';
import { HELPERS } from '../helper/registry.ts';
import { CTINFO_NONE, IP_CT_UNTRACKED } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_UNKNOWN, NFT_CONTINUE } from '../rules/verdict.ts';
import {
  type Extension,
  XT_BOTH,
  type XtArg,
  XtError,
  type XtOption,
  type XtRuleFacts,
} from './extension.ts';
import { readUint } from './values.ts';

interface CtSpec {
  notrack: boolean;
  helper: string | null;
  timeout: string | null;
  ctevents: readonly string[];
  expevents: readonly string[];
  /** A number, or the packet's mark; null for none. */
  zone: number | 'mark' | null;
  /** Null while no direction was named: both. */
  dir: 'both' | 'orig' | 'reply' | null;
  /** Protocol that the helper is for. */
  proto: number;
}

/** Events of flows, in the order in which they are saved. */
const EVENTS: readonly string[] = [
  'new',
  'related',
  'destroy',
  'reply',
  'assured',
  'protoinfo',
  'helper',
  'mark',
  'natseqinfo',
  'secmark',
];

/** How the packet is to be tracked: not at all, or in a zone. Later it changes nothing. */
class CtTarget implements Expr {
  readonly name = 'target';
  private readonly spec: CtSpec;
  private readonly family: number;
  private template: Template | null = null;
  private madeFor: Conntrack | null = null;

  /** @param family NFPROTO_*, which of IPv4 and IPv6 is AF_* too */
  constructor(spec: CtSpec, family: number) {
    this.spec = spec;
    this.family = family;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const { notrack, zone, dir, timeout } = this.spec;
    if (pkt.flow !== 0 || pkt.ctinfo !== CTINFO_NONE || state.conntrack.template !== null)
      return NFT_CONTINUE;
    if (notrack) {
      pkt.ctinfo = IP_CT_UNTRACKED;
      return NFT_CONTINUE;
    }
    if (timeout !== null) {
      state.unknown = `timeout policy '${timeout}': nfct(8) makes those, and keepstate does not know them`;
      return NF_UNKNOWN;
    }
    const id = zone === 'mark' ? pkt.mark & 0xffff : (zone ?? 0);
    state.conntrack.prepare(pkt, this.templateFor(state), id, DIRECTIONS[dir ?? 'both']);
    return NFT_CONTINUE;
  }

  /** One for each table of flows, which have helpers of their own. */
  private templateFor({ conntrack }: HookState): Template {
    if (this.template !== null && this.madeFor === conntrack) return this.template;
    const { helper, proto, ctevents, expevents } = this.spec;
    const asked = ctevents.length + expevents.length > 0;
    this.madeFor = conntrack;
    this.template = {
      helper: helper === null ? null : conntrack.findHelper(helper, this.family, proto),
      timeouts: null,
      policy: '',
      events: asked ? eventBits(ctevents) : -1,
      expectEvents: asked ? (expevents.length > 0 ? IPEXP_NEW : 0) : -1,
    };
    return this.template;
  }
}

/** IPCT_* by the place in {@link EVENTS}; the last two stand behind IPCT_MARK in the kernel's numbers. */
function eventBits(names: readonly string[]): number {
  return names.reduce((bits, name) => bits | (1 << EVENTS.indexOf(name)), 0);
}

function events(text: string): readonly string[] {
  const words = text.split(',');
  for (const word of words)
    if (!EVENTS.includes(word))
      throw new XtError(`Unknown event type "${word}"`, `one of ${EVENTS.join(', ')}`, 0);
  return EVENTS.filter((e) => words.includes(e));
}

function zone(arg: XtArg): number | 'mark' {
  if (arg.text === 'mark') return 'mark';
  const id = readUint(arg.text, 0, 65535);
  if (id === undefined) throw new XtError(`Cannot parse ${arg.text} as a zone ID`, undefined, 0);
  return id;
}

function zoneOption(name: string, dir: 'both' | 'orig' | 'reply'): XtOption<CtSpec> {
  return {
    name,
    parse: (spec, arg) => {
      const id = zone(arg);
      // The mark wins over a number, and a direction over both; both one by one are both (measured).
      if (spec.zone !== 'mark') spec.zone = id;
      if (dir !== 'both') spec.dir = spec.dir === null || spec.dir === dir ? dir : 'both';
    },
  };
}

function checkHelper(spec: CtSpec, proto: number, { world, family }: XtRuleFacts): void {
  if (spec.helper === null) return;
  if (proto === 0) throw new XtError('CT: --helper needs a protocol', 'write -p tcp or -p udp');
  const helpers = world.shared<readonly Helper[]>('helpers', () => HELPERS);
  const known = helpers.filter((one) => one.proto === proto && one.families.includes(family));
  if (!known.some(({ name }) => name === spec.helper))
    throw new XtError(
      `CT: no helper "${spec.helper}" for this protocol`,
      `known: ${known.map(({ name }) => name).join(', ') || 'none'}`,
    );
}

const DIRECTIONS = { both: -1, orig: 0, reply: 1 };
const ZONE_NAMES = { both: 'zone', orig: 'zone-orig', reply: 'zone-reply' };

function save(spec: CtSpec): string {
  const words = spec.notrack ? ['--notrack'] : [];
  if (spec.helper !== null) words.push(`--helper ${spec.helper}`);
  if (spec.timeout !== null) words.push(`--timeout ${spec.timeout}`);
  if (spec.ctevents.length > 0) words.push(`--ctevents ${spec.ctevents.join(',')}`);
  if (spec.expevents.length > 0) words.push(`--expevents ${spec.expevents.join(',')}`);
  if (spec.zone !== null && spec.zone !== 0) words.push(`--${ZONE_NAMES[spec.dir ?? 'both']} ${spec.zone}`);
  return words.join(' ');
}

/** `-j CT`: how the packet is to be tracked. What a timeout policy says, which nfct(8) makes, is not known here. */
export const TARGET_CT: Extension<CtSpec> = {
  kind: 'target',
  name: 'CT',
  families: XT_BOTH,
  tables: ['raw'],
  options: [
    {
      name: 'notrack',
      args: 0,
      parse: (spec) => {
        spec.notrack = true;
      },
    },
    {
      name: 'helper',
      parse: (spec, arg) => {
        // Measured: a name of no letters is none.
        spec.helper = arg.text === '' ? null : arg.text;
      },
    },
    {
      name: 'timeout',
      parse: (spec, arg) => {
        spec.timeout = arg.text;
      },
    },
    {
      name: 'ctevents',
      parse: (spec, arg) => {
        spec.ctevents = events(arg.text);
      },
    },
    {
      name: 'expevents',
      parse: (spec, arg) => {
        if (arg.text !== 'new') throw new XtError(`Unknown event type "${arg.text}"`, 'only new', 0);
        spec.expevents = ['new'];
      },
    },
    zoneOption('zone', 'both'),
    zoneOption('zone-orig', 'orig'),
    zoneOption('zone-reply', 'reply'),
  ],
  init: () => ({
    notrack: false,
    helper: null,
    timeout: null,
    ctevents: [],
    expevents: [],
    zone: null,
    dir: null,
    proto: 0,
  }),
  check: (spec, facts) => {
    spec.proto = facts.proto;
    checkHelper(spec, facts.protoInverted ? 0 : facts.proto, facts);
  },
  save,
  lower: (spec, { family }) => [new CtTarget(spec, family)],
};
