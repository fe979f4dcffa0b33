import { UnknownExpr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type BpfInstruction, BpfMachine, bpfIsValid } from './bpf-program.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { quote } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface BpfSpec {
  program: readonly BpfInstruction[] | null;
  pinned: string | null;
}

/** Most instructions (XT_BPF_MAX_NUM_INSTR). */
const MAX_INSTRUCTIONS = 64;

class BpfMatch extends XtMatch {
  private readonly machine: BpfMachine;

  constructor(program: readonly BpfInstruction[]) {
    super();
    this.machine = new BpfMachine(program);
  }

  matches(state: HookState): boolean {
    return this.machine.run(state) !== 0;
  }
}

/** `length,code jt jf k,…` as nfbpf_compile(8) writes it. */
function parse(text: string): readonly BpfInstruction[] {
  const [head, ...rest] = text.split(',');
  const length = /^\d+$/.test(head!.trim()) ? Number(head) : 0;
  if (length === 0) throw new XtError('bpf: error parsing program length', undefined, 0);
  if (length > MAX_INSTRUCTIONS)
    throw new XtError(`bpf: number of instructions exceeds maximum`, undefined, 0);
  const words = rest.at(-1)?.trim() === '' ? rest.slice(0, -1) : rest;
  if (words.length > length)
    throw new XtError('bpf: real program length exceeds the encoded length parameter', undefined, 0);
  if (words.length < length)
    throw new XtError('bpf: parsed program length is less than the encoded length parameter', undefined, 0);
  return words.map((word, i) => {
    const m = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(word);
    if (m === null) throw new XtError(`bpf: error at instr ${i}`, 'four numbers: code jt jf k', 0);
    return {
      code: Number(m[1]) & 0xffff,
      jt: Number(m[2]) & 255,
      jf: Number(m[3]) & 255,
      k: Number(m[4]) | 0,
    };
  });
}

function programText(program: readonly BpfInstruction[]): string {
  const words = program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k >>> 0}`);
  return `"${[program.length, ...words].join(',')}"`;
}

/** `-m bpf`: a program of classic BPF decides. */
export const MATCH_BPF: Extension<BpfSpec> = {
  kind: 'match',
  name: 'bpf',
  families: XT_BOTH,
  options: [
    {
      name: 'bytecode',
      excludes: ['object-pinned'],
      parse: (spec, arg) => {
        spec.program = parse(arg.text);
      },
    },
    {
      name: 'object-pinned',
      excludes: ['bytecode'],
      parse: (spec, arg) => {
        spec.pinned = arg.text;
      },
    },
  ],
  init: () => ({ program: null, pinned: null }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError('bpf: one of --bytecode or --pinned is required');
  },
  check: (spec) => {
    if (spec.program !== null && !bpfIsValid(spec.program))
      throw new XtError('bpf: the kernel refuses this program');
  },
  save: (spec) =>
    spec.program === null
      ? `--object-pinned ${quote(spec.pinned!)}`
      : `--bytecode ${programText(spec.program)}`,
  lower: (spec) => [
    spec.program === null
      ? new UnknownExpr('programs in the BPF file system are not known')
      : new BpfMatch(spec.program),
  ],
};
