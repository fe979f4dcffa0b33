import { parseAddress } from '../packet/address.ts';
import { inetAton } from '../packet/inet-aton.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { hostAddress, maskLength, prefixMask, readAddress, type XtAddress } from './address.ts';
import { type XtArg, XtError } from './extension.ts';
import { readUint } from './values.ts';

/**
 * An address in an option of a match or target. Measured: iptables leaves it to the C library, other than those of -s
 * and -d, where 10.1 is 10.1.0.0.
 * @throws XtError
 */
export function optionAddress(text: string, family: number): readonly number[] {
  if (family !== NFPROTO_IPV4) return hostAddress(text, family);
  const word = inetAton(text);
  if (word !== undefined) return [word | 0];
  const named = text === 'localhost' ? readAddress(text, family) : undefined;
  if (named !== undefined) return named;
  const hint = parseAddress(text) === undefined ? undefined : 'an IPv6 address: use ip6tables';
  throw new XtError(
    `host/network \`${text}' not found`,
    hint ?? 'names are not looked up: write the address',
  );
}

/** A mask in an option, and its length: undefined if it is no prefix, or a number that is too long for IPv4. */
interface OptionMask {
  readonly mask: readonly number[];
  readonly length: number | undefined;
}

/**
 * `length` or `mask` in an option of a match or target. Measured: of IPv4 a length of any 32 bits is taken, and one
 * over 32 counts as the whole address.
 * @throws XtError
 */
export function optionMask(text: string, arg: XtArg): OptionMask {
  const { family } = arg.ctx;
  const bits = family === NFPROTO_IPV4 ? 32 : 128;
  const length = readUint(text, 0, bits === 32 ? 0xffffffff : 128);
  if (length !== undefined)
    return { mask: prefixMask(Math.min(length, bits), family), length: length > bits ? undefined : length };
  try {
    const mask = optionAddress(text, family);
    return { mask, length: maskLength(mask) };
  } catch (error) {
    if (!(error instanceof XtError)) throw error;
    const message = `${arg.owner}: bad value for option "--${arg.name}", neither a valid network mask nor valid CIDR (0-${bits})`;
    throw new XtError(message, undefined, 0);
  }
}

/** `address[/mask]` in an option; the address keeps its bits beyond the mask. @throws XtError */
export function optionNetwork(arg: XtArg): XtAddress {
  const { family } = arg.ctx;
  const slash = arg.text.indexOf('/');
  const addr = optionAddress(slash < 0 ? arg.text : arg.text.slice(0, slash), family);
  const mask =
    slash < 0 ? prefixMask(addr.length * 32, family) : optionMask(arg.text.slice(slash + 1), arg).mask;
  return { addr, mask };
}

/** `/24`; '' for a mask of all bits, and (measured) for one that is no prefix. */
export function optionMaskText(mask: readonly number[]): string {
  const length = maskLength(mask);
  return length === undefined || length === mask.length * 32 ? '' : `/${length}`;
}
