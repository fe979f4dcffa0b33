import type { Replaced, Rewritten } from '../rewritten.ts';

/** So much of a line is shown, or of bytes in hex. */
const SHOWN = 160;

function shown(text: string, hex: boolean): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  // A tab is all that is in a text and no letter.
  return hex ? cut : `"${cut.replaceAll('\t', ' ')}"`;
}

function replacedText({ from, to, hex }: Replaced): string {
  const bytes = hex ? 'bytes ' : '';
  return `${bytes}${shown(from, hex)} -> ${shown(to, hex)}`;
}

const signed = (number: number): string => (number > 0 ? `+${number}` : String(number));

/**
 * What a helper did to a packet, a line each: `helper ftp: "PORT 10,0,0,1,4,1" -> "PORT 192,0,2,1,4,1"`.
 * @param isTcp whether the payload is part of a stream, whose sequence numbers move with it
 */
export function rewrittenLines({ helper, replaced, longer, seq, ack }: Rewritten, isTcp: boolean): string[] {
  const who = helper === null ? 'payload' : `helper ${helper}`;
  const lines = replaced.map((one) => `${who}: ${replacedText(one)}`);
  if (isTcp && longer !== 0) lines.push(`${who}: sequence numbers of what follows: ${signed(longer)}`);
  const moved = [seq === 0 ? [] : `seq ${signed(seq)}`, ack === 0 ? [] : `ack ${signed(ack)}`].flat();
  if (moved.length > 0) lines.push(`${who}: sequence numbers adjusted: ${moved.join(', ')}`);
  return lines;
}
