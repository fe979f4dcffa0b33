import { AF_INET, AF_INET6 } from '@keepstate/engine';
import { type Network, parseEndpoint, parseNetwork } from './address.ts';
import type { ParseWorld } from './command-line.ts';
import type { Token } from './getopt.ts';
import { markAndMask, seconds, u16, u32 } from './numbers.ts';
import type { OptionName } from './option-table.ts';
import { protocolOf } from './protocol-names.ts';
import { PROTOCOLS } from './protocol-table.ts';
import type { NatGiven, Request } from './request.ts';
import { EVENT_WORDS, OUTPUT_WORDS, parseStatus, parseWords } from './word-lists.ts';
import { ToolError, usage } from './words.ts';

function setFamily(request: Request, family: number): void {
  if (request.family !== null && request.family !== family) usage('mismatched address family');
  request.family = family;
}

/** Reads an address of the request's family. `option` where it takes no prefix length. */
function network(request: Request, text: string, option: string | null): Network {
  return parseNetwork(text, option, (family) => setFamily(request, family));
}

/**
 * A value that is not attached but the next argument, unless that is an option: as -n and --label-del take it. What is
 * attached counts as no value, and then the next argument as none either (measured).
 */
function nextWord({ following, value }: Token): string | null {
  return value !== null || following === null || following.startsWith('-') ? null : following;
}

function nat(request: Request, name: OptionName, token: Token): NatGiven {
  const text = nextWord(token);
  if (text === null) return { to: null };
  return { to: parseEndpoint(text, `--${name}`, (family) => setFamily(request, family)) };
}

type Take = (request: Request, value: string, token: Token, world: ParseWorld) => void;

/** --src and its like: a prefix length counts as --mask-src. */
function takeEnd(request: Request, end: 'src' | 'dst', value: string): void {
  const found = network(request, value, null);
  request[end] = found;
  if (found.mask === null) return;
  request[end === 'src' ? 'maskSrc' : 'maskDst'] = found.mask;
  request.given.add(`mask-${end}`);
}

/** --tuple-src: the same for expectations. */
function takeTuple(request: Request, end: 'src' | 'dst', value: string): void {
  const found = network(request, value, null);
  request[end === 'src' ? 'tupleSrc' : 'tupleDst'] = found.words;
  if (found.mask === null) return;
  request[end === 'src' ? 'maskSrc' : 'maskDst'] = found.mask;
  request.given.add(`mask-${end}`);
}

const FAMILIES: ReadonlyMap<string, number> = new Map([
  ['ipv4', AF_INET],
  ['ipv6', AF_INET6],
]);

function takeOutput(request: Request, value: string): void {
  for (const word of parseWords(value, OUTPUT_WORDS)) request.output.add(word);
  for (const alone of ['save', 'json'] as const) {
    if (request.output.has(alone) && request.output.size > 1) {
      const message = `cannot combine ${alone} output with any other output type, use -o ${alone} only`;
      throw new ToolError(message, 1);
    }
  }
}

const TAKERS: Readonly<Record<OptionName, Take>> = {
  src: (r, v) => takeEnd(r, 'src', v),
  dst: (r, v) => takeEnd(r, 'dst', v),
  'reply-src': (r, v) => {
    r.replySrc = network(r, v, '--reply-src').words;
  },
  'reply-dst': (r, v) => {
    r.replyDst = network(r, v, '--reply-dst').words;
  },
  protonum: (r, v) => {
    r.protonum = protocolOf(v);
    r.protocol = PROTOCOLS.find((p) => p.number === r.protonum) ?? null;
  },
  timeout: (r, v) => {
    r.timeout = seconds(v);
  },
  status: (r, v, _token, world) => {
    r.status = parseStatus(v, r.status, world.say);
    if (r.mark !== null) r.mark = { ...r.mark, value: r.status.bits };
  },
  zero: () => undefined,
  'event-mask': (r, v) => {
    for (const word of parseWords(v, EVENT_WORDS)) r.events.add(word);
  },
  'tuple-src': (r, v) => takeTuple(r, 'src', v),
  'tuple-dst': (r, v) => takeTuple(r, 'dst', v),
  'mask-src': (r, v) => {
    r.maskSrc = network(r, v, '--mask-src').words;
  },
  'mask-dst': (r, v) => {
    r.maskDst = network(r, v, '--mask-dst').words;
  },
  mark: (r, v) => {
    const mark = markAndMask(v);
    r.mark = { ...mark, asked: mark.value };
  },
  id: (r, v) => {
    r.id = u32(v, 0);
  },
  family: (r, v) => setFamily(r, FAMILIES.get(v) ?? usage(`\`${v}' unsupported protocol`)),
  'src-nat': (r, _v, token) => {
    r.srcNat = keepEndpoint(r.srcNat, nat(r, 'src-nat', token));
  },
  'dst-nat': (r, _v, token) => {
    r.dstNat = keepEndpoint(r.dstNat, nat(r, 'dst-nat', token));
  },
  'any-nat': (r, _v, token) => {
    r.anyNat = keepEndpoint(r.anyNat, nat(r, 'any-nat', token));
  },
  output: (r, v) => takeOutput(r, v),
  secmark: () => undefined,
  'buffer-size': (r, v) => {
    // As atol(3) reads it: what is no number is 0.
    r.bufferSize = Math.min(Number(/^\s*\+?(\d+)/.exec(v)?.[1] ?? 0), 2 ** 31 - 1);
  },
  zone: (r, v) => {
    r.zone = u16(v, 0);
  },
  'orig-zone': (r, v) => {
    r.origZone = u16(v, 0);
  },
  'reply-zone': (r, v) => {
    r.replyZone = u16(v, 0);
  },
  label: (r, v, _token, world) => {
    r.labels = [...r.labels, ...world.labels.bits(v)];
  },
  'label-add': (r, v, _token, world) => {
    r.labelAdd = [...(r.labelAdd ?? []), ...world.labels.bits(v)];
  },
  'label-del': (r, _v, token, world) => {
    world.labels.load();
    const text = nextWord(token);
    r.labelDel = text === null ? 'all' : world.labels.bits(text);
  },
};

/** A second -n without an address leaves that of the first. */
function keepEndpoint(before: NatGiven | null, now: NatGiven): NatGiven {
  return now.to === null && before !== null ? before : now;
}

/** Takes one option into the request. @throws ToolError */
export function takeOption(request: Request, name: OptionName, token: Token, world: ParseWorld): void {
  request.given.add(name);
  TAKERS[name](request, token.value ?? '', token, world);
}
