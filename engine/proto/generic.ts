import type { Conntrack } from '../conntrack/conntrack.ts';
import type { Settings } from '../conntrack/settings.ts';
import { TRACK_ACCEPT, type Tracker } from '../conntrack/tracker.ts';
import { T_PORTS, type Tuple } from '../conntrack/tuple.ts';
import type { Packet } from '../packet/packet.ts';

/** Every protocol without a tracker of its own: only the addresses count, one timer, never ASSURED. */
export class GenericTracker implements Tracker {
  readonly name = 'unknown';
  readonly error = null;
  private timeout = 0;

  configure(settings: Settings): void {
    this.timeout = settings.millis('nf_conntrack_generic_timeout');
  }

  tuple(_view: DataView, _l4: number, _end: number, out: Tuple): boolean {
    out[T_PORTS] = 0;
    return true;
  }

  invert(): number {
    return 0;
  }

  state(): null {
    return null;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    ct.refresh(flow, pkt, dir, this.timeout);
    return TRACK_ACCEPT;
  }
}
