import type { Profile } from '../conntrack/profile.ts';
import type { Tracker } from '../conntrack/tracker.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { GenericTracker } from './generic.ts';
import { GreTracker } from './gre.ts';
import { IcmpTracker } from './icmp.ts';
import { Icmpv6Tracker } from './icmpv6.ts';
import { SctpTracker } from './sctp.ts';
import { TcpTracker } from './tcp.ts';
import { ClassicTcpTracker } from './tcp-classic.ts';
import { UdpTracker } from './udp.ts';

/** The trackers of a profile, by protocol number 0 to 255. */
export function makeTrackers(profile: Profile): readonly Tracker[] {
  const trackers = new Array<Tracker>(256).fill(new GenericTracker());
  trackers[IPPROTO_TCP] = profile.tcpWindow ? new TcpTracker() : new ClassicTcpTracker();
  trackers[IPPROTO_UDP] = new UdpTracker(false);
  trackers[IPPROTO_ICMP] = new IcmpTracker();
  trackers[IPPROTO_ICMPV6] = new Icmpv6Tracker();
  if (profile.modernTrackers) {
    trackers[IPPROTO_SCTP] = new SctpTracker();
    trackers[IPPROTO_GRE] = new GreTracker();
    trackers[IPPROTO_UDPLITE] = new UdpTracker(true);
  }
  return trackers;
}
