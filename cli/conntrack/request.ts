import type { Endpoint, Network, Words } from './address.ts';
import type { TableName } from './legal.ts';
import type { CommandLetter, OptionName } from './option-table.ts';
import type { Field, ProtocolSpec } from './protocol-table.ts';
import type { EventWord, OutputWord, StatusGiven } from './word-lists.ts';

/** --src-nat and its like: null for any translation. */
export interface NatGiven {
  readonly to: Endpoint | null;
}

/** A mark with the bits that count. */
export interface MarkGiven {
  /** As it was asked for, before a -u behind it: it is looked at, too. */
  readonly asked: number;
  /** Measured in 1.4.7: a -u behind -m puts its bits here. */
  readonly value: number;
  readonly mask: number;
}

/** Everything that one command line of conntrack(8) says. */
export interface Request {
  command: CommandLetter;
  /** Whether a command was given. */
  isNamed: boolean;
  table: TableName;
  /** The options that were given. */
  readonly given: Set<OptionName>;
  /** AF_INET or AF_INET6, null if nothing says. */
  family: number | null;
  protonum: number | null;
  protocol: ProtocolSpec | null;
  src: Network | null;
  dst: Network | null;
  maskSrc: Words | null;
  maskDst: Words | null;
  replySrc: Words | null;
  replyDst: Words | null;
  tupleSrc: Words | null;
  tupleDst: Words | null;
  /** Ports, keys, ICMP's fields, tags; the state by its number. */
  readonly fields: Map<Field, number>;
  /** Names of the protocol's options in use, for messages about them. */
  readonly protocolGiven: Set<string>;
  timeout: number | null;
  status: StatusGiven | null;
  mark: MarkGiven | null;
  zone: number | null;
  origZone: number | null;
  replyZone: number | null;
  srcNat: NatGiven | null;
  dstNat: NatGiven | null;
  anyNat: NatGiven | null;
  labels: number[];
  labelAdd: number[] | null;
  labelDel: readonly number[] | 'all' | null;
  id: number | null;
  /** Bytes of events that the kernel shall keep, null where nothing says. */
  bufferSize: number | null;
  readonly output: Set<OutputWord>;
  readonly events: Set<EventWord>;
}

/** A request that says nothing yet: it asks for help. */
export function emptyRequest(): Request {
  return {
    command: 'h',
    isNamed: false,
    table: 'conntrack',
    given: new Set(),
    family: null,
    protonum: null,
    protocol: null,
    src: null,
    dst: null,
    maskSrc: null,
    maskDst: null,
    replySrc: null,
    replyDst: null,
    tupleSrc: null,
    tupleDst: null,
    fields: new Map(),
    protocolGiven: new Set(),
    timeout: null,
    status: null,
    mark: null,
    zone: null,
    origZone: null,
    replyZone: null,
    srcNat: null,
    dstNat: null,
    anyNat: null,
    labels: [],
    labelAdd: null,
    labelDel: null,
    id: null,
    bufferSize: null,
    output: new Set(),
    events: new Set(),
  };
}
