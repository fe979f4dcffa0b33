import { SourceError } from '../base/error.ts';
import { findTarget } from './extensions.ts';
import type { Word } from './words.ts';

/** Longest name of a chain: what the kernel's target structure holds. */
const CHAIN_NAME_MAX = 28;
/** Longest name that the legacy variant gives a chain that is renamed. */
const RENAMED_MAX = 31;
const VERDICTS: readonly string[] = ['ACCEPT', 'DROP', 'RETURN', 'QUEUE'];
/** Names that no new chain may have besides those of targets. */
const RESERVED: readonly string[] = [...VERDICTS, 'standard'];

/**
 * @param declared of a line of iptables-restore: there (measured) only the names of verdicts are taken
 * @throws SourceError if a chain cannot have this name
 */
export function checkChainName(word: Word, family: number, declared = false): void {
  const name = word.text;
  if (name.length > CHAIN_NAME_MAX)
    throw new SourceError(
      `chain name \`${name}' too long (must be under ${CHAIN_NAME_MAX + 1} chars)`,
      word.at,
    );
  if (name.startsWith('-') || name.startsWith('!'))
    throw new SourceError(`chain name not allowed to start with \`${name[0]}'`, word.at);
  const taken = declared
    ? VERDICTS.includes(name)
    : RESERVED.includes(name) || findTarget(name, family) !== undefined;
  if (name === '' || taken) throw new SourceError('chain name may not clash with target name', word.at);
  if (/\s/.test(name)) throw new SourceError(`Invalid chain name \`${name}'`, word.at);
}

/**
 * The same for a chain that is renamed. Measured: neither variant looks at the name, but the legacy one finds a verdict's
 * name to be there already.
 * @throws SourceError
 */
export function checkNewName(word: Word, backend: 'nft' | 'legacy'): void {
  if (backend === 'nft') return;
  if (VERDICTS.includes(word.text)) throw new SourceError('Chain already exists', word.at);
  if (word.text.length > RENAMED_MAX)
    throw new SourceError('Invalid argument: the name is too long', word.at);
}
