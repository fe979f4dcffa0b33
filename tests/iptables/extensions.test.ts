/** Matches and targets beside iptables' core: what is refused and what is listed, beside the real tool's. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { listed, ruleLines, SETS } from './extension-cases.ts';

/** Each line by itself: restored into an empty table, then listed. */
const SHELL = `
ip link set lo up
ipset restore <<'END'
${SETS}END
while read -r family table rule; do
  if [ "$family" = 4 ]; then tool=iptables-nft; else tool=ip6tables-nft; fi
  if printf '*%s\\n%s\\nCOMMIT\\n' "$table" "$rule" | $tool-restore >/dev/null 2>&1
  then $tool-save -t "$table" | grep -a '^-A'; else echo refused; fi
done`;

function whyNot(): string | null {
  const { status } = spawnSync('unshare', ['-n', 'sh', '-c', 'iptables-nft-save && ipset list'], {
    stdio: 'ignore',
  });
  if (status === 0) return null;
  const reason = 'needs root, iptables-nft and ipset';
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return reason;
}

/** A line of the cases as text for a restore command. */
function tableOf(line: string): string {
  const [, table, ...rule] = line.split(' ');
  return `*${table}\n${rule.join(' ')}\nCOMMIT\n`;
}

function ours(line: string): string {
  return listed(line) ?? 'refused';
}

test.skipIf(whyNot() !== null)(
  'every match and target beside the core is refused and listed as iptables-nft does',
  { timeout: 180_000 },
  () => {
    const all = ruleLines();
    const { stdout } = spawnSync('unshare', ['-n', 'bash', '-c', SHELL], {
      input: Buffer.from(all.map((l) => `${l}\n`).join('')),
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    });
    const real = stdout.split('\n').slice(0, -1);
    expect(real.length).toBe(all.length);
    const both = (of: (line: string, i: number) => string): string =>
      all.map((line, i) => `${line}\n    ${of(line, i).trimEnd()}`).join('\n');
    expect(both(ours)).toBe(both((_, i) => real[i]!));
    for (const [i, line] of all.entries())
      if (real[i] !== 'refused') shows('listed', 'iptables', tableOf(line));
    keepResults('iptables-extensions');
  },
);

// But for what the real tool lists without quotes, or not at all.
test('what is listed reads back to itself', () => {
  for (const line of ruleLines()) {
    const listed = ours(line);
    if (
      listed === 'refused' ||
      /--genre "|"a b"|""|-6\/(7|http)$|-name h[a-l] |ipcompspi :|days [08]$|local-node 32/.test(line)
    )
      continue;
    const [family, table] = line.split(' ');
    expect(ours(`${family} ${table} ${listed}`), line).toBe(listed);
  }
});
