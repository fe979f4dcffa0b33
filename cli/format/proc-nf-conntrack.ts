import { type FlowRecord, ips, ipv6FullText, parseAddress } from '@keepstate/engine';
import { directionZone, familyText } from './conntrack-line.ts';
import { countersText, deltaTime, procPorts, secondsLeft } from './tuple-text.ts';

/** The two timeouts that /proc shows in the middle of a GRE flow's line, in seconds. */
export interface GreTimeouts {
  readonly timeout: number;
  readonly stream: number;
}

/** An address as the kernel prints it: IPv6 with all its digits. */
export function procAddress(address: string): string {
  const words = parseAddress(address);
  return words?.length === 4 ? ipv6FullText(words[0]!, words[1]!, words[2]!, words[3]!) : address;
}

/** The protocol by the name of its tracker: what has none of its own (DCCP, and more in 2.4) is `unknown`. */
function procProtocol(flow: FlowRecord): string {
  const { sport, type, srckey } = flow.original;
  return sport === undefined && type === undefined && srckey === undefined ? 'unknown' : flow.protocol;
}

/** From protocol to `[ASSURED] `: what both files under /proc have in common. */
export function procBody(flow: FlowRecord, gre: GreTimeouts): string {
  const { original, reply, counters, status } = flow;
  return (
    `${procProtocol(flow).padEnd(8)} ${flow.protonum} ${secondsLeft(flow.timeout)} ` +
    (flow.state === null ? '' : `${flow.state} `) +
    (original.srckey === undefined ? '' : `timeout=${gre.timeout}, stream_timeout=${gre.stream} `) +
    `src=${procAddress(original.src)} dst=${procAddress(original.dst)} ${procPorts(original)}` +
    directionZone(flow, 'orig') +
    countersText(counters?.original) +
    ((status & ips.IPS_SEEN_REPLY) === 0 ? '[UNREPLIED] ' : '') +
    `src=${procAddress(reply.src)} dst=${procAddress(reply.dst)} ${procPorts(reply)}` +
    directionZone(flow, 'reply') +
    countersText(counters?.reply) +
    ((status & ips.IPS_ASSURED) === 0 ? '' : '[ASSURED] ')
  );
}

/**
 * A flow as a line of /proc/net/nf_conntrack (Linux 6.18), without a newline. `use` counts the reader too.
 * @param now the moment of the listing (ms)
 */
export function procNfConntrack(flow: FlowRecord, now: number, gre: GreTimeouts): string {
  return (
    familyText(flow.family) +
    procBody(flow, gre) +
    `mark=${flow.mark} ` +
    // Measured: a zone of one direction stands in its tuple only.
    (flow.zoneOriginal === flow.zoneReply ? `zone=${flow.zoneOriginal} ` : '') +
    (flow.start === null ? '' : `delta-time=${deltaTime(flow.start, now)} `) +
    `use=${flow.uses + 1}`
  );
}
