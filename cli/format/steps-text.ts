import type { NatDecision } from '@keepstate/engine';
import { type Colour, coloured } from '../colour.ts';
import type { Step } from '../steps.ts';
import { endText } from './nat-text.ts';
import { chainWords, placeWords, ruleWords } from './rule-words.ts';

const INDENT = ' '.repeat(10);
const COLOURS: Readonly<Record<string, Colour>> = {
  accept: 'good',
  drop: 'bad',
  unknown: 'notable',
  queue: 'notable',
};

function ofRule(step: Step, colour: boolean): string {
  const { rule, chain, number, says, part } = step;
  const place = placeWords(rule);
  const name = `${chainWords(chain!)} rule ${number}${place === '' ? '' : ` (${place})`}`;
  const text = ruleWords(rule!);
  if (step.kind === 'no match') {
    const failed = part === '' || part === text ? '' : `: ${part}`;
    return coloured(`${name}: ${text} -- does not match${failed}`, 'faint', colour);
  }
  if (step.kind === 'unknown') return coloured(`${name}: ${text} -- unknown: ${says}`, 'notable', colour);
  return `${name}: ${text} -- ${coloured(says, COLOURS[says] ?? null, colour)}`;
}

/** `source 10.0.0.1:1000 -> 192.0.2.1:1000 (port kept)`; what stays as it is only with `verbose`. */
function natLine(nat: NatDecision, verbose: boolean): string | null {
  const before = endText(nat.before);
  const after = endText(nat.after);
  if (before === after && !verbose) return null;
  const end = nat.isSource ? 'source' : 'destination';
  return `${INDENT}nat: ${end} ${before}${before === after ? '' : ` -> ${after}`} (${nat.text})`;
}

function lineOf(step: Step, verbose: boolean, colour: boolean): string | null {
  switch (step.kind) {
    case 'hook':
      return `${' '.repeat(8)}${step.says}`;
    case 'conntrack':
      return verbose ? `${INDENT}conntrack: ${step.says}` : null;
    case 'nat':
      return natLine(step.nat!, verbose);
    case 'chain':
      return verbose && step.says === 'hook'
        ? `${INDENT}${chainWords(step.chain!)}, priority ${step.chain!.base?.priority}`
        : null;
    case 'return':
      return verbose ? `${INDENT}${chainWords(step.chain!)} returns` : null;
    case 'policy': {
      const says = coloured(step.says, COLOURS[step.says] ?? null, colour);
      return `${INDENT}${chainWords(step.chain!)} policy -- ${says}`;
    }
    case 'no match':
      return verbose ? INDENT + ofRule(step, colour) : null;
    default:
      return INDENT + ofRule(step, colour);
  }
}

/** The lines of one packet's steps; a hook where nothing is to be told has none. */
function linesOf(steps: readonly Step[], verbose: boolean, colour: boolean): string[] {
  const lines: string[] = [];
  let hook: string | null = null;
  for (const step of steps) {
    const line = lineOf(step, verbose, colour);
    if (step.kind === 'hook') hook = line;
    else if (line !== null) {
      if (hook !== null) lines.push(hook);
      hook = null;
      lines.push(line);
    }
  }
  return lines;
}

/**
 * The way of a packet for people, a line for each hook, rule that matched and policy; with `verbose` also tracking,
 * chains, and the rules that did not match, with the part that failed.
 * @param answers whether to tell of the packets that the firewall sent, instead of the packet's own way
 * @returns lines with their newlines; '' for a packet that met no rule
 */
export function stepsText(
  steps: readonly Step[],
  answers: boolean,
  verbose: boolean,
  colour: boolean,
): string {
  const wanted = steps.filter((step) => step.answer === answers);
  return linesOf(wanted, verbose, colour)
    .map((line) => `${answers ? '  ' : ''}${line}\n`)
    .join('');
}
