import { AF_INET } from '../packet/packet.ts';
import { bytesOf, type Cursor, hasWord, isDigit, lowered, readIpv6 } from './payload.ts';

/** What stands behind a command or reply: where the data connection is to go. */
export interface FtpTarget {
  /** First byte of the text that says so. */
  at: number;
  /** How long it is. */
  length: number;
  /** The address, one word or four; as in the control connection where the text names none (EPSV). */
  address: readonly number[];
  /** The port, which may be 0 in PORT and 227. */
  port: number;
}

/** {@link findCommand}: nothing of interest. */
export const FTP_NONE = 0;
/** {@link findCommand}: the beginning of a command, or one that says nothing understandable. */
export const FTP_PARTIAL = 1;
/** {@link findCommand}: found. */
export const FTP_FOUND = 2;

/** How the text behind a word is written. */
export type FtpForm = 'PORT' | 'EPRT' | '227' | '229';

interface Command {
  readonly form: FtpForm;
  /** The word that the line begins with, in small letters. */
  readonly word: Uint8Array;
  /** The text begins behind the first of these bytes, -1 if right behind the word. */
  readonly skip: number;
  /** @returns how long the text is, 0 if it is none */
  readonly read: (c: Cursor, family: number, out: FtpTarget) => number;
}

const CR = 0x0d;
const SPACE = 0x20;
const PARENTHESIS = 0x28;
const COMMA = 0x2c;
const DOT = 0x2e;

/** Any byte may end the numbers. */
const ANY = 0;

const numbersScratch: number[] = [];

/**
 * Numbers with a separator between them; each may lack digits and then is 0, and none is too great (measured).
 * @param terminator the byte behind the last one, ANY for any
 * @returns how long they are, 0 if there are not `count` of them
 */
function readNumbers(c: Cursor, at: number, count: number, separator: number, terminator: number): number {
  const out = numbersScratch;
  out.length = count;
  out.fill(0);
  let i = 0;
  for (let here = at; here < c.end; here++) {
    const byte = c.view.getUint8(here);
    if (isDigit(byte)) out[i] = (Math.imul(out[i]!, 10) + byte - 0x30) | 0;
    else if (byte === separator) {
      if (++i >= count) return 0;
    } else return (byte === terminator || terminator === ANY) && i === count - 1 ? here - at : 0;
  }
  return 0;
}

/** Six numbers: four of the address, two of the port (RFC 959, section 5.2). */
function readHostPort(c: Cursor, terminator: number, out: FtpTarget): number {
  const length = readNumbers(c, c.at, 6, COMMA, terminator);
  if (length === 0) return 0;
  const n = numbersScratch;
  out.address = [(n[0]! << 24) | (n[1]! << 16) | (n[2]! << 8) | n[3]!];
  out.port = ((n[4]! << 8) | n[5]!) & 0xffff;
  return length;
}

/** The same behind anything that is no digit: "(", "=" or nothing (RFC 1123, section 4.1.2.6). */
function readPassive(c: Cursor, _family: number, out: FtpTarget): number {
  while (c.at < c.end && !isDigit(c.view.getUint8(c.at))) c.at++;
  return c.at < c.end ? readHostPort(c, ANY, out) : 0;
}

/** A delimiter may be any printable character that is no digit (RFC 2428, section 2). */
function delimiterAt(c: Cursor): number {
  if (c.end - c.at <= 3) return 0;
  const byte = c.view.getUint8(c.at);
  return isDigit(byte) || byte < 33 || byte > 126 ? 0 : byte;
}

/** Digits up to a delimiter. @returns how much was read from `from` on, the delimiter included, 0 for no port */
function readPort(c: Cursor, from: number, delimiter: number, out: FtpTarget): number {
  let port = 0;
  for (let here = from; here < c.end; here++) {
    const byte = c.view.getUint8(here);
    if (byte === delimiter) {
      out.port = port;
      return port === 0 ? 0 : here + 1 - from;
    }
    if (!isDigit(byte)) return 0;
    // The kernel counts in 16 bits: 70000 is 4464 (measured).
    port = (port * 10 + byte - 0x30) & 0xffff;
  }
  return 0;
}

/** `|1|192.168.1.1|1025|` or `|2|fd00::1|1025|`. */
function readExtended(c: Cursor, family: number, out: FtpTarget): number {
  const delimiter = delimiterAt(c);
  if (delimiter === 0 || c.view.getUint8(c.at + 2) !== delimiter) return 0;
  if (c.view.getUint8(c.at + 1) !== (family === AF_INET ? 0x31 : 0x32)) return 0;
  const length = family === AF_INET ? readDotted(c, delimiter, out) : readColons(c, delimiter, out);
  if (length === 0) return 0;
  const port = readPort(c, c.at + 3 + length + 1, delimiter, out);
  return port === 0 ? 0 : 3 + length + 1 + port;
}

function readDotted(c: Cursor, delimiter: number, out: FtpTarget): number {
  const length = readNumbers(c, c.at + 3, 4, DOT, delimiter);
  if (length === 0) return 0;
  const n = numbersScratch;
  out.address = [(n[0]! << 24) | (n[1]! << 16) | (n[2]! << 8) | n[3]!];
  return length;
}

function readColons(c: Cursor, delimiter: number, out: FtpTarget): number {
  const text = { view: c.view, at: c.at + 3, end: c.end };
  const address = readIpv6(text);
  if (address === null || text.at >= c.end) return 0;
  // Measured: a byte of 0 ends an address too.
  const behind = c.view.getUint8(text.at);
  if (behind !== delimiter && behind !== 0) return 0;
  out.address = address;
  return text.at - c.at - 3;
}

/** `|||1025|`. */
function readExtendedPassive(c: Cursor, _family: number, out: FtpTarget): number {
  const delimiter = delimiterAt(c);
  if (delimiter === 0) return 0;
  if (c.view.getUint8(c.at + 1) !== delimiter || c.view.getUint8(c.at + 2) !== delimiter) return 0;
  const length = readPort(c, c.at + 3, delimiter, out);
  return length === 0 ? 0 : 3 + length;
}

/** What either end says, by direction (RFC 959, RFC 2428). */
const COMMANDS: readonly (readonly Command[])[] = [
  [
    { form: 'PORT', word: bytesOf('port'), skip: SPACE, read: (c, _family, out) => readHostPort(c, CR, out) },
    { form: 'EPRT', word: bytesOf('eprt'), skip: SPACE, read: readExtended },
  ],
  [
    { form: '227', word: bytesOf('227 '), skip: -1, read: readPassive },
    { form: '229', word: bytesOf('229 '), skip: PARENTHESIS, read: readExtendedPassive },
  ],
];

/** The command that {@link findCommand} found. */
export interface FoundCommand {
  form: FtpForm;
  readonly target: FtpTarget;
}

/** Whether all there is is the beginning of a word. */
function begins(c: Cursor, word: Uint8Array): boolean {
  for (let i = 0; c.at + i < c.end; i++) if (lowered(c.view.getUint8(c.at + i)) !== word[i]) return false;
  return true;
}

function readCommand(c: Cursor, command: Command, family: number, out: FoundCommand): number {
  const { word, skip } = command;
  const start = c.at;
  if (c.end - start <= word.length) return begins(c, word) ? FTP_PARTIAL : FTP_NONE;
  if (!hasWord(c.view, start, c.end, word)) return FTP_NONE;
  c.at = start + word.length;
  if (skip >= 0) {
    while (c.at < c.end && c.view.getUint8(c.at) !== skip) c.at++;
    if (c.at >= c.end - 1) return FTP_PARTIAL;
    c.at++;
  }
  const length = command.read(c, family, out.target);
  if (length === 0) return FTP_PARTIAL;
  out.form = command.form;
  out.target.at = c.at;
  out.target.length = length;
  return FTP_FOUND;
}

/**
 * Looks for a command at the beginning of a payload.
 * @param c over the payload, which is not empty
 * @param dir who speaks: 0 the client, 1 the server
 * @param family AF_*
 * @returns FTP_*
 */
export function findCommand(c: Cursor, dir: number, family: number, out: FoundCommand): number {
  const start = c.at;
  for (const command of COMMANDS[dir]!) {
    c.at = start;
    const found = readCommand(c, command, family, out);
    if (found !== FTP_NONE) return found;
  }
  return FTP_NONE;
}
