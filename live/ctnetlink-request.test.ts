import { expect, test } from 'vitest';
import { writeFlowRequest } from './ctnetlink-request.ts';
import { MessageWriter } from './netlink-writer.ts';

/** What is said to the kernel of a TCP flow's state, and nothing besides. */
function protoinfo(state: number): number[] {
  const writer = new MessageWriter();
  writeFlowRequest(writer, { family: 2, protonum: 6, state });
  return [...writer.bytes.subarray(0, writer.length)];
}

test.each([
  ['ESTABLISHED', 3, 0x0a],
  ['LAST_ACK', 6, 0x0a],
  ['TIME_WAIT', 7, 0x0e],
  ['CLOSE', 8, 0x0e],
])('with the state %s TCP gets the flags that conntrack 1.4.7 sends', (_name, state, flags) => {
  // CTA_PROTOINFO, in it CTA_PROTOINFO_TCP, in that the state, and of both directions value and mask of the flags.
  expect(protoinfo(state)).toEqual([
    ...[0x20, 0, 4, 0x80],
    ...[0x1c, 0, 1, 0x80],
    ...[5, 0, 1, 0, state, 0, 0, 0],
    ...[6, 0, 4, 0, flags, flags, 0, 0],
    ...[6, 0, 5, 0, flags, flags, 0, 0],
  ]);
});
