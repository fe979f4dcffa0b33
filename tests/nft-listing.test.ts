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

const DIRECTORY = new URL('./nft-listing/', import.meta.url);
const FILES = readdirSync(DIRECTORY).filter((file) => file.endsWith('.nft'));

function loaded(file: string, text: string): NftRuleset {
  const ruleset = new NftRuleset();
  const errors = ruleset.load({ name: file, text });
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('\n'));
  return ruleset;
}

/** The time that an element has left runs while the listing is made. */
function comparable(listing: string): string[] {
  return listing
    .replaceAll(/ expires [0-9dhms]+/g, ' expires LEFT')
    .replaceAll(/"expires": \d+/g, '"expires": LEFT')
    .split('\n');
}

/** JSON, a line for each object. */
function objectsOf(json: string): string[] {
  const { nftables } = JSON.parse(json) as { nftables: object[] };
  return nftables.map((object) => JSON.stringify(object).replaceAll(/"expires":\d+/g, '"expires":LEFT'));
}

describe.skipIf(!realNft())('rulesets list as the real nft lists them', () => {
  describe.each(FILES)('%s', (file) => {
    const text = readFileSync(new URL(file, DIRECTORY), 'utf8');
    const commands = [...LISTINGS.map(([flags]) => `nft ${flags} list ruleset`), 'nft -j list ruleset'];
    const real = realListings(text, commands);

    test.each(LISTINGS.map(([flags, options], i) => [flags, options, real[i]!] as const))(
      'as nft %s list ruleset does, byte for byte',
      (_flags, options, listing) => {
        expect(comparable(loaded(file, text).list(options))).toEqual(comparable(listing));
      },
    );

    test('as nft -j list ruleset does, byte for byte', () => {
      const json = loaded(file, text).listJson();
      const listing = real.at(-1)!;
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
