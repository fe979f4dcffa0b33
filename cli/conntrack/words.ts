/** conntrack-tools by the version whose behaviour is kept, as it introduces itself. */
export const TOOL = 'conntrack v1.4.7 (conntrack-tools)';

/** Something that ends the command: a line on standard error, and the status to exit with. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  /** 2 for a wrong command line, 1 for all else. */
  readonly status: number;
  /** What keepstate adds, which conntrack(8) does not say; null for nothing. */
  own: string | null = null;

  /** @param message behind the tool's name */
  constructor(message: string, status: 1 | 2) {
    super(message);
    this.status = status;
  }

  /** The lines for standard error. */
  get text(): string {
    const hint = "\nTry `conntrack -h' or 'conntrack --help' for more information.";
    return `${TOOL}: ${this.message}${this.status === 2 ? hint : ''}`;
  }
}

/** A wrong command line: status 2. */
export function usage(message: string): never {
  throw new ToolError(message, 2);
}

/** A wrong value, as the command names it. */
export function badParameter(text: string): never {
  usage(`Bad parameter \`${text}'`);
}

/** Error numbers of the kernel that the tables give. */
export type Errno =
  | 'EEXIST'
  | 'ENOENT'
  | 'EINVAL'
  | 'EPERM'
  | 'EBUSY'
  | 'EOPNOTSUPP'
  | 'EINTR'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'ERANGE'
  | 'EAFNOSUPPORT'
  | 'ENOBUFS';

const TEXTS: Readonly<Record<Errno, string>> = {
  EEXIST: 'File exists',
  ENOENT: 'No such file or directory',
  EINVAL: 'Invalid argument',
  EPERM: 'sorry, you must be root or get CAP_NET_ADMIN capability to do this',
  EBUSY: 'Device or resource busy',
  EOPNOTSUPP: 'Operation not supported',
  EINTR: 'Interrupted system call',
  ENOMEM: 'Cannot allocate memory',
  ENOSPC: 'No space left on device',
  ERANGE: 'Numerical result out of range',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  ENOBUFS: 'No buffer space available',
};

const EINVAL_WORDS = 'invalid parameters';

/** What conntrack(8) says of some errors of some commands instead of the system's words; measured. */
const OF_COMMAND: Readonly<Record<string, Partial<Readonly<Record<Errno, string>>>>> = {
  list: { EINVAL: EINVAL_WORDS },
  get: { EINVAL: EINVAL_WORDS, ENOENT: "such conntrack doesn't exist" },
  delete: { EINVAL: EINVAL_WORDS, ENOENT: "such conntrack doesn't exist" },
  create: { EINVAL: EINVAL_WORDS, EEXIST: 'Such conntrack exists, try -U to update' },
  update: { EINVAL: EINVAL_WORDS },
  'create expect': { ENOENT: 'master conntrack not found' },
};

/** `Operation failed: …` for an error of a command (`list`, `get`, `create`, `create expect` …). */
export function failedText(command: string, errno: Errno): string {
  return `Operation failed: ${OF_COMMAND[command]?.[errno] ?? TEXTS[errno]}`;
}
