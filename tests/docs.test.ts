import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Place } from '../cli/testing/keepstate.ts';
import { REASONS, type Reason } from '../engine/base/reason.ts';

const MEANING: Readonly<Record<Reason['effect'], string>> = {
  skipped: 'never reached tracking',
  held: 'held, nothing decided yet',
  dropped: 'dropped',
  INVALID: 'INVALID',
  ignored: 'passes with the state it had; its flow stays as it was',
  noted: 'passes; something happened to its flow',
  removed: 'why a flow left the table (in events)',
};

function reasonsPage(): string {
  const byNumber = [...REASONS].sort((a, b) => a.id - b.id);
  const rows = byNumber.map((r) => `| ${r.id} | \`${r.name}\` | ${MEANING[r.effect]} | ${r.text} |`);
  return `# Reasons

Every packet that is INVALID, ignored, held or dropped, and every flow that leaves the table, has a numbered reason.
Numbers and names are stable. The text is the kernel's own where it logs one (\`nf_conntrack_log_invalid\`); \`%u\`,
\`%x\`, \`%a\` and \`%s\` stand for operands: numbers, an address, a state.

| Number | Name | The packet | Text |
|---|---|---|---|
${rows.join('\n')}
`;
}

test('docs/reasons.md lists every reason as the engine has it (npx vitest run tests/docs.test.ts -u writes it)', async () => {
  await expect(reasonsPage()).toMatchFileSnapshot('../docs/reasons.md');
});

/** Commands of docs/tasks.md that no pipe or variable is part of, with what is shown below them. */
function shownTasks(): readonly (readonly [command: string, output: string])[] {
  const page = readFileSync(new URL('../docs/tasks.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```\n\$ npx keepstate (.*)\n([^$]*?)```/gm)];
  return blocks
    .map(([, command, output]) => [command!, output!] as const)
    .filter(([c]) => !c.includes(' | '));
}

describe('docs/tasks.md', () => {
  const place = new Place();
  afterAll(() => place.end());

  test.each(shownTasks())('shows what this prints: keepstate %s', async (command, output) => {
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
    expect((await place.run(...words)).out).toBe(output);
  });

  test('has several of them', () => {
    expect(shownTasks().length).toBeGreaterThan(3);
  });
});
