/** What the H.323 helpers remember of a flow. Pairs are indexed by direction: 0 original, 1 reply. */
export class H323State {
  /** Bytes of a message whose TPKT header came in a segment of its own; 0 if none is due. */
  readonly due: [number, number] = [0, 0];
  /** A port for signalling in the direction that told of it, and what it was translated to in the other. */
  readonly signalPorts: [number, number] = [0, 0];
  /** The same of RTP ports, one pair for each channel. */
  readonly mediaPorts: [number, number][] = [];
  /** How long an endpoint wants to be registered (s), 0 if it did not say. */
  timeToLive = 0;
}

/** {@link Helper.start} of all three helpers. */
export function startH323(): H323State {
  return new H323State();
}
