import { type Argument, Getopt, type LongOption, type Token } from './getopt.ts';
import type { Labels } from './labels.ts';
import { checkLegal, type TableName } from './legal.ts';
import { COMMAND_OPTIONS, type CommandLetter, LONG, optionNamed, SHORT } from './option-table.ts';
import { takeOption } from './option-values.ts';
import { checkProtocolOptions, takeProtocolOption } from './protocol-values.ts';
import { emptyRequest, type Request } from './request.ts';
import { ToolError, usage } from './words.ts';

/** What the reading of a command line may use. */
export interface ParseWorld {
  /** Writes a line to standard error. */
  readonly say: (line: string) => void;
  readonly labels: Labels;
  /** Called by conntrack(8)'s name: nothing is said that it does not say. */
  readonly exact?: boolean;
}

/** In the order in which a shortened name is looked for. */
const TABLES: readonly TableName[] = ['expect', 'conntrack', 'dying', 'unconfirmed'];

/** The table that the word behind a command names. @throws ToolError */
function tableOf(token: Token): TableName {
  const word = token.following;
  if (word === null || word.startsWith('-')) return 'conntrack';
  return TABLES.find((name) => name.startsWith(word)) ?? usage(`unknown type \`${word}'`);
}

function takeCommand(request: Request, letter: CommandLetter, token: Token): void {
  const table = tableOf(token);
  if (table === 'expect' && (letter === 'A' || letter === 'U')) {
    usage(`Can't do --${letter === 'A' ? 'add' : 'update'} on expectations`);
  }
  if ((table === 'dying' || table === 'unconfirmed') && letter !== 'L') {
    usage("Can't do that command with tables `dying' and `unconfirmed'");
  }
  request.command = letter;
  request.isNamed = true;
  request.table = table;
}

/** Long options of the protocol in use, in front of the others. */
function longOptions(request: Request): readonly LongOption[] {
  const argument: Argument = 'required';
  const own = (request.protocol?.options ?? []).flatMap(({ name, also = [] }) =>
    [name, ...also].map((n) => ({ name: n, argument, id: `+${name}` })),
  );
  return [...own, ...LONG];
}

/**
 * Reads a command line as conntrack(8) 1.4.7 does: the same in any order, but for the options of a protocol, which
 * there are behind -p only.
 * @param args with the program's name in front
 * @throws ToolError with what is wrong first
 */
export function parseArguments(args: readonly string[], world: ParseWorld): Request {
  const request = readArguments(args, world);
  check(request);
  return request;
}

/** {@link parseArguments} without a look at what belongs together: of lines that -o save printed all is taken. */
export function readArguments(args: readonly string[], world: ParseWorld): Request {
  const request = emptyRequest();
  const getopt = new Getopt(args, SHORT, () => longOptions(request));
  let commands = 0;
  for (let token = getopt.next(); token !== null; token = getopt.next()) {
    const { id, previous } = token;
    const command = COMMAND_OPTIONS.find(([letter]) => letter === id)?.[0];
    const option = optionNamed(id);
    if (id === '?') usage(`unknown option \`${previous}'`);
    else if (id === ':') usage(`option \`${previous}' requires an argument`);
    else if (command !== undefined) {
      if (++commands > 1) usage('Invalid commands combination');
      takeCommand(request, command, token);
    } else if (id.startsWith('+')) takeProtocolOption(request, id.slice(1), token.value!);
    else if (option !== null) takeOption(request, option, token, world);
    else world.say('WARNING: ignoring -a, deprecated option.');
  }
  return request;
}

function check(request: Request): void {
  const { given, command, table } = request;
  if (given.has('any-nat') && (given.has('src-nat') || given.has('dst-nat'))) {
    usage("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
  }
  if (given.has('label-add') && given.has('label-del')) {
    throw new ToolError('cannot use --label-add and --label-del at the same time', 1);
  }
  checkLegal(request.isNamed ? command : null, table, (name) => given.has(name));
  if (table !== 'expect' && 'GIA'.includes(command)) checkAddresses(request);
  if (!'hVSCF'.includes(command)) checkProtocolOptions(request);
  const filtered = ['src', 'dst', 'reply-src', 'reply-dst', 'protonum', 'status', 'mark', 'secmark'] as const;
  const also = ['zone', 'orig-zone', 'reply-zone', 'label'] as const;
  if (
    command === 'L' &&
    table === 'conntrack' &&
    given.has('zero') &&
    [...filtered, ...also].some((name) => given.has(name))
  ) {
    usage("Can't use -z with filtering parameters");
  }
  if ('LDUE'.includes(command) && table === 'conntrack') checkMasks(request);
}

/** One direction has to have both addresses. */
function checkAddresses({ src, dst, replySrc, replyDst }: Request): void {
  if ((src !== null && dst !== null) || (replySrc !== null && replyDst !== null)) return;
  const ofReply = src === null && dst === null && (replySrc !== null || replyDst !== null);
  usage(`you have to specify ${ofReply ? "`--reply-src' and `--reply-dst'" : "`--src' and `--dst'"}`);
}

function checkMasks({ given }: Request): void {
  for (const end of ['src', 'dst'] as const) {
    if (given.has(`mask-${end}`) && !given.has(end)) usage(`Can't use --mask-${end} without --${end}`);
  }
}
