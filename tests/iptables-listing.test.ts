import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Xtables } from '../engine/iptables/xtables.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../engine/rules/family.ts';
import { keepResults, shows } from './features/record.ts';
import { randomRules } from './iptables-listing/random-rules.ts';
import { askReal, type RealAnswer, realIptables } from './iptables-listing/real.ts';

/** Seed of this run, or KEEPSTATE_SEED. Printed, so that a failure can be repeated. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? 777);
/** Rules made up in a run, for each family. */
const COUNT = Number(process.env.KEEPSTATE_RULES ?? 250);

type Tool = 'iptables' | 'ip6tables';

function read(name: string): string {
  return readFileSync(new URL(`iptables-listing/${name}`, import.meta.url), 'utf8');
}

/** A line as text for iptables-restore: in table filter, or in the one that stands behind its @. */
function tableOf(line: string): string {
  const m = /^@(\w+) (.*)$/.exec(line);
  return `*${m?.[1] ?? 'filter'}\n${m?.[2] ?? line}\nCOMMIT\n`;
}

function linesOf(name: string): string[] {
  return read(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** What keepstate makes of a text, in the shape of the real tool's answer. */
function ask(tool: Tool, text: string): RealAnswer {
  const tables = new Xtables(tool === 'iptables' ? NFPROTO_IPV4 : NFPROTO_IPV6);
  const errors = tables.restore({ name: 'rules', text }, { counters: true });
  if (errors.length > 0) return { ok: false, error: errors[0]!.message, listing: '' };
  return { ok: true, error: '', listing: tables.save({ counters: true }) };
}

function judge(tool: Tool, texts: readonly string[]): string[] {
  const wrong: string[] = [];
  for (const [i, real] of askReal(tool, texts).entries()) {
    const mine = ask(tool, texts[i]!);
    if (real.ok !== mine.ok)
      wrong.push(
        `${texts[i]}real: ${real.ok ? 'taken' : real.error}\nkeepstate: ${mine.ok ? 'taken' : mine.error}`,
      );
    else if (real.listing !== mine.listing)
      wrong.push(`${texts[i]}real:\n${real.listing}keepstate:\n${mine.listing}`);
    else if (real.ok) shows('listed', tool, texts[i]!);
  }
  return wrong;
}

describe.skipIf(!realIptables())('iptables rules are read, refused and listed as by the real tool', () => {
  afterAll(() => keepResults('iptables-listing'));
  test('IPv4: each line of the corpus', () => {
    expect(judge('iptables', linesOf('rules-v4.txt').map(tableOf))).toEqual([]);
  });

  test('IPv6: each line of the corpus', () => {
    expect(judge('ip6tables', linesOf('rules-v6.txt').map(tableOf))).toEqual([]);
  });

  test('whole texts of iptables-restore, with their comments, counters, quotes and mistakes', () => {
    expect(judge('iptables', read('texts.txt').split('=====\n'))).toEqual([]);
  });

  test.each(['iptables', 'ip6tables'] as const)(`%s: rules made up at random (seed ${SEED})`, (tool) => {
    expect(judge(tool, randomRules(tool, SEED, COUNT).map(tableOf))).toEqual([]);
  });
});
