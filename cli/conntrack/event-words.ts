import type { EventKind } from '../format/event-line.ts';
import type { EventWord } from './word-lists.ts';

/** What -e calls each kind of event. */
export const WORDS: Readonly<Record<EventKind, EventWord>> = {
  NEW: 'NEW',
  UPDATE: 'UPDATES',
  DESTROY: 'DESTROY',
};

/** What -o save prints an event as. */
export const SAVED: Readonly<Record<EventKind, 'A' | 'U' | 'D'>> = { NEW: 'A', UPDATE: 'U', DESTROY: 'D' };

/** What -o xml calls each kind. */
export const XML_TYPES: Readonly<Record<EventKind, 'new' | 'update' | 'destroy'>> = {
  NEW: 'new',
  UPDATE: 'update',
  DESTROY: 'destroy',
};
