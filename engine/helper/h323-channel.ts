/** Logical channels of H.245: where media and data go. */
import type { HelpCall } from '../conntrack/helper.ts';
import { H245_MESSAGE } from './h245.ts';
import { type H323Address, mediaAddress, pick } from './h323-address.ts';
import { expectData, expectMedia, isSenders } from './h323-expect.ts';
import { decode, PerReader, type PerValue } from './per-decode.ts';

/**
 * Reads an H.245 message; one that cannot be decoded says nothing.
 * @param at first byte, `end` first byte past it, counted from `pkt.off`
 * @returns false if the packet must be dropped
 */
export function readH245(call: HelpCall, at: number, end: number): boolean {
  const { pkt } = call;
  const message = decode(H245_MESSAGE, new PerReader(pkt.view, pkt.off + at, pkt.off + end, pkt.off));
  return message === null || heedH245(call, message);
}

/** MultimediaSystemControlMessage. @returns false if the packet must be dropped */
export function heedH245(call: HelpCall, message: PerValue): boolean {
  const open = pick(message, 'request', 'openLogicalChannel');
  if (open !== undefined) return heedOpen(call, open);
  const ack = pick(message, 'response', 'openLogicalChannelAck');
  return ack === undefined || heedAck(call, ack);
}

/** OpenLogicalChannel. @returns false if the packet must be dropped */
export function heedOpen(call: HelpCall, open: PerValue): boolean {
  return (
    heedMedia(call, pick(open, 'forward', 'multiplexParameters', 'h2250')) &&
    heedMedia(call, pick(open, 'reverse', 'multiplexParameters', 'h2250')) &&
    (pick(open, 'forward', 'dataType', 'data', 'application', 't120', 'separateLANStack') === undefined ||
      heedStack(call, open))
  );
}

function heedAck(call: HelpCall, ack: PerValue): boolean {
  return (
    heedMedia(call, pick(ack, 'reverse', 'multiplexParameters', 'h2250')) &&
    heedMedia(call, pick(ack, 'forwardMultiplexAckParameters', 'h2250')) &&
    heedStack(call, ack)
  );
}

/** H2250LogicalChannelParameters, and those of the acknowledgement. */
function heedMedia(call: HelpCall, parameters: PerValue | undefined): boolean {
  return (
    heed(call, mediaAddress(call, pick(parameters, 'mediaChannel')), expectMedia) &&
    heed(call, mediaAddress(call, pick(parameters, 'mediaControlChannel')), expectMedia)
  );
}

/** separateStack: NetworkAccessParameters. */
function heedStack(call: HelpCall, channel: PerValue): boolean {
  const address = pick(channel, 'separateStack', 'networkAddress', 'localAreaAddress');
  return heed(call, mediaAddress(call, address), expectData);
}

function heed(
  call: HelpCall,
  address: H323Address | null,
  expect: (call: HelpCall, address: H323Address) => boolean,
): boolean {
  return !isSenders(call, address) || expect(call, address);
}
