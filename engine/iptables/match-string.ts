import { encodeUtf8 } from '../base/utf8.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface StringSpec {
  pattern: readonly number[];
  inverted: boolean;
  algo: string;
  from: number;
  to: number;
  icase: boolean;
}

/** Longest pattern (XT_STRING_MAX_PATTERN_SIZE). */
const MAX_PATTERN = 128;
const LAST = 65535;

/** Whether a pattern stands in the packet, anywhere from its network header on. */
class StringMatch extends XtMatch {
  private readonly spec: StringSpec;
  private readonly pattern: Uint8Array;

  constructor(spec: StringSpec) {
    super();
    this.spec = spec;
    this.pattern = Uint8Array.from(spec.pattern, (c) => (spec.icase ? upper(c) : c));
  }

  matches(state: HookState): boolean {
    const { bytes, off, end } = state.pkt;
    const { from, to, icase, inverted } = this.spec;
    const { pattern } = this;
    // The whole of it has to stand before `to`.
    const last = Math.min(end, off + to) - pattern.length;
    for (let at = off + from; at <= last; at++) {
      let i = 0;
      while (i < pattern.length && (icase ? upper(bytes[at + i]!) : bytes[at + i]!) === pattern[i]!) i++;
      if (i === pattern.length) return !inverted;
    }
    return inverted;
  }
}

function upper(c: number): number {
  return c >= 97 && c <= 122 ? c - 32 : c;
}

function hexPattern(text: string): number[] {
  const out: number[] = [];
  let inHex = false;
  for (let i = 0; i < text.length; ) {
    const c = text[i]!;
    if (c === '\\' && !inHex) {
      if (i + 1 >= text.length) throw new XtError('Bad character at the end of the pattern', undefined, 0);
      out.push(text.charCodeAt(i + 1));
      i += 2;
    } else if (c === '|') {
      inHex = !inHex;
      i++;
    } else if (!inHex) {
      out.push(...encodeUtf8(c));
      i++;
    } else if (c === ' ' && text[i + 1] !== ' ') i++;
    else {
      const digits = text.slice(i, i + 2);
      if (/^[0-9a-fA-F]\||^[0-9a-fA-F]$/.test(digits)) throw new XtError('Invalid hex block', undefined, 0);
      if (!/^[0-9a-fA-F]{2}$/.test(digits))
        throw new XtError(`Invalid hex char '${digits.replace(/[0-9a-fA-F]/, '')}'`, undefined, 0);
      out.push(Number.parseInt(digits, 16));
      i += 2;
    }
  }
  if (inHex) throw new XtError('Invalid hex block', undefined, 0);
  return out;
}

function limited(pattern: number[]): number[] {
  if (pattern.length > MAX_PATTERN) throw new XtError('STRING too long', `at most ${MAX_PATTERN} bytes`, 0);
  return pattern;
}

const BACKSLASH = 0x5c;

/** In quotes; in hexadecimal if anything cannot be printed, or (measured) if a backslash stands at the end. */
function patternText(pattern: readonly number[]): string {
  if (pattern.at(-1) === BACKSLASH || pattern.some((c) => c < 0x20 || c > 0x7e)) {
    const digits = pattern.map((c) => c.toString(16).padStart(2, '0')).join('');
    return `--hex-string "|${digits}|"`;
  }
  const text = String.fromCharCode(...pattern);
  return `--string "${text.replace(/["\\]/g, (c) => `\\${c}`)}"`;
}

/** `-m string`: text in the packet. */
export const MATCH_STRING: Extension<StringSpec> = {
  kind: 'match',
  name: 'string',
  families: XT_BOTH,
  options: [
    {
      name: 'from',
      parse: (spec, arg) => {
        spec.from = uintArg(arg, 0, LAST);
      },
    },
    {
      name: 'to',
      parse: (spec, arg) => {
        spec.to = uintArg(arg, 0, LAST);
      },
    },
    {
      name: 'algo',
      required: true,
      parse: (spec, arg) => {
        spec.algo = arg.text;
      },
    },
    {
      name: 'string',
      invert: true,
      excludes: ['hex-string'],
      parse: (spec, arg) => {
        spec.pattern = limited([...encodeUtf8(arg.text)]);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'hex-string',
      invert: true,
      excludes: ['string'],
      parse: (spec, arg) => {
        spec.pattern = limited(hexPattern(arg.text));
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'icase',
      args: 0,
      parse: (spec) => {
        spec.icase = true;
      },
    },
  ],
  init: () => ({ pattern: [], inverted: false, algo: '', from: 0, to: LAST, icase: false }),
  finish: (_, seen) => {
    if (!seen.has('string') && !seen.has('hex-string'))
      throw new XtError("STRING match: You must specify `--string' or `--hex-string'");
  },
  check: (spec) => {
    // fsm takes patterns of a form of its own, which none of these is (measured).
    if (spec.algo !== 'bm' && spec.algo !== 'kmp')
      throw new XtError(`string: no algorithm "${spec.algo}"`, 'bm or kmp');
    if (spec.pattern.length === 0) throw new XtError('string: the pattern is empty');
    if (spec.from > spec.to) throw new XtError('string: --from is behind --to');
  },
  save: (spec) =>
    [
      `${spec.inverted ? '! ' : ''}${patternText(spec.pattern)} --algo ${spec.algo}`,
      ...(spec.from === 0 ? [] : [`--from ${spec.from}`]),
      ...(spec.to === LAST ? [] : [`--to ${spec.to}`]),
      ...(spec.icase ? ['--icase'] : []),
    ].join(' '),
  lower: (spec) => [new StringMatch(spec)],
};
