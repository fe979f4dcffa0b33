/** Packets and rulesets of scenarios, as short text. */
import { fragmentIpv4, fragmentIpv6 } from '../../engine/packet/build-fragment.ts';
import { icmp, icmpError } from '../../engine/packet/build-icmp.ts';
import { icmpv6, icmpv6Error, icmpv6Redirect } from '../../engine/packet/build-icmpv6.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import { sctp, sctpData, sctpInit } from '../../engine/packet/build-sctp.ts';
import { tcp } from '../../engine/packet/build-tcp.ts';
import { udp } from '../../engine/packet/build-udp.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN, TH_URG } from '../../engine/packet/tcp.ts';
import type { Entry, RulePacket, Source } from './rules-types.ts';
import { HOST4, HOST6 } from './rules-world.ts';

/** Who takes part; the namespace is rules-namespace-links.ts's. */
export const NAMES: Readonly<Record<string, string>> = {
  inside: '192.168.1.5',
  inside2: '192.168.1.6',
  lan: '10.1.2.3',
  gate: '192.168.1.1',
  outside: '198.51.100.7',
  outside2: '198.51.100.8',
  near: '203.0.113.9',
  host: '203.0.113.1',
  host2: '203.0.113.2',
  inside6: 'fd00:1::5',
  net6: 'fd00:2::80',
  gate6: 'fd00:1::1',
  outside6: '2001:db8:5::1',
  other6: '2001:db8:5::2',
  host6: '2001:db8:1::1',
};
const FLAGS: Readonly<Record<string, number>> = {
  syn: TH_SYN,
  ack: TH_ACK,
  fin: TH_FIN,
  rst: TH_RST,
  psh: TH_PUSH,
  urg: TH_URG,
  none: 0,
};

/** One packet with the verdict it must get. */
export interface Said {
  readonly verdict: string;
  readonly text: string;
  /** Which line it is, from 0. */
  readonly line: number;
  readonly packet: RulePacket;
}

type Options = Readonly<Record<string, string>>;

const address = (name: string): string => NAMES[name] ?? name;

function entry(src: string): Entry {
  if (HOST4.includes(src) || HOST6.includes(src)) return 'host';
  return /^(192\.168\.|10\.|fd)/.test(src) ? 'eth1' : 'eth0';
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function flagsOf(word: string): number {
  return word.split(',').reduce((flags, flag) => flags | FLAGS[flag]!, 0);
}

function optionsOf(words: readonly string[]): Options {
  return Object.fromEntries(words.map((word) => word.split(/=(.*)/s, 2)));
}

/** Words behind the protocol: flags or a type, `SRC [PORT] > DST [PORT]`, options. */
interface Parts {
  readonly kind: string;
  readonly what: string;
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly options: Options;
}

function partsOf(text: string): Parts {
  const words = text.trim().split(/\s+/);
  const options = optionsOf(words.filter((word) => word.includes('=')));
  const plain = words.filter((word) => !word.includes('='));
  const at = plain.indexOf('>');
  if (at < 0) throw new Error(`no > in '${text}'`);
  const kind = plain[0]!;
  const first = kind === 'udp' || kind === 'sctp' ? 1 : 2;
  return {
    kind,
    what: first === 2 ? plain[1]! : '',
    src: address(plain[first]!),
    dst: address(plain[at + 1]!),
    sport: Number(plain[first + 1]),
    dport: Number(plain[at + 2]),
    options,
  };
}

function payloadOf(options: Options): Uint8Array | number {
  return options.text === undefined ? (number(options.len) ?? 0) : new TextEncoder().encode(options.text);
}

function tcpBytes({ src, dst, sport, dport, what, options }: Parts): Uint8Array {
  const { seq = '100', ack, mss } = options;
  return tcp({
    src,
    dst,
    sport,
    dport,
    flags: flagsOf(what),
    seq: Number(seq),
    ack: number(ack) ?? 0,
    payload: payloadOf(options),
    options: mss === undefined ? {} : { mss: Number(mss) },
  });
}

function payload(parts: Parts, before: readonly Uint8Array[]): readonly [number, Uint8Array] {
  const { kind, what, src, dst, sport, dport, options } = parts;
  const [type, code = 0] = what.split('/').map(Number) as [number, number?];
  const v6 = src.includes(':');
  switch (kind) {
    case 'tcp':
      return [6, tcpBytes(parts)];
    case 'udp':
      return [17, udp({ src, dst, sport, dport, payload: payloadOf(options) })];
    case 'sctp': {
      const chunk = options.data === undefined ? sctpInit({ tag: 7 }) : sctpData(4);
      return [132, sctp({ sport, dport, vtag: number(options.data) ?? 0, chunks: [chunk] })];
    }
    case 'icmp': {
      const fields = { type, code, id: number(options.id) ?? 5, seq: 1, payload: number(options.len) ?? 8 };
      return v6 ? [58, icmpv6({ src, dst, ...fields })] : [1, icmp(fields)];
    }
    case 'error': {
      const fields = {
        type,
        code,
        quoted: before[Number(options.about)]!.subarray(0, number(options.quote)),
      };
      return v6 ? [58, icmpv6Error({ src, dst, ...fields })] : [1, icmpError(fields)];
    }
    case 'redirect':
      return [
        58,
        icmpv6({
          src,
          dst,
          ...icmpv6Redirect({ target: src, destination: dst, quoted: before[Number(options.about)]! }),
        }),
      ];
    default:
      return [type, new Uint8Array(Number(options.len ?? 8))];
  }
}

function beforeOf({ before }: Options): { before?: readonly string[] } {
  return before === undefined ? {} : { before: before.split('+') };
}

/** A packet in pieces, the last first if `order` says so. */
function fragments(bytes: Uint8Array, { size, order }: Options): Uint8Array[] {
  const pieces = (bytes[0]! >> 4 === 4 ? fragmentIpv4 : fragmentIpv6)(bytes, Number(size));
  return order === 'back' ? pieces.reverse() : pieces;
}

/**
 * Reads packets, one a line: the verdict, then `tcp FLAGS SRC PORT > DST PORT`, `udp SRC PORT > DST PORT`, `sctp …`,
 * `icmp TYPE[/CODE] SRC > DST`, `error TYPE/CODE SRC > DST about=N` (of the Nth packet, from 0; `quote=28` of its first bytes), `proto N SRC > DST`,
 * `redirect 137/0 SRC > DST about=N` (of IPv6).
 * Options behind: ttl, tos, len, text, seq, ack, mss, id, wait (ms), from (eth0, eth1, host), size (of fragments: the
 * line becomes several packets, of which only the last has the verdict, those before it `drop`: they wait), order=back
 * (the last piece first), before (a command that is run first, its words parted by +).
 */
export function say(lines: string): Said[] {
  const bytes: Uint8Array[] = [];
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .flatMap((line, index) => {
      const [verdict, ...rest] = line.split(/\s+/);
      const parts = partsOf(rest.join(' '));
      const { src, dst, options } = parts;
      const [proto, body] = payload(parts, bytes);
      const id = number(options.ipid) ?? 1;
      const made = ipPacket(
        { src, dst, ip: { ttl: number(options.ttl), tos: number(options.tos), id } as object },
        proto,
        body,
      );
      bytes.push(made);
      const from = (options.from as Entry | undefined) ?? entry(src);
      const waitMs = number(options.wait) ?? 0;
      const pieces = options.size === undefined ? [made] : fragments(made, options);
      return pieces.map((piece, i) => ({
        verdict: i === pieces.length - 1 ? verdict! : 'drop',
        text: line,
        line: index,
        packet: { bytes: piece, from, waitMs, ...(i === 0 ? beforeOf(options) : {}) },
      }));
    });
}

/** Restore text: rules of the filter table, or as it stands if it names tables. */
export function xt(lines: string): string {
  const text = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
  return text.startsWith('*') ? `${text}\n` : `*filter\n${text}\nCOMMIT\n`;
}

/** Rules in one chain of an inet table, at a hook with priority filter; or a whole ruleset if it names tables. */
export function nft(text: string, hook: string): string {
  if (/^\s*(table|define|add|create|#)/.test(text)) return `${text.replace(/\}(?= *\})/g, '}\n')}\n`;
  const [, objects = '', rules = text] = /^([\s\S]*?)---\n([\s\S]*)$/.exec(text) ?? [];
  return `table inet t {\n${objects}\nchain c {\ntype filter hook ${hook} priority 0\n${rules}\n}\n}\n`;
}

/** A ruleset in one or several languages, one after the other. */
export function sources(...list: readonly (readonly [Source['kind'], string])[]): Source[] {
  return list.map(([kind, text]) => ({ kind, text }));
}
