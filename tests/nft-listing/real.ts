/** The real nft of this machine, in a network namespace of its own that ends with the call. */
import { spawnSync } from 'node:child_process';

/** Why the real nft cannot be asked here; null if it can. */
function unavailable(): string | null {
  if (process.platform !== 'linux') return 'the real nft runs on Linux only';
  const { status, stdout } = spawnSync('unshare', ['-n', 'nft', '--version'], { encoding: 'utf8' });
  if (status !== 0) return 'the real nft needs root, `unshare -n` and the package nftables';
  if (!stdout.includes('v1.0.6')) return `measured with nft 1.0.6, here is ${stdout.trim()}`;
  return null;
}

/**
 * For `describe.skipIf(!realNft())`: true if the real nft can be asked. If not, prints why and returns false, but
 * throws when CI=true, where nothing may be skipped.
 */
export function realNft(): boolean {
  const reason = unavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

/** What a script printed. */
export interface ScriptResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a shell script in a fresh network namespace with the devices d0 and d1.
 * @param stdin what the script may read
 */
export function inNamespace(script: string, stdin = ''): ScriptResult {
  const setup = 'ip link add d0 type veth peer name d1\n';
  const { status, stdout, stderr } = spawnSync('unshare', ['-n', 'sh', '-c', setup + script], {
    input: stdin,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status: status ?? 128, stdout, stderr };
}

const SEPARATOR = '=-=-= next listing =-=-=';

/**
 * Loads a ruleset and lists it in several ways.
 * @param text the ruleset, in the language
 * @param listings commands such as `nft -a list ruleset`; $RULES is the name of a file that they may write
 * @returns what each command printed. Throws if the ruleset does not load
 */
export function realListings(text: string, listings: readonly string[]): string[] {
  const commands = listings.map((command) => `${command} 2>/dev/null; echo '${SEPARATOR}'`);
  const script = `nft -f - || exit 1\nRULES=$(mktemp)\n${commands.join('\n')}\nrm "$RULES"`;
  const { status, stdout, stderr } = inNamespace(script, text);
  if (status !== 0) throw new Error(`nft refused: ${stderr}`);
  return stdout.split(`${SEPARATOR}\n`).slice(0, -1);
}
