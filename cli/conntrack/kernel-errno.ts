import { type Errno, failedText, ToolError } from './words.ts';

/** Linux's numbers (asm-generic/errno.h) of the errors that have a text of conntrack(8)'s. */
const NAMES: Readonly<Record<number, Errno>> = {
  1: 'EPERM',
  2: 'ENOENT',
  4: 'EINTR',
  12: 'ENOMEM',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
  28: 'ENOSPC',
  34: 'ERANGE',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  105: 'ENOBUFS',
};

/** The name of an error number of the kernel. @throws ToolError with the number for one that conntrack has no words for */
export function errnoOf(number: number): Errno {
  const name = NAMES[number];
  if (name === undefined) throw new ToolError(`Operation failed: error ${number}`, 1);
  return name;
}

/** Ends the command with what the kernel refused. @param command as {@link failedText} has it */
export function refused(command: string, number: number): never {
  throw new ToolError(failedText(command, errnoOf(number)), 1);
}
