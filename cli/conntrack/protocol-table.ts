import { TCP_STATE_NAMES } from '@keepstate/engine';
import type { TableName } from './legal.ts';
import type { CommandLetter } from './option-table.ts';

/** What the value of a protocol's option is put into. */
export type Field =
  | 'original.sport'
  | 'original.dport'
  | 'reply.sport'
  | 'reply.dport'
  | 'mask.sport'
  | 'mask.dport'
  | 'tuple.sport'
  | 'tuple.dport'
  | 'original.srckey'
  | 'original.dstkey'
  | 'reply.srckey'
  | 'reply.dstkey'
  | 'mask.srckey'
  | 'mask.dstkey'
  | 'tuple.srckey'
  | 'tuple.dstkey'
  | 'original.type'
  | 'original.code'
  | 'original.id'
  | 'state'
  | 'vtag.original'
  | 'vtag.reply'
  | 'role';

/** How a value is read. */
export type ValueKind = 'port' | 'key' | 'u8' | 'u32' | 'state' | 'role';

/** An option that there is only after `-p`. The letters are commands, small ones for the table of expectations. */
export interface ProtocolOption {
  readonly name: string;
  readonly also?: readonly string[];
  readonly field: Field;
  readonly kind: ValueKind;
  /** Commands that need it. */
  readonly needs?: string;
  /** Commands that take it. */
  readonly takes: string;
}

/** A protocol with options of its own. */
export interface ProtocolSpec {
  readonly name: string;
  readonly number: number;
  /** In the order in which they are checked. */
  readonly options: readonly ProtocolOption[];
  /** Names of the states by their numbers, for --state. */
  readonly states?: readonly string[];
  /** `Unknown DCCP`: how a state that is none is refused. */
  readonly unknown?: string;
  /** The two pairs of which -G, -I and -A need one, as error messages name them. */
  readonly pairs?: { readonly original: Pair; readonly reply: Pair };
}

/** Two fields and the options that messages call them. */
export interface Pair {
  readonly fields: readonly [Field, Field];
  readonly says: readonly [string, string];
}

const FLOWS = 'LGDIAUE';

/** sport and its like: of `-I expect` the expectation's, which is `tuple`, has masks. */
function portOptions(): readonly ProtocolOption[] {
  const port = (name: string, field: Field, needs: string, takes: string, also: string[] = []) =>
    ({ name, also, field, kind: 'port', needs, takes }) as const;
  return [
    port('sport', 'original.sport', 'gdi', FLOWS, ['orig-port-src']),
    port('dport', 'original.dport', 'gdi', FLOWS, ['orig-port-dst']),
    port('reply-port-src', 'reply.sport', 'gd', FLOWS),
    port('reply-port-dst', 'reply.dport', 'gd', FLOWS),
    port('mask-port-src', 'mask.sport', 'i', ''),
    port('mask-port-dst', 'mask.dport', 'i', ''),
  ];
}

function tuplePorts(): readonly ProtocolOption[] {
  return [
    { name: 'tuple-port-src', field: 'tuple.sport', kind: 'port', needs: 'i', takes: '' },
    { name: 'tuple-port-dst', field: 'tuple.dport', kind: 'port', needs: 'i', takes: '' },
  ];
}

const PORT_PAIRS: ProtocolSpec['pairs'] = {
  original: { fields: ['original.sport', 'original.dport'], says: ['sport', 'dport'] },
  reply: { fields: ['reply.sport', 'reply.dport'], says: ['reply-src-port', 'reply-dst-port'] },
};

/** States of SCTP by their numbers. */
export const SCTP_STATES: readonly string[] = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];

const DCCP_STATES: readonly string[] = [
  'NONE',
  'REQUEST',
  'RESPOND',
  'PARTOPEN',
  'OPEN',
  'CLOSEREQ',
  'CLOSING',
  'TIMEWAIT',
];

const STATE: ProtocolOption = { name: 'state', field: 'state', kind: 'state', needs: 'IA', takes: 'LGDUE' };

function vtag(dir: 'orig' | 'reply'): ProtocolOption {
  const field = dir === 'orig' ? 'vtag.original' : 'vtag.reply';
  return { name: `${dir}-vtag`, field, kind: 'u32', needs: 'IAi', takes: 'GU' };
}

function icmpOptions(prefix: string): readonly ProtocolOption[] {
  return [
    { name: `${prefix}-type`, field: 'original.type', kind: 'u8', needs: 'GIA', takes: 'LDUE' },
    { name: `${prefix}-code`, field: 'original.code', kind: 'u8', needs: 'GIA', takes: 'LDUE' },
    { name: `${prefix}-id`, field: 'original.id', kind: 'port', takes: FLOWS },
  ];
}

const GRE_KEYS: readonly (readonly [string, Field, string, string, string[]?])[] = [
  ['srckey', 'original.srckey', 'gdi', FLOWS, ['orig-key-src']],
  ['dstkey', 'original.dstkey', 'gdi', FLOWS, ['orig-key-dst']],
  ['reply-key-src', 'reply.srckey', 'gdi', FLOWS],
  ['reply-key-dst', 'reply.dstkey', 'gdi', FLOWS],
  ['mask-key-src', 'mask.srckey', 'i', ''],
  ['mask-key-dst', 'mask.dstkey', 'i', ''],
  ['tuple-key-src', 'tuple.srckey', 'i', ''],
  ['tuple-key-dst', 'tuple.dstkey', 'i', ''],
];

/** Every protocol with options, by what was measured of each command. */
export const PROTOCOLS: readonly ProtocolSpec[] = [
  {
    name: 'tcp',
    number: 6,
    options: [...portOptions(), STATE, ...tuplePorts()],
    states: TCP_STATE_NAMES,
    unknown: 'unknown TCP',
    pairs: PORT_PAIRS,
  },
  { name: 'udp', number: 17, options: [...portOptions(), ...tuplePorts()], pairs: PORT_PAIRS },
  { name: 'udplite', number: 136, options: [...portOptions(), ...tuplePorts()], pairs: PORT_PAIRS },
  {
    name: 'sctp',
    number: 132,
    options: [...portOptions(), STATE, ...tuplePorts(), vtag('orig'), vtag('reply')],
    states: SCTP_STATES,
    unknown: 'unknown SCTP',
    pairs: PORT_PAIRS,
  },
  {
    name: 'dccp',
    number: 33,
    options: [
      ...portOptions(),
      STATE,
      ...tuplePorts(),
      { name: 'role', field: 'role', kind: 'role', needs: 'IAi', takes: '' },
    ],
    states: DCCP_STATES,
    unknown: 'Unknown DCCP',
    pairs: PORT_PAIRS,
  },
  { name: 'icmp', number: 1, options: icmpOptions('icmp') },
  { name: 'icmpv6', number: 58, options: icmpOptions('icmpv6') },
  {
    name: 'gre',
    number: 47,
    options: GRE_KEYS.map(([name, field, needs, takes, also]) => ({
      name,
      field,
      kind: 'key',
      needs,
      takes,
      ...(also === undefined ? {} : { also }),
    })),
    pairs: {
      original: { fields: ['original.srckey', 'original.dstkey'], says: ['srckey', 'dstkey'] },
      reply: { fields: ['reply.srckey', 'reply.dstkey'], says: ['reply-src-key', 'reply-dst-key'] },
    },
  },
];

/** A command's letter as {@link ProtocolOption} has it. */
export function commandKey(command: CommandLetter, table: TableName): string {
  return table === 'expect' ? command.toLowerCase() : command;
}
