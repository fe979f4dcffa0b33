import {
  F_ID,
  F_KIND,
  F_STATUS,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IPPROTO_TCP,
  ips,
  REASONS,
  ROW_WORDS,
} from '@keepstate/engine';
import { counted } from './counted.ts';
import type { Session } from './session.ts';

/** Fewer packets than this say nothing about a capture as a whole. */
const ENOUGH = 10;
/** A step back in time that no reordering explains (ms). */
const CLOCK_SET = 1000;

function count(session: Session, name: (reason: string) => boolean): number {
  return REASONS.filter((r) => name(r.name)).reduce((sum, r) => sum + session.reasons[r.id]!, 0);
}

/** `1 of 20 packets was`, `3 of 20 packets were`. */
function outOf(count: number, { packets }: Session): string {
  return `${count} of ${counted(packets, 'packet')} ${count === 1 ? 'was' : 'were'}`;
}

/** Bad checksums by the dozen are not damage but a capture from the sender itself. */
function checksumHint(session: Session): string | null {
  const bad = count(session, (name) => name.endsWith('-checksum') && name !== 'ip-checksum');
  if (bad < ENOUGH || bad * 20 < session.packets) return null;
  return (
    `${bad} of ${session.packets} packets have a bad transport checksum. A capture taken on the sending host ` +
    'looks like that, because the network card fills checksums in: try --sysctl nf_conntrack_checksum=0.'
  );
}

function cutHint(session: Session): string | null {
  const cut = count(session, (name) => name === 'cut-short');
  if (cut === 0) return null;
  return (
    `${outOf(cut, session)} cut short by the capture (snap length) and skipped, so that ` +
    'flows lack what was in them: capture whole packets (tcpdump -s 0).'
  );
}

/** A link layer that is not read makes a capture look empty, which it is not. */
function linkHint(session: Session): string | null {
  const unread = count(session, (name) => name === 'link-unknown');
  if (unread === 0) return null;
  return (
    `${outOf(unread, session)} skipped, since keepstate does not read the link type (number ` +
    `${[...session.unreadLinks].join(', ')} of tcpdump.org/linktypes.html).`
  );
}

/** Whether rules translate a flow. */
function isTranslated({ firewall: { conntrack } }: Session): boolean {
  let found = false;
  conntrack.eachFlow((flow) => {
    found ||= (conntrack.table.words[flow * ROW_WORDS + F_STATUS]! & ips.IPS_NAT_MASK) !== 0;
  });
  return found;
}

/** Packets a little out of order are common; a clock that was set back is not, and holds every timer up. */
function clockHint(session: Session): string | null {
  if (session.backwards < CLOCK_SET) return null;
  return (
    `packets are up to ${Math.round(session.backwards / 1000)} s older than ones before them. The clock of tracking ` +
    'never goes back, so timers run out late: sort the capture by time (reordercap).'
  );
}

/** TCP flows that were picked up in the middle and never answered: only their one side was captured. */
function oneSided(session: Session): readonly [oneSided: number, all: number] {
  const { conntrack } = session.firewall;
  const tcp = conntrack.tracker(IPPROTO_TCP);
  let all = 0;
  let alone = 0;
  conntrack.eachFlow((flow) => {
    const w = conntrack.table.words;
    const at = flow * ROW_WORDS;
    if ((w[at + F_KIND]! & 255) !== IPPROTO_TCP || w[at + F_ID] === 0) return;
    all++;
    const silent = (w[at + F_STATUS]! & ips.IPS_SEEN_REPLY) === 0;
    if (silent && tcp.state(conntrack, flow) !== 'SYN_SENT') alone++;
  });
  return [alone, all];
}

function directionHint(session: Session): string | null {
  const { states } = session;
  const replies = states[IP_CT_ESTABLISHED_REPLY]! + states[IP_CT_RELATED_REPLY]!;
  const tracked = replies + states[IP_CT_ESTABLISHED]! + states[IP_CT_NEW]! + states[IP_CT_RELATED]!;
  const [alone, all] = oneSided(session);
  if (tracked >= ENOUGH && replies === 0) {
    // Where rules let next to nothing begin, nothing can answer, whatever was captured: the trace says who drops it.
    if (session.newDropped * 2 > states[IP_CT_NEW]!) return null;
    if (isTranslated(session)) {
      return (
        'the rules translate addresses, and no packet of the capture answers to the translated ones: a capture from ' +
        'both sides of the router that translates has them (tcpdump -i any).'
      );
    }
    const seen =
      'no packet went in reply direction: either nothing answered, or only one direction was captured (asymmetric ' +
      'routing, one side of a tap), so that states and windows cannot be followed';
    // A capture from both sides of a router that translates has each packet under two addresses.
    const nat = ', or the answers come to translated addresses: --rules FILE has the rules that do so';
    return `${seen}${session.rules === null ? nat : ''}.`;
  }
  if (alone < ENOUGH || alone * 5 < all) return null;
  return (
    `${alone} of ${all} TCP flows in the table were seen in one direction only: if the way back takes another ` +
    'route, capture there too; --sysctl nf_conntrack_tcp_be_liberal=1 shows what a kernel would do that forgives it.'
  );
}

/** What a user should know about a capture as a whole, a sentence each; usually nothing. */
export function hints(session: Session): string[] {
  return [linkHint, checksumHint, cutHint, clockHint, directionHint]
    .map((hint) => hint(session))
    .filter((hint) => hint !== null);
}
