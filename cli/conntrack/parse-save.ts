import { ips, protocolName } from '@keepstate/engine';
import { wordsText } from './address.ts';
import { type ParseWorld, readArguments } from './command-line.ts';
import { type Place, refuseAt } from './dump-error.ts';
import { stateName } from './match.ts';
import { suggestedNat } from './nat-status.ts';
import { newEntry, portsOf } from './new-entry.ts';
import type { Request } from './request.ts';
import type { Entry } from './table.ts';
import { answerType, portKind } from './tuple.ts';
import { ToolError } from './words.ts';

/** The tuple of the answers as the line has it: -g and -n stand for -r and -q where it is translated. */
function replyOf(request: Request): Entry['reply'] | null {
  const { replySrc, replyDst, srcNat, dstNat, protonum } = request;
  const src = replySrc ?? dstNat?.to?.words;
  const dst = replyDst ?? srcNat?.to?.words;
  if (src === undefined || dst === undefined) return null;
  const kind = portKind(protonum ?? 0);
  const asked = portsOf(request, 'original');
  const type = asked.type === undefined ? undefined : answerType(protonum ?? 0, asked.type);
  const ports = kind !== 'icmp' ? portsOf(request, 'reply') : { ...asked, type: type ?? asked.type ?? 0 };
  return { src: wordsText(src), dst: wordsText(dst), ...ports };
}

/**
 * A flow of a line of conntrack -L -o save. (Its lines for DCCP lack what -A asks for: conntrack -R refuses them.)
 * @throws UsageError with file and line
 */
export function parseSaveLine(line: string, place: Place, world: ParseWorld): Entry {
  let request: Request;
  try {
    request = readArguments(['conntrack', ...line.split(/\s+/).filter((w) => w !== '')], world);
  } catch (error) {
    if (error instanceof ToolError) return refuseAt(place, 1, error.message);
    throw error;
  }
  if (request.command !== 'A' && request.command !== 'I') {
    return refuseAt(place, 1, `-${request.command} is no flow of a table: expected -A`);
  }
  const { original, zone, zoneOriginal, zoneReply, ...flow } = newEntry(request);
  const reply = replyOf(request);
  if (original === null || reply === null) {
    return refuseAt(place, 1, 'a flow needs -s and -d, -r or -g, and -q or -n');
  }
  return {
    flowId: place.line,
    family: flow.family,
    protonum: flow.protonum,
    protocol: protocolName(flow.protonum),
    state: flow.state === null ? null : stateName(flow.protonum, flow.state),
    timeout: flow.timeout * 1000 + 999,
    original,
    reply,
    status: ips.IPS_CONFIRMED | flow.status | suggestedNat(original, reply),
    mark: flow.mark,
    zoneOriginal: zone ?? zoneOriginal ?? 0,
    zoneReply: zone ?? zoneReply ?? 0,
    master: null,
    helper: null,
    uses: 1,
    counters: null,
    start: null,
    labels: [],
    vtags: flow.vtags,
  };
}
