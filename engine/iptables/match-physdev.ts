import type { Device } from '../host/host.ts';
import { NF_INET_LOCAL_OUT } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface Port {
  readonly name: string;
  readonly inverted: boolean;
}

interface PhysdevSpec {
  in: Port | null;
  out: Port | null;
  /** Whether asked, and whether negated. */
  isIn: boolean | null;
  isOut: boolean | null;
  isBridged: boolean | null;
}

/** Asks for ports of a bridge, which are the devices of a host that is one. */
class PhysdevMatch extends XtMatch {
  private readonly spec: PhysdevSpec;
  /** A packet that did not come over a bridge matches only if all that is asked is negated. */
  private readonly unbridged: boolean;

  constructor(spec: PhysdevSpec) {
    super();
    const asked = [spec.in?.inverted, spec.out?.inverted, spec.isIn, spec.isOut, spec.isBridged];
    this.spec = spec;
    this.unbridged = asked.every((inverted) => inverted !== false);
  }

  matches({ pkt, host, hook }: HookState): boolean {
    if (!host.transparent || hook === NF_INET_LOCAL_OUT) return this.unbridged;
    const { isBridged, isIn, isOut } = this.spec;
    const came = host.device(pkt.ifin);
    // Known from FORWARD on.
    const leaves = host.device(pkt.ifout);
    return (
      agrees(leaves !== null, isBridged) &&
      agrees(came !== null, isIn) &&
      agrees(leaves !== null, isOut) &&
      isAt(came, this.spec.in, true) &&
      isAt(leaves, this.spec.out, false)
    );
  }
}

/** Whether something that is asked, negated or not, is so; what is not asked is. */
function agrees(holds: boolean, inverted: boolean | null): boolean {
  return inverted === null || holds !== inverted;
}

/** Whether a device is the port that is asked for. @param unknown what holds without a device */
function isAt(device: Device | null, asked: Port | null, unknown: boolean): boolean {
  if (asked === null) return true;
  if (device === null) return unknown;
  const { name, inverted } = asked;
  const fits = name.endsWith('+') ? device.name.startsWith(name.slice(0, -1)) : device.name === name;
  return fits !== inverted;
}

function port(arg: XtArg): Port {
  if (arg.text.length > 15)
    throw new XtError(`interface name \`${arg.text}' must be shorter than IFNAMSIZ (15)`, undefined, 0);
  return { name: arg.text, inverted: arg.inverted };
}

function flag(name: string, key: 'isIn' | 'isOut' | 'isBridged'): XtOption<PhysdevSpec> {
  return {
    name,
    args: 0,
    invert: true,
    parse: (spec, arg) => {
      spec[key] = arg.inverted;
    },
  };
}

function flagText(name: string, inverted: boolean | null): string[] {
  return inverted === null ? [] : [`${inverted ? '! ' : ''}--${name}`];
}

function portText(name: string, p: Port | null): string[] {
  return p === null ? [] : [`${p.inverted ? '! ' : ''}--${name} ${p.name}`];
}

/** `-m physdev`: the ports of a bridge that the packet came in and leaves by. */
export const MATCH_PHYSDEV: Extension<PhysdevSpec> = {
  kind: 'match',
  name: 'physdev',
  families: XT_BOTH,
  options: [
    {
      name: 'physdev-in',
      invert: true,
      parse: (spec, arg) => {
        spec.in = port(arg);
      },
    },
    {
      name: 'physdev-out',
      invert: true,
      parse: (spec, arg) => {
        spec.out = port(arg);
      },
    },
    flag('physdev-is-in', 'isIn'),
    flag('physdev-is-out', 'isOut'),
    flag('physdev-is-bridged', 'isBridged'),
  ],
  init: () => ({ in: null, out: null, isIn: null, isOut: null, isBridged: null }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('PHYSDEV: no physdev option specified');
  },
  check: (spec, facts) => {
    const asksOut = spec.out !== null || spec.isOut !== null;
    if (asksOut && spec.isBridged !== false && (facts.hooks & (1 << NF_INET_LOCAL_OUT)) !== 0)
      throw new XtError(
        'physdev: using --physdev-out and --physdev-is-out are only supported in the FORWARD and POSTROUTING chains with bridged traffic',
      );
  },
  save: (spec) =>
    [
      ...flagText('physdev-is-in', spec.isIn),
      ...portText('physdev-in', spec.in),
      ...flagText('physdev-is-out', spec.isOut),
      ...portText('physdev-out', spec.out),
      ...flagText('physdev-is-bridged', spec.isBridged),
    ].join(' '),
  lower: (spec) => [new PhysdevMatch(spec)],
};
