import { SourceError } from '@keepstate/engine';
import { compileFilter, type Filter } from '../filter.ts';
import { printable } from '../printable.ts';
import { compareRows, ORDERS, type Order } from './order.ts';
import type { Rates } from './rates.ts';
import type { Row, Snapshot, Wish } from './sampler.ts';
import type { Look } from './source.ts';

/** A key: what it types, or its name. */
export interface Press {
  readonly text: string;
  readonly name: KeyName | null;
}

export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'delete'
  | 'clear'
  | 'interrupt';

/** What a key asks for beyond the screen. */
export type Deed =
  | { readonly kind: 'quit' }
  /** Another order or filter: the table is to be gone through anew. */
  | { readonly kind: 'look' }
  | { readonly kind: 'delete'; readonly row: Row };

/** What the lowest line is for. */
export type Mode = 'list' | 'filter' | 'delete' | 'help';

/** Columns that one press of an arrow goes to the side. */
const SIDEWAYS = 10;

const QUIT: Deed = { kind: 'quit' };
const LOOK: Deed = { kind: 'look' };

/** Everything that the screen shows, and how keys change it. */
export class TopModel {
  readonly title: string;
  look: Look | null = null;
  rates: Rates | null = null;
  snapshot: Snapshot = { rows: [], total: 0, matched: 0, states: {}, counts: false };
  /** How much of a pass that takes long is done: flows so far; null if none is under way. */
  passing: number | null = null;
  mode: Mode = 'list';
  order: Order;
  isReversed: boolean;
  isPaused = false;
  filterText: string;
  filter: Filter | null;
  /** What is typed at the filter's prompt, and what is wrong with it. */
  draft = '';
  draftError: string | null = null;
  /** What happened last, until the next key. */
  message: string | null = null;
  /** Index of the marked row, and of the first that is shown. */
  marked = 0;
  first = 0;
  /** Columns that lines are moved to the left. */
  shift = 0;
  /** Rows that fit on the screen: whoever draws says it. */
  page = 10;
  /** The flow that is asked about. */
  private asked: Row | null = null;

  /** @throws SourceError for a filter that is none */
  constructor(title: string, order: Order, isReversed: boolean, filterText: string) {
    this.title = printable(title);
    this.order = order;
    this.isReversed = isReversed;
    this.filterText = filterText;
    this.filter = filterText === '' ? null : compileFilter(filterText, 'top');
  }

  get wish(): Wish {
    return { filter: this.filter, order: this.order, reversed: this.isReversed };
  }

  /** The row that is marked, null if there is none. */
  get row(): Row | null {
    return this.snapshot.rows[this.marked] ?? null;
  }

  /** The row whose deletion is to be confirmed. */
  get askedRow(): Row | null {
    return this.asked;
  }

  /** Rows on the screen. */
  get shown(): readonly Row[] {
    return this.snapshot.rows.slice(this.first, this.first + this.page);
  }

  /** Takes what a pass found; the mark stays on its flow as long as that is there. */
  take(snapshot: Snapshot): void {
    const id = this.row?.entry.flowId;
    // Whoever has not moved sees the first rows, whichever they are.
    if (this.marked > 0 && id !== undefined) {
      const at = snapshot.rows.findIndex(({ entry }) => entry.flowId === id);
      if (at >= 0) {
        this.first += at - this.marked;
        this.marked = at;
      }
    }
    this.snapshot = snapshot;
    this.keepInSight();
  }

  /** Says how many rows there is room for. */
  fit(page: number): void {
    this.page = Math.max(1, page);
    this.keepInSight();
  }

  /** A key was pressed. @returns what it asks for beyond the screen */
  press(key: Press): Deed | null {
    this.message = null;
    if (key.name === 'interrupt') return QUIT;
    switch (this.mode) {
      case 'filter':
        return this.pressInFilter(key);
      case 'delete':
        return this.pressInDelete(key);
      case 'help':
        this.mode = 'list';
        return key.text === 'q' ? QUIT : null;
      default:
        return this.pressInList(key);
    }
  }

  private pressInList({ text, name }: Press): Deed | null {
    if (name !== null && this.move(name)) return null;
    if (name === 'escape' && this.filterText !== '') return this.setFilter('');
    switch (name === 'delete' ? 'd' : text) {
      case 'q':
        return QUIT;
      case '>':
      case 's':
        return this.turnTo(1);
      case '<':
      case 'S':
        return this.turnTo(-1);
      case 'r':
        this.isReversed = !this.isReversed;
        return this.reordered();
      case '/':
      case 'f':
        this.mode = 'filter';
        this.draft = this.filterText;
        this.draftError = null;
        return null;
      case 'd':
        this.ask();
        return null;
      case ' ':
        this.isPaused = !this.isPaused;
        return this.isPaused ? null : LOOK;
      case '?':
      case 'h':
        this.mode = 'help';
        return null;
      default:
        this.move(VI[text] ?? null);
        return null;
    }
  }

  /** @returns whether the key moves anything */
  private move(name: KeyName | null): boolean {
    switch (name) {
      case 'left':
      case 'right':
        this.shift = Math.max(0, this.shift + (name === 'left' ? -SIDEWAYS : SIDEWAYS));
        return true;
      case 'up':
        this.marked--;
        break;
      case 'down':
        this.marked++;
        break;
      case 'page-up':
        this.marked -= this.page;
        break;
      case 'page-down':
        this.marked += this.page;
        break;
      case 'home':
        this.marked = 0;
        break;
      case 'end':
        this.marked = this.snapshot.rows.length - 1;
        break;
      default:
        return false;
    }
    this.keepInSight();
    return true;
  }

  private pressInFilter({ text, name }: Press): Deed | null {
    this.draftError = null;
    switch (name) {
      case 'enter':
        return this.setFilter(this.draft.trim());
      case 'escape':
        this.mode = 'list';
        return null;
      case 'clear':
        this.draft = '';
        return null;
      case 'backspace':
      case 'delete':
        this.draft = this.draft.slice(0, -1);
        return null;
      default:
        // Pasted text comes in one piece.
        if (name === null) this.draft += text.replace(/[^ -~]/g, '');
        return null;
    }
  }

  private pressInDelete({ text }: Press): Deed | null {
    const row = this.asked;
    this.mode = 'list';
    this.asked = null;
    if (row !== null && (text === 'y' || text === 'Y')) return { kind: 'delete', row };
    this.message = 'not deleted';
    return null;
  }

  private ask(): void {
    const { row } = this;
    if (row === null || row.isGone) {
      this.message = row === null ? 'there is no flow to delete' : 'it is gone already';
      return;
    }
    this.asked = row;
    this.mode = 'delete';
  }

  private setFilter(text: string): Deed | null {
    try {
      this.filter = text === '' ? null : compileFilter(text, 'top');
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const [first = ''] = error.message.split('\n');
      this.draftError = `column ${error.at.col}: ${first.replace(/^--filter:\d+:\d+: /, '')}`;
      return null;
    }
    this.filterText = text;
    this.mode = 'list';
    return LOOK;
  }

  private turnTo(step: number): Deed {
    const at = ORDERS.indexOf(this.order) + step + ORDERS.length;
    this.order = ORDERS[at % ORDERS.length]!;
    this.isReversed = false;
    return this.reordered();
  }

  /** Until the table was gone through anew, what is there stands in the new order. */
  private reordered(): Deed {
    const { order, isReversed, snapshot } = this;
    const rows = [...snapshot.rows];
    for (const row of rows) row.key = order.key(row);
    rows.sort(compareRows(order, isReversed));
    this.marked = 0;
    this.take({ ...snapshot, rows });
    return LOOK;
  }

  private keepInSight(): void {
    const { length } = this.snapshot.rows;
    this.marked = Math.max(0, Math.min(this.marked, length - 1));
    const lowest = Math.max(0, length - this.page);
    const wanted = Math.max(this.marked - this.page + 1, Math.min(this.first, this.marked));
    this.first = Math.max(0, Math.min(wanted, lowest));
  }
}

/** Letters that move as in vi. */
const VI: Readonly<Record<string, KeyName>> = {
  j: 'down',
  k: 'up',
  g: 'home',
  G: 'end',
};
