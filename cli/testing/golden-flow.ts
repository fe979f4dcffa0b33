import { type FlowRecord, ips, type TupleRecord } from '@keepstate/engine';

/** The moment that goldens without a time of their own were taken at, for tests. */
export const NOW = 1_795_229_509_000;

const PORT_KEYS = ['sport', 'dport', 'type', 'code', 'id', 'srckey', 'dstkey'] as const;

interface Half {
  src: string;
  dst: string;
  zone: number;
  packets: number | null;
  bytes: number;
  fields: Record<string, number>;
}

function tupleOf(half: Half): TupleRecord {
  return { src: half.src, dst: half.dst, ...half.fields };
}

function halvesOf(words: readonly string[]): { halves: Half[]; rest: Map<string, string> } {
  const halves: Half[] = [];
  const rest = new Map<string, string>();
  for (const word of words) {
    const [key = '', value = ''] = word.split('=');
    const half = halves.at(-1);
    if (key === 'src') halves.push({ src: value, dst: '', zone: 0, packets: null, bytes: 0, fields: {} });
    else if (half === undefined) continue;
    else if (key === 'dst') half.dst = value;
    else if (key === 'packets') half.packets = Number(value);
    else if (key === 'bytes') half.bytes = Number(value);
    else if (key === 'zone-orig' || key === 'zone-reply') half.zone = Number(value);
    // ICMP's id stands in a tuple, the flow's behind everything.
    else if (key === 'id' && (half.fields.type === undefined || half.fields.id !== undefined))
      rest.set(key, value);
    else if (PORT_KEYS.some((k) => k === key)) half.fields[key] = Number(value);
    else rest.set(key, value);
  }
  return { halves, rest };
}

/**
 * The flow that a line of conntrack -L or -E, as captured from the real tool, tells of: tests print it again and
 * compare.
 * @param line without the event's prefix and time
 */
export function goldenFlow(line: string): FlowRecord {
  const words = line.replace(/\[(start|stop)=[^\]]*\]/g, '').split(/\s+/);
  const extended = words[0] === 'ipv4' || words[0] === 'ipv6';
  const [protocol = '', number = '', ...after] = extended ? words.slice(2) : words;
  const timed = /^\d+$/.test(after[0] ?? '');
  const state = after[timed ? 1 : 0] ?? '';
  const { halves, rest } = halvesOf(after);
  const [original, reply] = halves as [Half, Half];
  const zone = Number(rest.get('zone') ?? 0);
  const delta = rest.get('delta-time');
  const id = rest.get('id');
  return {
    flowId: Number(id ?? 0),
    family: original.src.includes(':') ? 10 : 2,
    protonum: Number(number),
    protocol,
    state: /^[A-Z]/.test(state) ? state : null,
    timeout: timed ? Number(after[0]) * 1000 + 999 : 0,
    original: tupleOf(original),
    reply: tupleOf(reply),
    status:
      ips.IPS_CONFIRMED |
      (line.includes('[UNREPLIED]') ? 0 : ips.IPS_SEEN_REPLY) |
      (line.includes('[ASSURED]') ? ips.IPS_ASSURED : 0) |
      (line.includes('[OFFLOAD]') ? ips.IPS_OFFLOAD : 0),
    mark: Number(rest.get('mark') ?? 0),
    zoneOriginal: original.zone || zone,
    zoneReply: reply.zone || zone,
    master: null,
    helper: rest.get('helper') ?? null,
    uses: Number(rest.get('use') ?? 1),
    counters:
      original.packets === null
        ? null
        : {
            original: { packets: original.packets, bytes: original.bytes },
            reply: { packets: reply.packets ?? 0, bytes: reply.bytes },
          },
    start: delta === undefined ? null : NOW - Number(delta) * 1000,
  };
}
