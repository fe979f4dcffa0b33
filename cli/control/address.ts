import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoText } from '../errno-text.ts';
import { UsageError } from '../trouble.ts';

/** Where a running keepstate listens. */
export type ControlAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

type Env = Readonly<Record<string, string | undefined>>;

/** Longest path that a socket may have: sun_path is 108 bytes with a final 0 (unix(7)). */
const PATH_MOST = 107;

/** Environment variables with the token, and with the file that it is in. */
export const TOKEN_VARIABLE = 'KEEPSTATE_CONTROL_TOKEN';
export const TOKEN_FILE_VARIABLE = 'KEEPSTATE_CONTROL_TOKEN_FILE';

/** The socket that is meant if none is named: $XDG_RUNTIME_DIR/keepstate/control.sock, or /run/keepstate/control.sock. */
export function defaultSocket(env: Env): string {
  const base = env.XDG_RUNTIME_DIR;
  return join(base === undefined || base === '' ? '/run' : base, 'keepstate', 'control.sock');
}

/** The socket that a client looks for if none is named: the user's own, else that of the system. */
export function socketToFind(env: Env): string {
  const own = defaultSocket(env);
  return existsSync(own) ? own : existsSync(SYSTEM_SOCKET) ? SYSTEM_SOCKET : own;
}

const SYSTEM_SOCKET = '/run/keepstate/control.sock';

/** Where the token of a socket's instance is kept, if it was not given. */
export function tokenFileOf(socket: string): string {
  return join(dirname(socket), 'control.token');
}

/** Checks the path of a socket. @throws UsageError if no socket can have it */
export function checkSocketPath(path: string): void {
  if (path === '') throw new UsageError('the path of a control socket is empty');
  if (path.includes('\0')) throw new UsageError('the path of a control socket holds a NUL');
  const { length } = Buffer.from(path);
  if (length > PATH_MOST)
    throw new UsageError(
      `the path of a control socket has at most ${PATH_MOST} bytes, not ${length}: ${path}`,
    );
}

/**
 * Reads what --control says: the path of a socket, or `127.0.0.1:PORT`, `[::1]:PORT`, `localhost:PORT`.
 * @throws UsageError for a path that no socket can have, or a port that is none
 */
export function controlAddress(text: string): ControlAddress {
  const tcp = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d{1,5})$/.exec(text);
  if (tcp === null) {
    checkSocketPath(text);
    return { kind: 'unix', path: text };
  }
  const port = Number(tcp[2]);
  if (port < 1 || port > 65535) throw new UsageError(`bad port in --control ${text}: expected 1 to 65535`);
  return { kind: 'tcp', host: tcp[1]!.replace(/[[\]]/g, ''), port };
}

/** An address as users write it. */
export function addressText(address: ControlAddress): string {
  if (address.kind === 'unix') return address.path;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** A token from a file. @throws UsageError if it cannot be read */
export function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`cannot read the token of the control port, ${file}: ${errnoText(error)}`, false);
  }
}

/** The token that a client gives: by environment, by a file that that names, or by the one beside the default socket. */
export function clientToken(env: Env): string {
  const given = env[TOKEN_VARIABLE];
  if (given !== undefined && given !== '') return given;
  return readToken(env[TOKEN_FILE_VARIABLE] || tokenFileOf(socketToFind(env)));
}
