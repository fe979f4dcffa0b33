import { type XtArg, XtError } from './extension.ts';
import { hex, valueMaskArg, valueMaskText } from './values.ts';

/** A test of a number that the system has a name for where it is 0. */
export interface NamedTest {
  readonly value: number;
  readonly mask: number;
  readonly inverted: boolean;
}

/** `value[/mask]`, or the name of 0. @throws XtError */
export function namedArg(arg: XtArg, zero: string): NamedTest {
  if (arg.text === zero) return { value: 0, mask: 0xffffffff, inverted: arg.inverted };
  if (!/^\s*\+?\d/.test(arg.text))
    throw new XtError(
      `${arg.owner}: could not map name ${arg.text} to an integer value for option "--${arg.name}"`,
      'names other than the default are not known here: write the number',
      0,
    );
  return { ...valueMaskArg(arg), inverted: arg.inverted };
}

/** As it is saved, without the option's name. */
export function namedText(test: NamedTest, zero: string): string {
  if (test.mask !== 0xffffffff) return `${hex(test.value)}/${hex(test.mask)}`;
  return test.value === 0 ? zero : valueMaskText(test.value, test.mask);
}

/** Whether a number is as the test wants it. */
export function namedHolds(test: NamedTest, value: number): boolean {
  return ((value & test.mask) === (test.value | 0)) !== test.inverted;
}
