import { TUPLE_FIELDS } from '../conntrack/tuple.ts';

/** What a client sent cannot be what its op takes. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

type Args = Readonly<Record<string, unknown>>;

function refuse(name: string, expected: string): never {
  throw new ArgumentError(`'${name}' is not what it should be: ${expected}`);
}

/** A whole number in a range. @throws ArgumentError */
export function wholeArg(args: Args, name: string, min: number, max: number): number {
  const value = args[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(name, `a whole number from ${min} to ${max}`);
}

/** A text. @throws ArgumentError */
export function textArg(args: Args, name: string): string {
  const value = args[name];
  return typeof value === 'string' && value.length <= 4096 ? value : refuse(name, 'a text');
}

/** An object. @throws ArgumentError */
export function objectArg(args: Args, name: string): Args {
  const value = args[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Args;
  return refuse(name, 'an object');
}

/** A tuple of addresses and what a protocol has besides. @throws ArgumentError */
export function checkTuple(args: Args, name: string): void {
  const tuple = objectArg(args, name);
  textArg(tuple, 'src');
  textArg(tuple, 'dst');
  for (const field of TUPLE_FIELDS) if (tuple[field] !== undefined) wholeArg(tuple, field, 0, 0xffff);
}

/** The fields of a flow, or an expectation, by which it is found. @throws ArgumentError */
export function checkFlow(args: Args, name: string): void {
  const flow = objectArg(args, name);
  wholeArg(flow, 'flowId', 0, 0xffffffff);
  wholeArg(flow, 'family', 0, 255);
  wholeArg(flow, 'protonum', 0, 255);
  checkTuple(flow, 'original');
  checkTuple(flow, 'reply');
  for (const zone of ['zoneOriginal', 'zoneReply']) wholeArg(flow, zone, 0, 0xffff);
}

/** Numbers that may be left out or null. @throws ArgumentError */
export function checkNumbers(args: Args, names: readonly string[], max: number): void {
  for (const name of names) if (args[name] != null) wholeArg(args, name, 0, max);
}
