/** Errors of the system in words that need no manual, by their names. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'what should be a folder is none',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the quota is used up',
  ELOOP: 'it is a symbolic link',
  EMFILE: 'too many files at once',
  ENAMETOOLONG: 'the name is too long',
};

/** What the system refused, for messages: `cannot read FILE: …`. What there are no words for is said as Node says it. */
export function errnoText(error: unknown): string {
  const { code = '', message = String(error) } = (error ?? {}) as NodeJS.ErrnoException;
  return WORDS[code] ?? message;
}
