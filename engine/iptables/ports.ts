import { didYouMean } from '../base/suggest.ts';
import { type ServiceProtocol, serviceNames, servicePort } from '../nft/type-services.ts';
import { XtError } from './extension.ts';
import { readUint } from './values.ts';

/**
 * A port number or the name of a service.
 * @param protocol the one the service must be known for; undefined for any
 * @throws XtError "invalid port/service `x' specified"
 */
export function readPort(text: string, protocol?: ServiceProtocol): number {
  const port = readUint(text, 0, 65535) ?? servicePort(text, protocol);
  if (port !== undefined) return port;
  const known = protocol !== undefined && servicePort(text) !== undefined;
  const near = /^[a-z]/i.test(text) ? didYouMean(text, serviceNames()) : undefined;
  throw new XtError(
    `invalid port/service \`${text}' specified`,
    known ? `not a service of ${protocol}` : near,
  );
}

/**
 * `port`, `from:to`, `from:` or `:to`; what is missing is 0 or 65535.
 * @throws XtError also if the first is greater
 */
export function readPortRange(text: string, protocol?: ServiceProtocol): [number, number] {
  const colon = text.indexOf(':');
  if (colon < 0) {
    const port = readPort(text, protocol);
    return [port, port];
  }
  const low = text.slice(0, colon);
  const high = text.slice(colon + 1);
  const range: [number, number] = [
    low === '' ? 0 : readPort(low, protocol),
    high === '' ? 65535 : readPort(high, protocol),
  ];
  if (range[0] > range[1]) throw new XtError('invalid portrange (min > max)');
  return range;
}

/**
 * A port as udp, dccp, conntrack and TPROXY read it: decimal, or a service of any protocol.
 * @throws XtError
 */
export function readLoosePort(text: string): number {
  const digits = /^[ \t]*\+?(\d*)$/.exec(text);
  // Measured: the number is cut to 16 bits without a word, and no text at all is 0.
  const port = digits === null ? servicePort(text) : Number(BigInt.asUintN(16, BigInt(digits[1]!)));
  if (port !== undefined) return port;
  const near = didYouMean(text, serviceNames());
  throw new XtError(`Port "${text}" does not resolve to anything`, near);
}

/**
 * As {@link readPortRange}, as udp, dccp and conntrack read it: the first may be greater, and then nothing matches.
 * @throws XtError
 */
export function readLooseRange(text: string): [number, number] {
  const [low, high, more] = text.split(':');
  if (more !== undefined) throw new XtError('Too many components for a range of ports (max: 2)');
  const from = readLoosePort(low!);
  if (high === undefined) return [from, from];
  return [from, high === '' ? 65535 : readLoosePort(high)];
}

/** `22`, or `22:80`. */
export function portRangeText(range: readonly [number, number]): string {
  return range[0] === range[1] ? String(range[0]) : `${range[0]}:${range[1]}`;
}
