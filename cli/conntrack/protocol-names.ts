import { readFileSync } from 'node:fs';
import { strtoul } from './numbers.ts';
import { PROTOCOLS } from './protocol-table.ts';
import { usage } from './words.ts';

/** Where getprotobyname(3) looks. */
const FILE = '/etc/protocols';

function fromFile(name: string): number | null {
  let text = '';
  try {
    text = readFileSync(FILE, 'utf8');
  } catch {
    return null;
  }
  for (const line of text.split('\n')) {
    const [official, number, ...aliases] = line.split('#')[0]!.trim().split(/\s+/);
    if (official === name || aliases.includes(name)) return Number(number);
  }
  return null;
}

/** The number of a protocol by its name (also one of /etc/protocols) or number. @throws ToolError */
export function protocolOf(text: string): number {
  const known = PROTOCOLS.find((p) => p.name === text.toLowerCase());
  if (known !== undefined) return known.number;
  const { value, rest } = strtoul(text, 0);
  const number = text !== '' && rest === '' ? Number(value) : fromFile(text);
  if (number === null || !(number <= 255)) usage(`\`${text}' unsupported protocol`);
  return number;
}
