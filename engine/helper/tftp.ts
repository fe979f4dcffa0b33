import { EXPECT_ADDED } from '../conntrack/expectation.ts';
import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { followMaster } from '../nat/follow.ts';
import { isTranslated } from '../nat/mangle.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { DESTINATION, destinationOf, portAt, SOURCE, sourceOf } from './flow-ends.ts';
import { payloadOf } from './payload.ts';
import { refuse } from './refuse.ts';

/** Opcodes of requests (RFC 1350, section 5). */
const READ = 1;
const WRITE = 2;

/**
 * The server answers a request from another port (RFC 1350, section 4). Measured: of a request only its opcode is
 * looked at; one that comes the wrong way round counts too, and means the same client.
 */
function help(call: HelpCall): number {
  const { pkt } = call;
  const at = payloadOf(call);
  if (at + 2 > pkt.end) return HELP_ACCEPT;
  const opcode = pkt.view.getUint16(at);
  if (opcode !== READ && opcode !== WRITE) return HELP_ACCEPT;
  const translated = isTranslated(call);
  const verdict = call.conntrack.expect({
    master: call.flow,
    family: pkt.family,
    proto: IPPROTO_UDP,
    source: sourceOf(call, 1),
    destination: destinationOf(call, 1),
    sourcePort: null,
    destinationPort: portAt(call, 1, DESTINATION),
    onMatch: translated ? followMaster(call.conntrack) : null,
    dir: translated ? 1 : 0,
    savedPort: translated ? portAt(call, 0, SOURCE) : 0,
  });
  return verdict === EXPECT_ADDED ? HELP_ACCEPT : refuse(call);
}

/** TFTP (RFC 1350): one answer for each request, waited for five minutes (measured). */
export const TFTP_HELPER: Helper = {
  name: 'tftp',
  proto: IPPROTO_UDP,
  families: [AF_INET, AF_INET6],
  ports: [69],
  policies: [{ name: 'tftp', maxExpected: 1, timeout: 300_000 }],
  help,
};
