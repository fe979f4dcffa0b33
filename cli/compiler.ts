import { setFlagsFromString } from 'node:v8';

/**
 * Fits V8 to a program that does the same small thing millions of times; without it all works the same, a tenth slower
 * (docs/performance.md).
 */
export function tuneCompiler(): void {
  // V8's own limit (920 bytes of bytecode for a function and all that is put in line in it) is used up before the end
  // of a packet's way. A higher one than this costs more compiling than it saves.
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2500');
  // Later than V8 would: then it knows what is in line in what, and does not compile each small function by itself.
  setFlagsFromString('--interrupt-budget=200000');
}
