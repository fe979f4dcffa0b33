import { check, declare, EAGAIN, lastErrno } from './libc.ts';

const flock: (fd: number, operation: number) => number = declare('int flock(int fd, int operation)');

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Locks an open file for this process alone until it is closed, at the latest when the process ends, however it does.
 * @returns false if another one holds it
 * @throws DriverError if files there cannot be locked
 */
export function lockFile(fd: number): boolean {
  const result = flock(fd, LOCK_EX | LOCK_NB);
  if (result < 0 && lastErrno() === EAGAIN) return false;
  check(result, 'locking a file');
  return true;
}
