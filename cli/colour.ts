/** When to colour: `auto` is on a terminal only. */
export type ColourChoice = 'auto' | 'always' | 'never';

/** What decides besides the choice. */
export interface ColourPlace {
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Whether to colour: what --color says; left to `auto`, on a terminal that is not dumb and only where the
 * environment has no NO_COLOR (no-color.org: any value that is not empty).
 */
export function wantsColour(choice: ColourChoice, place: ColourPlace): boolean {
  if (choice !== 'auto') return choice === 'always';
  return place.isTTY && !place.env.NO_COLOR && place.env.TERM !== 'dumb';
}

/** Colours by their use. Of ANSI's eight only, so that every terminal's own palette is respected. */
const CODES = { good: 32, bad: 31, notable: 33, related: 35, faint: 90 } as const;

/** What a colour stands for. */
export type Colour = keyof typeof CODES;

/** Text in a colour; the text itself if `on` is false. */
export function coloured(text: string, colour: Colour | null, on: boolean): string {
  return on && colour !== null ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}
