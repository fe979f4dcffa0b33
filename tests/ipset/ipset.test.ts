/** engine/ipset beside ipset(8) and the kernel of this machine: what is refused, and what `ipset save` lists. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { IpSets } from '../../engine/ipset/ip-sets.ts';
import { SetError } from '../../engine/ipset/set-error.ts';
import { tokensOf } from '../../engine/ipset/tokens.ts';
import { keepResults, shows } from '../features/record.ts';
import { ipsetScript } from './generate.ts';

const SCRIPTS = 150;

function whyNot(): string | null {
  const probe = spawnSync('unshare', ['-n', 'ipset', 'create', 'x', 'hash:ip'], { encoding: 'utf8' });
  if (probe.status === 0) return null;
  const reason = `ipset cannot be used here: ${probe.error?.message ?? probe.stderr.trim()}`;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return reason;
}

interface Run {
  /** One letter a line: y accepted, n refused. */
  readonly verdicts: string;
  readonly save: string;
}

/** Each line by itself, since ipset stops at the first that it refuses. */
const SHELL = `
while IFS= read -r line; do
  case $line in
    "#end") echo; ipset save; echo "#end"; ipset flush; ipset destroy 2>/dev/null; ipset destroy ;;
    *) if ipset restore <<<"$line" 2>/dev/null; then printf y; else printf n; fi ;;
  esac
done`;

function real(scripts: readonly (readonly string[])[]): Run[] {
  const input = scripts.map((lines) => `${lines.join('\n')}\n#end\n`).join('');
  const { stdout } = spawnSync('unshare', ['-n', 'bash', '-c', SHELL], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout
    .split('#end\n')
    .slice(0, -1)
    .map((text) => {
      const [verdicts, ...save] = text.split('\n');
      return { verdicts: verdicts!, save: comparable(save.join('\n')) };
    });
}

function ours(lines: readonly string[]): Run {
  const sets = new IpSets(1);
  let verdicts = '';
  for (const line of lines) {
    try {
      sets.command(tokensOf(line).map((t) => t.text));
      verdicts += 'y';
    } catch (e) {
      if (!(e instanceof SetError)) throw e;
      verdicts += 'n';
    }
  }
  return { verdicts, save: comparable(sets.save()) };
}

/**
 * Elements of hashes sorted (the kernel lists them by a secret hash), without the secret, and without the second by
 * which the kernel's clock went on.
 */
function comparable(save: string): string {
  const blocks = save.split(/^(?=create )/m);
  return blocks
    .map((block) => {
      const [head, ...elements] = block.trimEnd().split('\n');
      const plain = [head, ...elements].map((l) =>
        l!
          .replace(/ initval \S+/, '')
          .replace(/(bitmask \S+?)\/\d+/, '$1')
          .replace(/(?<=^add .*) timeout (\d+)/, (_, t) => ` timeout ${Math.ceil(Number(t) / 20)}`),
      );
      // A hash grows when a bucket is full, which the secret decides.
      if (plain.length > 40) plain[0] = plain[0]!.replace(/ hashsize \d+/, '');
      return plain[0]!.includes(' hash:')
        ? [plain[0], ...plain.slice(1).sort()].join('\n')
        : plain.join('\n');
    })
    .join('\n');
}

test.skipIf(whyNot() !== null)(
  `ipset: ${SCRIPTS} random lists of commands are refused and listed as the real tool does`,
  { timeout: 120_000 },
  () => {
    const scripts = Array.from({ length: SCRIPTS }, (_, seed) => ipsetScript(seed + 1));
    const runs = real(scripts);
    expect(runs.length).toBe(SCRIPTS);
    for (const [i, lines] of scripts.entries()) {
      const run = ours(lines);
      const marked = (v: string): string => lines.map((l, n) => `${v[n]} ${l}`).join('\n');
      expect(marked(run.verdicts), `script ${i + 1}`).toBe(marked(runs[i]!.verdicts));
      expect(run.save, `script ${i + 1}\n${lines.join('\n')}`).toBe(runs[i]!.save);
      shows('listed', 'ipset', run.save);
    }
    keepResults('ipset-listing');
  },
);
