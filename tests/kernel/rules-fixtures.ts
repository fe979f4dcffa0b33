/** The rulesets of tests/rulesets, with packets for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Dice } from '../traffic/dice.ts';
import { PacketGenerator } from './rules-gen-packet.ts';
import type { RulePacket, Source } from './rules-types.ts';

const DIRECTORY: string = fileURLToPath(new URL('../rulesets', import.meta.url));
const PACKETS = 300;

/** A ruleset that a real tool made. */
export interface Fixture {
  /** File and loading command. */
  readonly name: string;
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
}

const LOADERS: Readonly<Record<string, readonly [4 | 6 | 46, readonly Source['kind'][]]>> = {
  rules: [4, ['iptables-legacy', 'iptables-nft']],
  rules6: [6, ['ip6tables-legacy', 'ip6tables-nft']],
  nft: [46, ['nft']],
};

/** All of them, iptables' once for each backend. */
export function fixtures(): Fixture[] {
  const files = readdirSync(DIRECTORY);
  const read = (name: string): string => readFileSync(`${DIRECTORY}/${name}`, 'utf8');
  return files.flatMap((file) => {
    const [base, suffix] = file.split('.') as [string, string];
    const loader = LOADERS[suffix];
    if (loader === undefined) return [];
    const sets: Source[] =
      suffix === 'rules' && files.includes(`${base}.ipset`)
        ? [{ kind: 'ipset', text: read(`${base}.ipset`) }]
        : [];
    const text = read(file);
    return loader[1].map((kind) => ({
      name: `${file} by ${kind}`,
      sources: [...sets, { kind, text }],
      // Other fragments for each: those of an earlier run wait in the kernel for half a minute.
      packets: new PacketGenerator(new Dice(seedOf(`${file} ${kind}`)), loader[0], text).take(PACKETS),
    }));
  });
}

function seedOf(name: string): number {
  return Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, 7);
}

/** The same without its NAT rules, which keepstate does not carry out yet: what is left decides alike. */
export function withoutNat({ name, sources, packets }: Fixture): Fixture {
  const plain = sources.map(({ kind, text }) => ({
    kind,
    text: kind.startsWith('nft')
      ? text.replace(/^.*\b(?:masquerade|snat|dnat|redirect)\b(?! [+-]|;).*\n/gm, (line) =>
          line.includes('chain ') || line.includes('type nat') ? line : '',
        )
      : text.replace(/^\*nat\n[\s\S]*?^COMMIT\n/gm, ''),
  }));
  return { name, sources: plain, packets };
}
