import {
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
} from '../rules/family.ts';
import type { XtOption } from './extension.ts';
import { type NatRange, needsPorts, readPorts } from './nat-range.ts';

/** Where destinations are translated. */
export const DST_HOOKS: number = (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_OUT);
/** Where sources are translated. */
export const SRC_HOOKS: number = (1 << NF_INET_POST_ROUTING) | (1 << NF_INET_LOCAL_IN);

/** `--random` */
export const RANDOM: XtOption<NatRange> = {
  name: 'random',
  args: 0,
  parse: (range) => {
    range.random = true;
  },
};

/** `--random-fully` */
export const RANDOM_FULLY: XtOption<NatRange> = {
  name: 'random-fully',
  args: 0,
  parse: (range) => {
    range.randomFully = true;
  },
};

/** `--persistent` */
export const PERSISTENT: XtOption<NatRange> = {
  name: 'persistent',
  args: 0,
  parse: (range) => {
    range.persistent = true;
  },
};

/** `--to-ports port[-port]`. @param bases as of {@link readPorts} */
export function toPorts(bases: boolean | undefined): XtOption<NatRange> {
  return {
    name: 'to-ports',
    parse: (range, arg) => {
      needsPorts(arg);
      readPorts(arg.text, range, bases);
    },
  };
}
