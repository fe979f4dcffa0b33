import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_ID, ROW_WORDS } from '../conntrack/flow-table.ts';

/** Words of connlabels: 128 bits. */
const LABEL_WORDS = 4;

interface Note {
  /** The flow that the row held when this was written down: rows are used again. */
  id: number;
  helper: string | null;
  labels: Int32Array | null;
  /** IPCT_* bits that still go out, -1 for all. */
  events: number;
}

/** What rules write down about flows and tracking itself does not need: labels, the name of a helper. */
export class FlowNotes {
  private readonly conntrack: Conntrack;
  private readonly notes: Map<number, Note> = new Map();

  constructor(conntrack: Conntrack) {
    this.conntrack = conntrack;
  }

  private idOf(flow: number): number {
    return this.conntrack.table.words[flow * ROW_WORDS + F_ID]!;
  }

  private find(flow: number): Note | null {
    const note = this.notes.get(flow);
    return note !== undefined && note.id === this.idOf(flow) ? note : null;
  }

  private ensure(flow: number): Note {
    const found = this.find(flow);
    if (found !== null) return found;
    const note: Note = { id: this.idOf(flow), helper: null, labels: null, events: -1 };
    this.notes.set(flow, note);
    return note;
  }

  /** Name of the helper that a rule assigned to a flow, null if none. */
  helper(flow: number): string | null {
    return this.find(flow)?.helper ?? null;
  }

  /** Assigns a helper. */
  setHelper(flow: number, helper: string): void {
    this.ensure(flow).helper = helper;
  }

  /** A flow's 128 labels in this machine's byte order, null if it has none. */
  labels(flow: number): Int32Array | null {
    return this.find(flow)?.labels ?? null;
  }

  /** A flow's labels, to be changed. */
  ensureLabels(flow: number): Int32Array {
    const note = this.ensure(flow);
    note.labels ??= new Int32Array(LABEL_WORDS);
    return note.labels;
  }
}

const byConntrack = new WeakMap<Conntrack, FlowNotes>();

/** The notes of a table of flows. */
export function flowNotes(conntrack: Conntrack): FlowNotes {
  let notes = byConntrack.get(conntrack);
  if (notes === undefined) {
    notes = new FlowNotes(conntrack);
    byConntrack.set(conntrack, notes);
  }
  return notes;
}
