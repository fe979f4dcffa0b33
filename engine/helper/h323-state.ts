import type { Helper } from '../conntrack/helper.ts';
import { isNumbers } from './saved-data.ts';

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

/** What all three helpers do with their data. */
export const H323_DATA: Required<Pick<Helper, 'start' | 'save' | 'restore'>> = {
  start: startH323,
  save: (data) => data,
  restore: restoreH323,
};

function restoreH323(saved: unknown): H323State | undefined {
  const from = saved as Partial<Readonly<Record<keyof H323State, unknown>>> | null;
  if (typeof from !== 'object' || from === null) return undefined;
  const { due, signalPorts, mediaPorts, timeToLive } = from;
  if (!isNumbers(due, 2) || !isNumbers(signalPorts, 2) || !isNumbers([timeToLive], 1)) return undefined;
  if (!Array.isArray(mediaPorts) || !mediaPorts.every((pair) => isNumbers(pair, 2))) return undefined;
  const state = new H323State();
  for (const dir of [0, 1] as const) {
    state.due[dir] = due[dir]!;
    state.signalPorts[dir] = signalPorts[dir]!;
  }
  for (const pair of mediaPorts as [number, number][]) state.mediaPorts.push([pair[0], pair[1]]);
  state.timeToLive = timeToLive as number;
  return state;
}

function startH323(): H323State {
  return new H323State();
}
