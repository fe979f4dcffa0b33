/** What JSON can hold. A bigint is a number too large for JavaScript's; a member that is undefined is left out. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

const ESCAPES: { readonly [char: string]: string } = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON escapes
const ESCAPED = /["\\\u0000-\u001f]/;

/** A string as jansson writes it: only what must be escaped is. */
function stringText(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) {
    const code = char.charCodeAt(0);
    out += ESCAPES[char] ?? (code < 0x20 ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}` : char);
  }
  return `${out}"`;
}

/** JSON on one line with a blank behind commas and colons, as jansson's default and so nft's is. */
export function jsonText(value: Json): string {
  if (typeof value === 'string') return stringText(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(jsonText).join(', ')}]`;
  const members = value as { readonly [key: string]: Json | undefined };
  let text = '';
  for (const key in members) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ', '}${stringText(key)}: ${jsonText(member)}`;
  }
  return `{${text}}`;
}

/** Flags: one alone as a string, several as an array, none at all as undefined. */
export function flagsJson(flags: readonly string[]): Json | undefined {
  if (flags.length === 0) return undefined;
  return flags.length === 1 ? flags[0]! : flags;
}

/** An object, or null where it would have no members. */
export function objectOrNull(members: { readonly [key: string]: Json | undefined }): Json {
  return Object.values(members).some((member) => member !== undefined) ? members : null;
}
