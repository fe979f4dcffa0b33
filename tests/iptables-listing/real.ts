/** The real iptables of this machine (nf_tables variant), in a network namespace of its own that ends with the call. */
import { spawnSync } from 'node:child_process';

/** Why the real iptables cannot be asked here; null if it can. */
function unavailable(): string | null {
  if (process.platform !== 'linux') return 'the real iptables runs on Linux only';
  const { status, stdout } = spawnSync('unshare', ['-n', 'iptables', '--version'], { encoding: 'utf8' });
  if (status !== 0) return 'the real iptables needs root, `unshare -n` and the package iptables';
  if (!stdout.includes('v1.8.9 (nf_tables)'))
    return `measured with iptables v1.8.9 (nf_tables), here is ${stdout.trim()}`;
  return null;
}

/**
 * For `describe.skipIf(!realIptables())`: true if the real iptables can be asked. If not, prints why and returns
 * false, but throws when CI=true, where nothing may be skipped.
 */
export function realIptables(): boolean {
  const reason = unavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

/** What the real tool makes of a text. */
export interface RealAnswer {
  readonly ok: boolean;
  /** What it printed if it refused. */
  readonly error: string;
  /** iptables-save -c without comments, '' if it refused. */
  readonly listing: string;
}

const MARK = '@@keepstate@@';

/**
 * Reads each text into an empty table with `iptables-restore -c` and lists it with `iptables-save -c`.
 * @param tool iptables or ip6tables
 */
export function askReal(tool: 'iptables' | 'ip6tables', texts: readonly string[]): RealAnswer[] {
  const script = texts
    .map((text) =>
      [
        'nft flush ruleset',
        `${tool}-restore -c 2>&1 <<'${MARK}'`,
        `${text.replace(/\n$/, '')}`,
        MARK,
        `echo "${MARK}$?"`,
        `${tool}-save -c | grep -v '^#'`,
        `echo "${MARK}"`,
      ].join('\n'),
    )
    .join('\n');
  const { stdout, status, stderr } = spawnSync('unshare', ['-n', 'bash', '-s'], {
    input: script,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const pieces = stdout.split(MARK);
  if (pieces.length !== texts.length * 2 + 1)
    throw new Error(`${tool} gave ${pieces.length} answers for ${texts.length} texts (${status}): ${stderr}`);
  return texts.map((_, i) => {
    const error = pieces[i * 2]!.trim();
    const rest = pieces[i * 2 + 1]!;
    const newline = rest.indexOf('\n');
    const ok = rest.slice(0, newline) === '0';
    return { ok, error, listing: ok ? rest.slice(newline + 1) : '' };
  });
}
