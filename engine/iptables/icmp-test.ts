import { suggest } from '../base/suggest.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type XtArg, XtError } from './extension.ts';
import { readUint, scanUint } from './values.ts';

/** A named type: number, first and last code. */
export type IcmpName = readonly [name: string, type: number, codeMin: number, codeMax: number];

/** What `-m icmp` and `-m icmp6` test. */
export interface IcmpSpec {
  type: number;
  /** First and last code, both included. */
  codes: [number, number];
  inverted: boolean;
}

const ANY_CODE: [number, number] = [0, 255];

/**
 * Reads `type`, `type/code` or a name or the beginning of one.
 * @param what 'ICMP' or 'ICMPv6', for messages
 */
export function readIcmp(arg: XtArg, names: readonly IcmpName[], what: string): IcmpSpec {
  const { text, inverted } = arg;
  const lower = text.toLowerCase();
  const found = names.filter(([name]) => name.toLowerCase().startsWith(lower));
  const hit = found.find(([name]) => name.toLowerCase() === lower) ?? found[0];
  if (hit !== undefined) {
    const exact = hit[0].toLowerCase() === lower;
    const other = found[1];
    if (!exact && other !== undefined)
      throw new XtError(`Ambiguous ${what} type \`${text}': \`${hit[0]}' or \`${other[0]}'?`, undefined, 0);
    return { type: hit[1], codes: [hit[2], hit[3]], inverted };
  }
  const slash = text.indexOf('/');
  const type = readUint(slash < 0 ? text : text.slice(0, slash), 0, 255);
  if (type === undefined) throw unknownType(text, names, what);
  if (slash < 0) return { type, codes: ANY_CODE, inverted };
  const code = text.length === slash + 1 ? undefined : readUint(text.slice(slash + 1), 0, 255);
  if (code === undefined) throw new XtError(`Unknown ${what} code \`${text}'`, 'a code is 0 to 255', 0);
  return { type, codes: [code, code], inverted };
}

function unknownType(text: string, names: readonly IcmpName[], what: string): XtError {
  const near =
    scanUint(text) === null
      ? suggest(
          text,
          names.map(([name]) => name),
        )
      : undefined;
  return new XtError(
    `Unknown ${what} type \`${text}'`,
    near === undefined ? undefined : `did you mean '${near}'?`,
    0,
  );
}

/** `! --icmp-type 3/1` */
export function icmpText(spec: IcmpSpec, option: string): string {
  const [min, max] = spec.codes;
  const code = min === 0 && max === 255 ? '' : `/${min}`;
  return `${spec.inverted ? '! ' : ''}--${option} ${spec.type}${code}`;
}

/** The kernel's icmp and icmp6 matches: a header that is cut off drops the packet, a later fragment does not match. */
export class IcmpMatch implements Expr {
  readonly name = 'match';
  private readonly spec: IcmpSpec;
  private readonly any: number;
  private readonly header: number;

  /** @param any the type that stands for all, -1 for none; `header` bytes that must be there */
  constructor(spec: IcmpSpec, any: number, header: number) {
    this.spec = spec;
    this.any = any;
    this.header = header;
  }

  eval(state: HookState): number {
    const { l4, view, end, frag } = state.pkt;
    if (frag >= 8) return NFT_BREAK;
    if (l4 < 0 || l4 + this.header > end) return NF_DROP;
    const { type, codes, inverted } = this.spec;
    const code = view.getUint8(l4 + 1);
    const holds = type === this.any || (view.getUint8(l4) === type && code >= codes[0] && code <= codes[1]);
    return holds !== inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}
