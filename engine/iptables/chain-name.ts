import { SourceError } from '../base/error.ts';
import { findTarget } from './extensions.ts';
import type { Word } from './words.ts';

/** Longest name of a chain: what the kernel's target structure holds. */
const CHAIN_NAME_MAX = 28;
const VERDICTS: readonly string[] = ['ACCEPT', 'DROP', 'RETURN', 'QUEUE'];

/** @throws SourceError if a chain cannot have this name */
export function checkChainName(word: Word, family: number): void {
  const name = word.text;
  if (name.length > CHAIN_NAME_MAX)
    throw new SourceError(
      `chain name \`${name}' too long (must be under ${CHAIN_NAME_MAX + 1} chars)`,
      word.at,
    );
  if (name.startsWith('-') || name.startsWith('!'))
    throw new SourceError(`chain name not allowed to start with \`${name[0]}'`, word.at);
  if (name === '' || VERDICTS.includes(name) || findTarget(name, family) !== undefined)
    throw new SourceError('chain name may not clash with target name', word.at);
  if (/\s/.test(name)) throw new SourceError(`Invalid chain name \`${name}'`, word.at);
}
