import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NftRuleset } from '../engine/nft/ruleset.ts';
import type { ListOptions } from '../engine/nft/ruleset-state.ts';
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

describe.skipIf(!realNft())('rulesets list as the real nft lists them', () => {
  describe.each(FILES)('%s', (file) => {
    const text = readFileSync(new URL(file, DIRECTORY), 'utf8');
    const commands = LISTINGS.map(([flags]) => `nft ${flags} list ruleset`);
    const jsonCommands = JSON_LISTINGS.map(([flags]) => `nft -j ${flags} list ruleset`);
    const real = realListings(text, [...commands, ...jsonCommands]);

    test.each(LISTINGS.map(([flags, options], i) => [flags, options, real[i]!] as const))(
      'as nft %s list ruleset does, byte for byte',
      (_flags, options, listing) => {
        expect(comparable(loaded(file, text).list(options))).toEqual(comparable(listing));
      },
    );

    test.each(
      JSON_LISTINGS.map(([flags, options], i) => [flags, options, real[LISTINGS.length + i]!] as const),
    )('as nft -j %s list ruleset does, byte for byte', (_flags, options, listing) => {
      const json = loaded(file, text).listJson(options);
      expect(objectsOf(json)).toEqual(objectsOf(listing));
      expect(comparable(`${json}\n`)).toEqual(comparable(listing));
    });

    // nft 1.0.6 itself does not read everything that it lists; what it does not stands in a file of its own.
    test.runIf(!file.startsWith('quirks'))('and what is listed loads again and lists the same', () => {
      const first = loaded(file, text).list({ stateless: true });
      expect(loaded(file, first).list({ stateless: true })).toBe(first);
    });
  });
});
