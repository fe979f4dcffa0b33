import { u8, u16, u32 } from './numbers.ts';
import { commandKey, type Pair, type ProtocolOption, type ProtocolSpec } from './protocol-table.ts';
import type { Request } from './request.ts';
import { usage } from './words.ts';

/** The number of a state. SYN_SENT2 is what LISTEN was. @throws ToolError */
function stateOf(protocol: ProtocolSpec, text: string): number {
  const name = protocol.name === 'tcp' && text === 'LISTEN' ? 'SYN_SENT2' : text;
  const number = (protocol.states ?? []).indexOf(name);
  if (number < 0) usage(`${protocol.unknown} state \`${text}'`);
  return number;
}

function fieldValue(option: ProtocolOption, protocol: ProtocolSpec, text: string): number {
  switch (option.kind) {
    case 'port':
      return u16(text, 10);
    case 'key':
      return u16(text, 0);
    case 'u8':
      return u8(text);
    case 'u32':
      return u32(text, 10);
    case 'state':
      return stateOf(protocol, text);
    default: {
      const role = ['client', 'server'].indexOf(text.toLowerCase());
      if (role < 0) usage(`${protocol.unknown} role \`${text}'`);
      return role;
    }
  }
}

/** Takes an option of the protocol in use into the request. @throws ToolError */
export function takeProtocolOption(request: Request, name: string, text: string): void {
  const protocol = request.protocol!;
  const option = protocol.options.find((o) => o.name === name)!;
  request.protocolGiven.add(name);
  request.fields.set(option.field, fieldValue(option, protocol, text));
}

/** Refuses options of the protocol that the command does not take, and a command without those it needs. @throws ToolError */
export function checkProtocolOptions(request: Request): void {
  const { protocol, command, table } = request;
  if (protocol === null) return;
  const key = commandKey(command, table);
  for (const { name, needs = '', takes } of protocol.options) {
    const given = request.protocolGiven.has(name);
    if (needs.includes(key)) {
      if (!given) usage(`You need to supply the \`--${name}' option for this command`);
    } else if (given && !takes.includes(key)) usage(`Illegal option \`--${name}' with this command`);
  }
  if (protocol.pairs !== undefined && 'GIA'.includes(key)) checkPairs(request, protocol.pairs);
}

function checkPairs(request: Request, pairs: { readonly original: Pair; readonly reply: Pair }): void {
  const count = (pair: Pair): number => pair.fields.filter((f) => request.fields.has(f)).length;
  const original = count(pairs.original);
  const reply = count(pairs.reply);
  if (original === 2 || reply === 2) return;
  const { says } = original === 0 && reply > 0 ? pairs.reply : pairs.original;
  usage(`you have to specify \`--${says[0]}' and \`--${says[1]}'`);
}
