/** How many fragments came from one IPv4 address. */
export interface Source {
  readonly address: number;
  count: number;
  /** Queues that refer to it. */
  queues: number;
}

/**
 * Counts fragments by IPv4 source, for as long as queues of that source are alive. That is how Linux notices that
 * an identification was used again: when more than ipfrag_max_dist fragments of the same source came since the
 * last one of this datagram, the earlier ones are taken for those of another datagram.
 */
export class Sources {
  private readonly byAddress = new Map<number, Source>();

  /** The counter of an address, for a new queue to hold on to. */
  hold(address: number): Source {
    let source = this.byAddress.get(address);
    if (source === undefined) {
      source = { address, count: 0, queues: 0 };
      this.byAddress.set(address, source);
    }
    source.queues++;
    return source;
  }

  /** A queue of the address is gone. */
  release(source: Source): void {
    if (--source.queues === 0) this.byAddress.delete(source.address);
  }
}
