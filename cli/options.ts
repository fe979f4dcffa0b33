import { parseArgs } from 'node:util';
import { suggest } from '@keepstate/engine';
import { refuse, UsageError } from './trouble.ts';

/** Every long option by its name. */
export type OptionName =
  | 'all'
  | 'at'
  | 'batch'
  | 'bridge'
  | 'bytes'
  | 'capture'
  | 'check'
  | 'color'
  | 'community-id'
  | 'control'
  | 'control-tcp'
  | 'count'
  | 'counters'
  | 'define'
  | 'expect'
  | 'fail-open'
  | 'filter'
  | 'format'
  | 'from'
  | 'help'
  | 'host'
  | 'iface'
  | 'include-path'
  | 'interval'
  | 'json'
  | 'kernel'
  | 'kind'
  | 'lines'
  | 'lint'
  | 'list'
  | 'local'
  | 'log'
  | 'log-format'
  | 'metrics'
  | 'metrics-compat'
  | 'nfqueue'
  | 'nft-trace'
  | 'no-time'
  | 'once'
  | 'output'
  | 'profile'
  | 'quiet'
  | 'route'
  | 'rules'
  | 'seed'
  | 'set'
  | 'sort'
  | 'state'
  | 'state-every'
  | 'stdin'
  | 'strict'
  | 'sysctl'
  | 'table'
  | 'tun'
  | 'values'
  | 'verbose'
  | 'version'
  | 'watch'
  | 'write';

/** One option, documented here and nowhere else. */
export interface OptionSpec {
  readonly name: OptionName;
  readonly short?: string;
  /** What its value is called in help texts; an option without one takes no value. */
  readonly value?: string;
  readonly repeat?: boolean;
  /** Commands that take it, all of them if left out. */
  readonly of?: readonly string[];
  /** What it does, in words for the help text and the manual. */
  readonly help: string;
}

const TRACKING = ['trace', 'flows', 'events'];
/** Commands that have rules. */
const RULED = [...TRACKING, 'run'];

/** All options, in the order in which help texts show them. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'bridge',
    value: 'NAMES',
    of: ['run'],
    help:
      'Be a firewall between two or more Ethernet devices, which nobody sees: eth0,eth1. Frames that are not IP pass. ' +
      'The devices should have no addresses; what does not pass keepstate does not pass at all.',
  },
  {
    name: 'tun',
    value: 'NAME',
    of: ['run'],
    help:
      'Filter and translate what the kernel routes into a TUN device, and give it back to the kernel by the same device. ' +
      'It is made if it is not there.',
  },
  {
    name: 'nfqueue',
    value: 'N',
    of: ['run'],
    help:
      'Say what becomes of packets that the kernel queues: -j NFQUEUE --queue-num N, or --queue-balance N:M for ' +
      'several queues, N-M.',
  },
  {
    name: 'capture',
    value: 'NAME',
    of: ['run'],
    help: 'Only watch the packets of a device: nothing is held up, dropped or answered.',
  },
  {
    name: 'at',
    value: 'TIME',
    of: ['flows', 'events'],
    help:
      'The moment to stop at: seconds since the epoch, an ISO time (UTC unless it says otherwise), or +SECONDS ' +
      'after the first packet. Later packets are not looked at; time passes until then, so that flows expire.',
  },
  { name: 'count', of: ['flows'], help: 'Only how many flows there are, by protocol and state.' },
  {
    name: 'expect',
    of: ['flows'],
    help:
      'The flows that helpers (FTP, SIP …) expect in place of those that are there, as conntrack -L expect shows them; ' +
      '--format proc, json and xml have them, too.',
  },
  {
    name: 'format',
    value: 'NAME',
    of: ['flows'],
    help:
      'How to print flows: conntrack (as conntrack -L; default), extended (as conntrack -L -o extended), ' +
      'proc (/proc/net/nf_conntrack), proc-classic (/proc/net/ip_conntrack; default of the 2.4 profiles), ' +
      'json, or zeek (conn.log with every flow of the capture, ended ones too); of --expect also xml.',
  },
  { name: 'community-id', of: ['flows'], help: 'Add the Community ID (version 1, seed 0) of each flow.' },
  {
    name: 'json',
    of: [...TRACKING, 'check'],
    help: 'One JSON object a line; docs/json.md explains each field.',
  },
  {
    name: 'output',
    short: 'o',
    value: 'WORDS',
    repeat: true,
    of: TRACKING,
    help:
      "More in each line, as conntrack's -o, separated by commas. trace: timestamp (seconds since the epoch " +
      'instead of since the first packet). flows: extended, id, ktimestamp. events: timestamp, extended, id, ' +
      'ktimestamp.',
  },
  {
    name: 'filter',
    value: 'EXPR',
    of: [...TRACKING, 'top'],
    help:
      "Show only what matches, for example 'src 10.0.0.0/8 and tcp and dport 80 and state ESTABLISHED'. " +
      'Everything is tracked all the same. `keepstate help filter` explains the language.',
  },
  {
    name: 'rules',
    value: 'FILE',
    repeat: true,
    of: RULED,
    help:
      'The rules that packets have to pass: iptables-save, ip6tables-save, a shell script of iptables commands, ' +
      'nft, nft -j, ipset save; recognised by content. May be given more than once, all together are one host; ' +
      'beside it a file among the captures that holds rules is taken as well.',
  },
  {
    name: 'verbose',
    short: 'v',
    of: ['trace'],
    help: 'With --rules: also the rules that did not match, and which part of them failed. JSON gains "steps".',
  },
  {
    name: 'bytes',
    of: ['trace'],
    help: 'With --rules: the packets that leave and those that the firewall answers, in hex.',
  },
  {
    name: 'log',
    of: ['trace'],
    help: "With --rules: the lines that LOG and nft's log write to the kernel's log.",
  },
  {
    name: 'nft-trace',
    of: ['trace'],
    help:
      'With --rules: the lines that `nft monitor trace` prints about packets for which a rule asks for it ' +
      '(meta nftrace set 1, -j TRACE).',
  },
  {
    name: 'write',
    value: 'FILE',
    of: ['trace'],
    help:
      'With --rules: write the packets as they leave to a pcapng file, each on the interface that it leaves by, with ' +
      'the verdict and who decided it as a comment; also what this host gets, and what the firewall answers.',
  },
  {
    name: 'counters',
    of: ['trace'],
    help: 'With --rules: at the end the ruleset as its tools list it, with its counters.',
  },
  {
    name: 'host',
    value: 'FILE',
    repeat: true,
    of: RULED,
    help:
      'The machine that the rules run on: a YAML file (interfaces, routes, local), or what `ip -j addr` and ' +
      '`ip -j route` printed there. Without any of --host, --iface, --route and --local every packet is forwarded ' +
      'from eth0 to eth1; for run it is this machine, or a bridge without addresses.',
  },
  {
    name: 'iface',
    value: 'NAME=ADDR',
    repeat: true,
    of: RULED,
    help: 'An interface of the host with its addresses: eth0=203.0.113.1/24,2001:db8::1/64.',
  },
  {
    name: 'route',
    value: 'NET:NAME',
    repeat: true,
    of: RULED,
    help: 'A route of the host: default:eth0, 10.0.0.0/8:eth1, 192.0.2.0/24:unreachable.',
  },
  {
    name: 'local',
    value: 'ADDR',
    repeat: true,
    of: RULED,
    help: "One more address that is the host's own.",
  },
  {
    name: 'list',
    of: ['check'],
    help: 'List the rules back, as nft list ruleset, iptables-save and ipset save do.',
  },
  {
    name: 'lint',
    of: ['check'],
    help: 'Say what is legal and most likely not meant: docs/lint.md explains each finding.',
  },
  {
    name: 'batch',
    of: ['check'],
    help:
      'Answer JSON lines {"id","kind","script"} from standard input, each on its own, with ' +
      '{"id","ok","error","listing"}.',
  },
  {
    name: 'kind',
    value: 'NAME',
    of: ['check'],
    help:
      'What the files hold, if it is not to be recognised: nft, nft-json, iptables, ip6tables, iptables-save, ' +
      'ip6tables-save, ipset.',
  },
  {
    name: 'define',
    short: 'D',
    value: 'NAME=VALUE',
    repeat: true,
    of: [...RULED, 'check'],
    help: 'Define a variable of nft, as nft -D does.',
  },
  {
    name: 'include-path',
    short: 'I',
    value: 'FOLDER',
    repeat: true,
    of: [...RULED, 'check'],
    help: "Where nft's include looks for files, besides the folder of the file and /etc.",
  },
  {
    name: 'strict',
    of: [...RULED, 'check'],
    help: 'What keepstate knows but cannot evaluate is an error, rather than a verdict "unknown".',
  },
  {
    name: 'from',
    value: 'FILE',
    of: ['conntrack', 'proc'],
    help: 'Look at a dump of a table, or at what is in the table after a capture; - is standard input. It is only read.',
  },
  {
    name: 'table',
    value: 'FILE',
    of: ['conntrack', 'proc'],
    help: 'Look at the table that is kept in this file, and keep it there. A file that is not there is an empty table.',
  },
  {
    name: 'control',
    value: 'SOCKET',
    of: ['run', 'conntrack', 'top', 'sysctl', 'proc'],
    help:
      'run: where commands reach it, none for no such socket. All others: the running keepstate that they are about, ' +
      'its socket or 127.0.0.1:PORT with the token in KEEPSTATE_CONTROL_TOKEN. Default: ' +
      '$XDG_RUNTIME_DIR/keepstate/control.sock or /run/keepstate/control.sock.',
  },
  {
    name: 'control-tcp',
    value: 'PORT',
    of: ['run'],
    help:
      'Also be reached by a TCP port of 127.0.0.1, with a token: that of KEEPSTATE_CONTROL_TOKEN, of the file that ' +
      'KEEPSTATE_CONTROL_TOKEN_FILE names, or a new one in control.token beside the socket.',
  },
  {
    name: 'watch',
    of: ['run'],
    help:
      'Read the rules anew when their files have changed and are at rest, as SIGHUP does: errors change nothing, nor do ' +
      'files without any table.',
  },
  {
    name: 'state',
    value: 'FILE',
    of: ['run'],
    help:
      'Keep flows and expectations in this file, at the end and now and then, and go on with them at the start: no ' +
      'connection breaks because keepstate was not there for a while.',
  },
  {
    name: 'state-every',
    value: 'SECONDS',
    of: ['run'],
    help: 'How often to save the state, besides at the end (default 60).',
  },
  {
    name: 'metrics',
    value: 'ADDRESS:PORT',
    of: ['run'],
    help: 'Serve /metrics for Prometheus and /health over HTTP; without an address, on 127.0.0.1.',
  },
  {
    name: 'metrics-compat',
    of: ['run'],
    help: "Have the metrics also by node_exporter's names for the kernel's table (node_nf_conntrack_…).",
  },
  {
    name: 'fail-open',
    of: ['run'],
    help: 'With --nfqueue: packets pass unfiltered while the queue is full. Without it they are dropped.',
  },
  {
    name: 'log-format',
    value: 'NAME',
    of: ['run'],
    help: 'Lines on standard error: text (default), or json, one object a line.',
  },
  {
    name: 'kernel',
    of: ['conntrack', 'top'],
    help: "Look at the kernel's own table, that of the network namespace that keepstate is in. Takes CAP_NET_ADMIN.",
  },
  {
    name: 'sort',
    value: 'KEY',
    of: ['top'],
    help:
      'Which flows come first: rate (bytes a second; default), packet-rate, bytes, packets, src, dst, sport, dport, ' +
      'proto, state, left or id; with a - in front, which come last.',
  },
  {
    name: 'interval',
    value: 'SECONDS',
    of: ['top'],
    help: 'How often to look, and over what time to measure rates (default 1).',
  },
  {
    name: 'once',
    of: ['top'],
    help: 'Look for the time of --interval, print what was seen as text, and end: also what happens without a terminal.',
  },
  {
    name: 'lines',
    value: 'N',
    of: ['top'],
    help: 'How many flows --once prints (default 20).',
  },
  { name: 'all', short: 'a', of: ['sysctl'], help: 'All sysctls with their values.' },
  {
    name: 'set',
    short: 'w',
    of: ['sysctl'],
    help: 'Every word sets a value: NAME=VALUE. It may be left out.',
  },
  { name: 'values', short: 'n', of: ['sysctl'], help: 'Only values, without names.' },
  {
    name: 'profile',
    value: 'NAME',
    of: RULED,
    help: 'Track as linux-6.18 (default), linux-2.4 or linux-2.4-tcp-window does.',
  },
  {
    name: 'sysctl',
    value: 'NAME=VALUE',
    repeat: true,
    of: RULED,
    help: 'Set a sysctl by its kernel name, for example nf_conntrack_tcp_loose=0. May be given more than once.',
  },
  {
    name: 'no-time',
    of: TRACKING,
    help: 'Hold the clock still: for tracking, every packet comes at the time of the first.',
  },
  { name: 'stdin', of: TRACKING, help: 'Read a capture from standard input, as the file name - does.' },
  {
    name: 'seed',
    value: 'N',
    of: RULED,
    help:
      'Key of the hash tables and of all else that Linux draws at random (default 1). Equal seeds give equal output. ' +
      'run draws one.',
  },
  {
    name: 'check',
    of: ['trace'],
    help: 'Exit with status 1 if a packet that is shown was INVALID, dropped or rejected, 3 if a verdict is unknown.',
  },
  {
    name: 'color',
    value: 'WHEN',
    of: [...TRACKING, 'check', 'top'],
    help: 'Colour: auto (default: on a terminal, unless NO_COLOR is set), always or never.',
  },
  {
    name: 'quiet',
    short: 'q',
    of: [...TRACKING, 'check'],
    help: 'No summary, hints and progress on standard error.',
  },
  { name: 'help', short: 'h', help: 'Explain a command and its options.' },
  { name: 'version', short: 'V', help: 'Print the version.' },
];

/** The options that were given, by name. */
export class Given {
  private readonly values: ReadonlyMap<OptionName, readonly string[]>;

  constructor(values: ReadonlyMap<OptionName, readonly string[]>) {
    this.values = values;
  }

  /** The names, in the order of their first use. */
  get names(): readonly OptionName[] {
    return [...this.values.keys()];
  }

  has(name: OptionName): boolean {
    return this.values.has(name);
  }

  /** The value of an option (the last, if it was given twice), null if it was not given. */
  value(name: OptionName): string | null {
    return this.values.get(name)?.at(-1) ?? null;
  }

  /** Every value of an option that may be given more than once. */
  all(name: OptionName): readonly string[] {
    return this.values.get(name) ?? [];
  }
}

/** What a command line says: words in order (command, files) and options. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly given: Given;
}

/**
 * Reads a command line; options may stand anywhere, `--` ends them.
 * @param args without node and script
 * @throws UsageError for an unknown option or a value that is missing or not wanted
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      OPTIONS.map((o) => [
        o.name,
        {
          type: o.value === undefined ? 'boolean' : 'string',
          ...(o.short === undefined ? {} : { short: o.short }),
        } as const,
      ]),
    ),
  });
  const words: string[] = [];
  const values = new Map<OptionName, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = OPTIONS.find((o) => o.name === token.name);
    if (spec === undefined) unknownOption(token.rawName);
    if (spec.value !== undefined && token.value === undefined) {
      throw new UsageError(`option '${token.rawName}' needs a value: ${spec.value}`);
    }
    if (spec.value === undefined && token.value !== undefined) {
      throw new UsageError(`option '${token.rawName}' takes no value, but has '${token.value}'`);
    }
    const before = values.get(spec.name) ?? [];
    if (before.length > 0 && spec.value !== undefined && spec.repeat !== true) {
      throw new UsageError(`option '--${spec.name}' is given twice`);
    }
    values.set(spec.name, [...before, token.value ?? '']);
  }
  return { words, given: new Given(values) };
}

function unknownOption(raw: string): never {
  if (!raw.startsWith('--')) throw new UsageError(`unknown option '${raw}'`);
  const near = suggest(
    raw.slice(2),
    OPTIONS.map((o) => o.name),
  );
  throw new UsageError(`unknown option '${raw}'${near === undefined ? '' : `: did you mean '--${near}'?`}`);
}

/** Whether a command takes an option. */
export function takes(command: string, spec: OptionSpec): boolean {
  return spec.of === undefined || spec.of.includes(command);
}

/** `a`, `a and b`, `a, b and c`. */
function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/**
 * Refuses options that a command does not take.
 * @throws UsageError that names the commands which do
 */
export function checkOptions(command: string, given: Given): void {
  for (const name of given.names) {
    const spec = OPTIONS.find((o) => o.name === name)!;
    if (!takes(command, spec)) {
      throw new UsageError(`'${command}' takes no option '--${name}': it belongs to ${inWords(spec.of!)}`);
    }
  }
}

/**
 * A value out of a few words.
 * @throws UsageError that names the nearest word
 */
export function oneOf<T extends string>(name: OptionName, value: string, words: readonly T[]): T {
  const word = words.find((w) => w === value);
  return word ?? refuse(`value of --${name}`, value, words);
}

/**
 * The words of a list option such as `-o timestamp,id`, without duplicates.
 * @throws UsageError for a word that is none of `words`
 */
export function listOf<T extends string>(
  name: OptionName,
  given: Given,
  words: readonly T[],
): ReadonlySet<T> {
  const parts = given.all(name).flatMap((value) => value.split(','));
  return new Set(parts.map((part) => oneOf(name, part.trim(), words)));
}

/**
 * A whole number.
 * @throws UsageError if it is none or outside 0 to 2^32 - 1
 */
export function wholeNumber(name: OptionName, text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff) {
    throw new UsageError(`bad value '${text}' of --${name}: expected a whole number from 0 to 4294967295`);
  }
  return Number(text);
}
