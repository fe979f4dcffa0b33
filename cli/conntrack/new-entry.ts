import { AF_INET, type TupleRecord } from '@keepstate/engine';
import { type Words, wordsText } from './address.ts';
import type { Field } from './protocol-table.ts';
import type { NatGiven, Request } from './request.ts';
import type { Change, Entry, NatTo, NewEntry, NewExpectation } from './table.ts';
import { answerType, portKind } from './tuple.ts';

type Part = 'original' | 'reply' | 'mask' | 'tuple';
const NAMES = {
  port: ['sport', 'dport'],
  key: ['srckey', 'dstkey'],
  icmp: ['type', 'code', 'id'],
  none: [],
} as const;

/** The fields of one tuple of a request behind its addresses; 0 where an original's (or ICMP's) were not given (measured). */
export function portsOf(request: Request, part: Part): Omit<TupleRecord, 'src' | 'dst'> {
  const kind = portKind(request.protonum ?? 0);
  const found: Record<string, number> = {};
  for (const name of NAMES[kind]) {
    const value =
      request.fields.get(`${part}.${name}` as Field) ??
      (part === 'original' || kind === 'icmp' ? 0 : undefined);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** TCP and UDP. */
const WITH_PORT: readonly (number | null)[] = [6, 17];

/** Measured: the port of a translation is sent for TCP and UDP alone; of others it is not heeded. */
function natTo(given: NatGiven | null, protonum: number | null): NatTo | null {
  if (given === null || given.to === null) return null;
  return { address: wordsText(given.to.words), port: WITH_PORT.includes(protonum) ? given.to.port : null };
}

const text = (words: Words | null | undefined): string => (words == null ? '' : wordsText(words));

/**
 * The reply tuple that a request asks for, null if it leaves that to the table. Where only one of its addresses is
 * given, that of a translation is the other (as in what -o save prints).
 */
function replyOf(request: Request): TupleRecord | null {
  const { replySrc, replyDst, srcNat, dstNat } = request;
  if (replySrc === null && replyDst === null) return null;
  const src = text(replySrc ?? dstNat?.to?.words);
  const dst = text(replyDst ?? srcNat?.to?.words);
  const ports = portKind(request.protonum ?? 0) === 'icmp' ? null : portsOf(request, 'reply');
  return { src, dst, ...ports };
}

/** ICMP's reply has the type that answers the original's. */
function withAnswer(reply: TupleRecord | null, request: Request): TupleRecord | null {
  const { type, code, id } = portsOf(request, 'original');
  if (reply === null || type === undefined || portKind(request.protonum ?? 0) !== 'icmp') return reply;
  return { ...reply, type: answerType(request.protonum ?? 0, type) ?? type, code: code ?? 0, id: id ?? 0 };
}

/**
 * Measured: beside an original tuple one port or key of the reply is enough where there are any; the other, and a missing
 * address, are 0.
 */
function completed(reply: TupleRecord | null, request: Request): TupleRecord | null {
  const names = NAMES[portKind(request.protonum ?? 0)].slice(0, 2);
  if (reply === null) return null;
  if (names.length > 0 && !names.some((name) => reply[name] !== undefined)) return reply;
  const zeros = Object.fromEntries(names.map((name) => [name, 0]));
  const nobody = request.family === AF_INET ? '0.0.0.0' : '::';
  return { ...zeros, ...reply, src: reply.src || nobody, dst: reply.dst || nobody };
}

function vtagsOf({ fields }: Request): Entry['vtags'] {
  const original = fields.get('vtag.original');
  const reply = fields.get('vtag.reply');
  return original === undefined || reply === undefined ? null : { original, reply };
}

/** The flow that -I or -A asks for. */
export function newEntry(request: Request): NewEntry {
  const { src, dst, fields, mark } = request;
  const both = src !== null && dst !== null;
  return {
    family: request.family ?? AF_INET,
    protonum: request.protonum ?? 0,
    original: both
      ? { src: wordsText(src.words), dst: wordsText(dst.words), ...portsOf(request, 'original') }
      : null,
    reply: both ? completed(withAnswer(replyOf(request), request), request) : replyOf(request),
    timeout: request.timeout ?? 0,
    status: request.status?.bits ?? 0,
    mark: mark?.value ?? 0,
    zone: request.zone,
    zoneOriginal: request.origZone,
    zoneReply: request.replyZone,
    state: fields.get('state') ?? null,
    vtags: vtagsOf(request),
    labels: request.labelAdd ?? [],
    srcNat: natTo(request.srcNat, request.protonum),
    dstNat: natTo(request.dstNat, request.protonum),
    fromNat: {
      src: request.replySrc === null && request.replyDst !== null && request.dstNat?.to != null,
      dst: request.replyDst === null && request.replySrc !== null && request.srcNat?.to != null,
    },
  };
}

/** What -U changes in a flow; an empty change if it has all that already. */
export function changeOf(request: Request, entry: Entry, stateName: string | null): Change {
  const { timeout, status, mark, fields, labelAdd, labelDel } = request;
  const change: { -readonly [K in keyof Change]: Change[K] } = {};
  if (timeout !== null && Math.floor(entry.timeout / 1000) !== timeout) change.timeout = timeout;
  if (status !== null && (entry.status & status.bits) !== status.bits) change.status = status.bits;
  if (mark !== null) {
    const value = ((entry.mark & ~mark.mask) ^ mark.value) >>> 0;
    if (value !== entry.mark) change.mark = value;
  }
  if (stateName !== entry.state && stateName !== null) change.state = fields.get('state')!;
  const labels = labelsOf(entry.labels, labelAdd, labelDel);
  // A label that is set or cleared again counts as a change, unless there is none to clear (measured).
  if (labelAdd !== null || (labelDel !== null && entry.labels.length > 0)) change.labels = labels;
  const original = fields.get('vtag.original') ?? null;
  const reply = fields.get('vtag.reply') ?? null;
  const other =
    (original ?? entry.vtags?.original) !== entry.vtags?.original ||
    (reply ?? entry.vtags?.reply) !== entry.vtags?.reply;
  if (other || (original !== null && reply !== null)) change.vtags = { original, reply };
  return change;
}

function labelsOf(
  before: readonly number[],
  add: readonly number[] | null,
  del: readonly number[] | 'all' | null,
): readonly number[] {
  if (del === 'all') return [];
  const all = [...new Set([...before, ...(add ?? [])])];
  return del === null ? all : all.filter((bit) => !del.includes(bit));
}

/** The expectation that -I expect asks for. */
export function newExpectation(request: Request): NewExpectation {
  const tuple = (src: Words | null | undefined, dst: Words | null | undefined, part: Part): TupleRecord => ({
    src: text(src),
    dst: text(dst),
    ...portsOf(request, part),
  });
  return {
    family: request.family ?? AF_INET,
    protonum: request.protonum ?? 0,
    tuple: tuple(request.tupleSrc, request.tupleDst, 'tuple'),
    mask: tuple(request.maskSrc, request.maskDst, 'mask'),
    master: tuple(request.src?.words, request.dst?.words, 'original'),
    timeout: request.timeout ?? 0,
  };
}
