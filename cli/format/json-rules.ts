import {
  type Chain,
  familyWord,
  hookName,
  type NatDecision,
  type NatEnd,
  type Outcome,
  type Rule,
  ruleNumber,
} from '@keepstate/engine';
import type { ExpectedBy } from '../expected-by.ts';
import type { Rewritten } from '../rewritten.ts';
import type { Step } from '../steps.ts';
import { endAddress } from './nat-text.ts';
import { ruleWords } from './rule-words.ts';

function ruleFields(chain: Chain, rule: Rule | null, number: number): Record<string, unknown> {
  return {
    file: rule?.at?.file ?? null,
    line: rule?.at?.line ?? null,
    family: familyWord(chain.table.family),
    table: chain.table.name,
    chain: chain.name,
    number: number === 0 ? null : number,
    handle: rule === null || rule.handle === 0 ? null : rule.handle,
    policy: rule === null,
    text: rule === null ? null : ruleWords(rule),
  };
}

function endFields(end: NatEnd): Record<string, unknown> {
  return { address: endAddress(end), port: end.port };
}

function natFields({ isSource, before, after }: NatDecision): Record<string, unknown> {
  return { end: isSource ? 'source' : 'destination', before: endFields(before), after: endFields(after) };
}

function stepFields(step: Step): Record<string, unknown> {
  const { kind, hook, chain, rule, number, says, part } = step;
  return {
    hook,
    step: kind,
    ...(step.answer ? { answer: true } : {}),
    ...(chain === null ? {} : { ...ruleFields(chain, rule, number), policy: kind === 'policy' }),
    ...(kind === 'conntrack' ? { ctstate: says } : { result: says }),
    ...(part === '' ? {} : { part }),
    ...(step.nat === null ? {} : natFields(step.nat)),
  };
}

/** Bytes as two digits each. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** What the JSON of a packet is to tell of the rules besides the verdict. */
export interface JsonRuleWishes {
  readonly steps: readonly Step[] | null;
  readonly bytes: boolean;
  readonly log: readonly string[] | null;
  readonly nftTrace: readonly string[] | null;
  /** Who expected the flow that the packet opened, null if nobody did. */
  readonly expectedBy: ExpectedBy | null;
  /** What became of its payload and sequence numbers, null if nothing. */
  readonly rewritten: Rewritten | null;
  /** Name of a device by its number. */
  device(index: number): string | null;
}

/** The fields that rules add to the JSON of a packet, each with a comma in front. */
export function jsonRuleFields(outcome: Outcome, wishes: JsonRuleWishes): string {
  const { chain, rule, verdict } = outcome;
  const fields: Record<string, unknown> = {
    hook: outcome.hook < 0 ? null : hookName(outcome.hook),
    rule: chain === null ? null : ruleFields(chain, rule, ruleNumber(chain, rule)),
    iif: wishes.device(outcome.ifin),
    oif: wishes.device(outcome.ifout),
  };
  if (verdict === 'unknown') fields.unknown = outcome.unknown;
  if (verdict === 'queue') fields.queue = outcome.queue;
  if (wishes.expectedBy !== null) fields.expectedBy = wishes.expectedBy;
  if (wishes.rewritten !== null) fields.rewritten = wishes.rewritten;
  if (wishes.steps !== null) fields.steps = wishes.steps.map(stepFields);
  if (wishes.log !== null) fields.log = wishes.log;
  if (wishes.nftTrace !== null) fields.nftTrace = wishes.nftTrace;
  if (wishes.bytes) {
    fields.out = outcome.out.map(hexText);
    fields.answers = outcome.answers.filter((a) => a.left).map((a) => hexText(a.bytes));
  }
  return `,${JSON.stringify(fields).slice(1, -1)}`;
}
