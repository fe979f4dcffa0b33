import { type ExpectRecord, ips, TCP_STATE_NAMES, type TupleRecord } from '@keepstate/engine';
import { addressWords, sameUnder, type Words, wordsText } from './address.ts';
import { translated } from './nat-status.ts';
import type { OptionName } from './option-table.ts';
import type { Field } from './protocol-table.ts';
import { SCTP_STATES } from './protocol-table.ts';
import type { NatGiven, Request } from './request.ts';
import type { Entry } from './table.ts';
import { portWords } from './tuple.ts';

/** The name of a protocol's state by its number, null where there is none. */
export function stateName(protonum: number, state: number): string | null {
  if (protonum === 6) return TCP_STATE_NAMES[state] ?? null;
  return protonum === 132 ? (SCTP_STATES[state] ?? null) : null;
}

function endMatches(text: string, wanted: Words | null, mask: Words | null): boolean {
  if (wanted === null) return true;
  const words = addressWords(text);
  return words !== null && sameUnder(words, wanted, mask);
}

type TupleField = 'sport' | 'dport' | 'srckey' | 'dstkey' | 'type' | 'code' | 'id';

/**
 * A field that a flow does not have counts as 0. The keys of GRE are not looked at: measured in 1.4.7, where
 * -p gre --srckey 5 is about every GRE flow.
 */
function fieldMatches(entry: Entry, field: Field, value: number): boolean {
  const [part, name] = field.split('.') as [string, TupleField];
  if ((part !== 'original' && part !== 'reply') || name === 'srckey' || name === 'dstkey') return true;
  const tuple: TupleRecord = entry[part];
  return (tuple[name] ?? 0) === value;
}

function addressesMatch(request: Request, entry: Entry): boolean {
  const { original, reply } = entry;
  return (
    endMatches(original.src, request.src?.words ?? null, request.maskSrc) &&
    endMatches(original.dst, request.dst?.words ?? null, request.maskDst) &&
    endMatches(reply.src, request.replySrc, null) &&
    endMatches(reply.dst, request.replyDst, null)
  );
}

/** A zone of both directions is no zone of one of them, and the other way around. */
function zonesMatch({ zone, origZone, replyZone }: Request, entry: Entry): boolean {
  const both = entry.zoneOriginal === entry.zoneReply;
  if (zone !== null && (both ? entry.zoneOriginal : 0) !== zone) return false;
  if (origZone !== null && (both ? 0 : entry.zoneOriginal) !== origZone) return false;
  return replyZone === null || (both ? 0 : entry.zoneReply) === replyZone;
}

function natMatches(entry: Entry, given: NatGiven | null, kind: 'src' | 'dst'): boolean {
  if (given === null) return true;
  const found = translated(entry);
  const address = kind === 'src' ? found.src : found.dst;
  const port = kind === 'src' ? found.srcPort : found.dstPort;
  if (given.to === null) return address || port;
  const { reply } = entry;
  if (!address || (kind === 'src' ? reply.dst : reply.src) !== wordsText(given.to.words)) return false;
  return given.to.port === null || (port && (kind === 'src' ? reply.dport : reply.sport) === given.to.port);
}

function statusMatches({ status, command }: Request, entry: Entry): boolean {
  if (status === null || command === 'U') return true;
  const all = (entry.status & status.bits) === status.bits;
  if (command !== 'L') return all;
  return all && (entry.status & status.mask) === status.bits;
}

function markMatches({ mark }: Request, entry: Entry): boolean {
  if (mark === null) return true;
  const found = (entry.mark & mark.mask) >>> 0;
  return found === mark.value && found === mark.asked;
}

/** A flow whose protocol has no state (DCCP) is in none. */
function stateMatches(entry: Entry, state: number): boolean {
  return entry.state !== null && entry.state === stateName(entry.protonum, state);
}

/** Measured in 1.4.7: with one of these, -j ADDRESS and the -t of -D find nothing, whatever there is; -t with -s or -d too. */
const COMPARED: readonly OptionName[] = [
  'reply-src',
  'reply-dst',
  'protonum',
  'status',
  'mark',
  'secmark',
  'id',
  'zone',
  'orig-zone',
  'reply-zone',
];

function findsNothing({ anyNat, command, timeout, given }: Request): boolean {
  const isTimed = command === 'D' && timeout !== null;
  if (anyNat?.to == null && !isTimed) return false;
  if (isTimed && (given.has('src') || given.has('dst'))) return true;
  return COMPARED.some((name) => given.has(name));
}

/** Whether a command is about a flow. What -U changes is no condition. */
export function matches(request: Request, entry: Entry): boolean {
  const changing = request.command === 'U';
  if (request.family !== null && entry.family !== request.family) return false;
  if (request.protonum !== null && entry.protonum !== request.protonum) return false;
  if (request.id !== null && entry.flowId !== request.id) return false;
  if (!addressesMatch(request, entry) || !zonesMatch(request, entry) || !statusMatches(request, entry)) {
    return false;
  }
  for (const [field, value] of request.fields) if (!fieldMatches(entry, field, value)) return false;
  const state = request.fields.get('state');
  if (!changing && state !== undefined && !stateMatches(entry, state)) return false;
  if (!changing && !markMatches(request, entry)) return false;
  if (!request.labels.every((bit) => entry.labels.includes(bit))) return false;
  if (findsNothing(request)) return false;
  const { srcNat, dstNat, anyNat } = request;
  if (!natMatches(entry, srcNat, 'src') || !natMatches(entry, dstNat, 'dst')) return false;
  return anyNat === null || natMatches(entry, anyNat, 'src') || natMatches(entry, anyNat, 'dst');
}

/** Whether a flow that begins with a tuple of the expectation's protocol fulfils it: only what its mask has counts. */
export function fits({ tuple, mask }: ExpectRecord, wanted: TupleRecord): boolean {
  const address = (end: 'src' | 'dst'): boolean =>
    endMatches(tuple[end], addressWords(wanted[end]), addressWords(mask[end]));
  const ports = portWords(tuple);
  const masks = portWords(mask);
  return (
    address('src') &&
    address('dst') &&
    portWords(wanted).every((port, i) => ((port ^ ports[i]!) & masks[i]!) === 0)
  );
}

/** Bits that a status may be given by the command. */
export const SETTABLE: number = ips.IPS_SEEN_REPLY | ips.IPS_ASSURED | ips.IPS_FIXED_TIMEOUT;
