/** Scenarios of translated flows as text: what is sent, and behind `=>` what leaves or is delivered. */
import { describe, expect, test } from 'vitest';
import { compareNat, engineNatView, natReport } from './nat-compare.ts';
import { parse } from './nat-packet.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import type { RuleKernel } from './rules-oracle.ts';
import { NAMES, say } from './rules-say.ts';
import type { RulePacket, Source } from './rules-types.ts';

/** A ruleset, and a conversation. */
export interface NatScenario {
  /** A sentence: what is so. */
  readonly name: string;
  readonly sources: readonly Source[];
  /**
   * Lines as `say` reads them without the verdict, then `=>` and what becomes of the packet: `SRC PORT > DST PORT`,
   * `SRC > DST id N`, `SRC > DST about SRC PORT > DST PORT`, or `nothing`; several parted by `+`. With `=> unsent` it is not sent, and only quoted by
   * others: as it looks behind the translation.
   */
  readonly packets: string;
}

const NOW = 1_700_000_000_000;
const WITH_PORTS: readonly number[] = [6, 17, 132, 136];

function nameOf(address: string): string {
  return Object.entries(NAMES).find(([, known]) => known === address)?.[0] ?? address;
}

/** Who speaks to whom in a packet, given as hex. */
export function ends(hex: string): string {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  const packet = parse(bytes);
  if (packet === null || (!packet.v6 && bytes[7]! > 0)) return 'fragment';
  const { src, dst, proto, body, v6 } = packet;
  const number = (at: number): number => (body[at]! << 8) | body[at + 1]!;
  if (WITH_PORTS.includes(proto)) return `${nameOf(src)} ${number(0)} > ${nameOf(dst)} ${number(2)}`;
  const both = `${nameOf(src)} > ${nameOf(dst)}`;
  if (proto !== (v6 ? 58 : 1)) return both;
  const isError = v6 ? body[0]! < 128 : [3, 4, 5, 11, 12].includes(body[0]!);
  if (!isError) return `${both} id ${number(4)}`;
  // The quoted packet begins with a TTL of its own and so on: only its ends count here.
  return `${both} about ${ends(Buffer.from(body.subarray(8)).toString('hex'))}`;
}

/** One packet with what is said of it. */
export interface Line {
  readonly packet: RulePacket;
  readonly text: string;
  readonly becomes: string;
}

/** Reads the packets of a {@link NatScenario}. */
export function linesOf(text: string): Line[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const said = say(lines.map((line) => `accept ${line.split('=>')[0]}`).join('\n'));
  const made = said.map(({ packet, line }, i) => {
    const [own, becomes] = lines[line]!.split('=>').map((part) => part.trim()) as [string, string];
    // A line may be several fragments: only the last becomes anything.
    return { packet, text: own, becomes: said[i + 1]?.line === line ? 'nothing' : becomes };
  });
  return made.filter(({ becomes }) => becomes !== 'unsent');
}

/** What keepstate makes of a scenario's packets. */
function played(sources: readonly Source[], lines: readonly Line[]): string[] {
  const rules = new EngineRules();
  for (const source of sources) expect(rules.load(source).map(String)).toEqual([]);
  const engine = new EngineRun(rules.tables());
  let now = NOW;
  return lines.map(({ packet, text }) => {
    now += packet.waitMs ?? 0;
    engine.play(packet, now);
    const { left, delivered } = engineNatView(engine);
    const out = [...left, ...delivered].map(ends);
    return `${text} => ${out.length === 0 ? 'nothing' : [...new Set(out)].sort().join(' + ')}`;
  });
}

/** Makes the tests: what is written down is what keepstate does, and the kernel does the same to the last byte. */
export function natScenarios(
  title: string,
  kernel: () => RuleKernel,
  scenarios: readonly NatScenario[],
): void {
  describe(title, () => {
    test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
      '%s',
      async (_name, { sources, packets }) => {
        const lines = linesOf(packets);
        const nat = { sources, packets: lines.map(({ packet }) => packet) };
        await kernel().reset();
        const found = await compareNat(kernel(), nat);
        expect(found.length === 0 ? '' : natReport(nat, found)).toBe('');
        expect(played(sources, lines)).toEqual(lines.map(({ text, becomes }) => `${text} => ${becomes}`));
      },
    );
  });
}

/** An nft ruleset of one table, with a chain of type nat at each hook that is given. */
export function natTable(
  family: string,
  chains: { pre?: string; post?: string; out?: string; in?: string },
  more = '',
): Source[] {
  const chain = (hook: string, priority: string, rules: string | undefined): string =>
    rules === undefined ? '' : `chain ${hook} {\ntype nat hook ${hook} priority ${priority}\n${rules}\n}\n`;
  const text = [
    chain('prerouting', 'dstnat', chains.pre),
    chain('postrouting', 'srcnat', chains.post),
    chain('output', '-100', chains.out),
    chain('input', '100', chains.in),
  ].join('');
  return [{ kind: 'nft', text: `table ${family} t {\n${text}${more}}\n` }];
}

/** iptables rules of table nat. */
export function natXt(kind: Source['kind'], rules: string, more = ''): Source[] {
  return [{ kind, text: `*nat\n${rules}\nCOMMIT\n${more}` }];
}
