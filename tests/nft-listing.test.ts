import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { NftRuleset } from '../engine/nft/ruleset.ts';
import type { ListOptions } from '../engine/nft/ruleset-state.ts';
import { keepResults, shows } from './features/record.ts';
import { realListings, realNft } from './nft-listing/real.ts';

/** The options of nft's listing and ours. */
const LISTINGS: readonly (readonly [flags: string, options: ListOptions])[] = [
  ['', {}],
  ['-s', { stateless: true }],
  ['-n', { numeric: true }],
  ['-y', { numericPriority: true }],
  ['-t', { terse: true }],
  ['-S', { services: true }],
  ['-p', { numericProtocol: true }],
  ['-T', { numericTime: true }],
  ['-u', { guid: true }],
  ['-a', { handles: true }],
];

/** Those that change JSON. */
const JSON_LISTINGS = LISTINGS.filter(([flags]) => ['', '-s', '-n', '-t', '-S', '-p', '-u'].includes(flags));

const DIRECTORY = new URL('./nft-listing/', import.meta.url);
const FILES = readdirSync(DIRECTORY).filter((file) => file.endsWith('.nft'));

const LOADED = new Map<string, NftRuleset>();

/** A corpus in keepstate, loaded once. */
function corpus(file: string, text: string): NftRuleset {
  const ruleset = LOADED.get(file) ?? loaded(file, text);
  LOADED.set(file, ruleset);
  return ruleset;
}

function loaded(file: string, text: string): NftRuleset {
  const ruleset = new NftRuleset();
  const errors = ruleset.load({ name: file, text });
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('\n'));
  return ruleset;
}

/**
 * Without the time that an element has left, which runs while the listing is made, and without the flags of tables in
 * JSON, where nft 1.0.6 prints memory that is not its own.
 */
function comparable(listing: string): string[] {
  return listing
    .replaceAll(/ expires [0-9dhms]+/g, ' expires LEFT')
    .replaceAll(/"expires": ?\d+/g, '"expires": LEFT')
    .replaceAll(/("table": ?\{[^}]*"flags": ?)"[^"]*"/g, '$1FLAGS')
    .split('\n');
}

/** JSON, a line for each object. */
function objectsOf(json: string): string[] {
  const { nftables } = JSON.parse(json) as { nftables: object[] };
  return nftables.flatMap((object) => comparable(JSON.stringify(object)));
}

const USABLE = realNft();

describe.skipIf(!USABLE)('rulesets list as the real nft lists them', () => {
  afterAll(() => keepResults('nft-listing'));
  describe.each(FILES)('%s', (file) => {
    const text = readFileSync(new URL(file, DIRECTORY), 'utf8');
    const commands = LISTINGS.map(([flags]) => `nft ${flags} list ruleset`);
    const jsonCommands = JSON_LISTINGS.map(([flags]) => `nft -j ${flags} list ruleset`);
    // Also what is skipped is run through to collect its tests.
    const real = USABLE ? realListings(text, [...commands, ...jsonCommands]) : [];

    test.each(LISTINGS.map(([flags, options], i) => [flags, options, real[i]!] as const))(
      'as nft %s list ruleset does, byte for byte',
      (flags, options, listing) => {
        expect(comparable(corpus(file, text).list(options))).toEqual(comparable(listing));
        if (flags === '') shows('listed', 'nft', text);
      },
    );

    test.each(
      JSON_LISTINGS.map(([flags, options], i) => [flags, options, real[LISTINGS.length + i]!] as const),
    )('as nft -j %s list ruleset does, byte for byte', (_flags, options, listing) => {
      const json = corpus(file, text).listJson(options);
      expect(objectsOf(json)).toEqual(objectsOf(listing));
      expect(comparable(`${json}\n`)).toEqual(comparable(listing));
    });

    // nft 1.0.6 itself does not read everything that it lists; what it does not stands in files of their own.
    if (file.startsWith('quirks')) return;
    test('and what is listed loads again and lists as nft lists it then', () => {
      const again =
        'nft -s list ruleset > "$RULES"; nft flush ruleset; nft -f "$RULES" && nft -s list ruleset';
      const [second] = realListings(text, [again]);
      const first = corpus(file, text).list({ stateless: true });
      expect(loaded(file, first).list({ stateless: true }).split('\n')).toEqual(second!.split('\n'));
    });
  });
});
