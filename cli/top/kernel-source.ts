import { readFileSync } from 'node:fs';
import { KernelTable, type Live, loadLive } from '../conntrack/kernel-table.ts';
import { ToolError } from '../conntrack/words.ts';
import { Failure } from '../trouble.ts';
import { TableSource } from './table-source.ts';

const MAX_FILE = '/proc/sys/net/netfilter/nf_conntrack_max';
/** What the kernel keeps of events until they are counted (bytes). */
const BUFFER_BYTES = 1 << 22;

function kernelMax(): number {
  try {
    return Number(readFileSync(MAX_FILE, 'utf8'));
  } catch {
    // Without it there is no bar.
    return 0;
  }
}

/** Counts flows that come and go: of the kernel's own counts none says that (Linux 6.18). */
class Counter {
  created: number | null = 0;
  destroyed: number | null = 0;
  private isShort = false;
  private readonly events: { close(): void };

  constructor(live: Live) {
    this.events = new live.CtnetlinkEvents('flows', ['NEW', 'DESTROY'], BUFFER_BYTES, {
      event: ({ kind }) => {
        if (kind === 'NEW') this.created!++;
        else this.destroyed!++;
      },
      lost: () => {
        this.isShort = true;
      },
      batch: () => {},
      // Nothing more is told.
      failed: () => {
        this.created = null;
        this.destroyed = null;
      },
    });
  }

  takeLost(): boolean {
    const { isShort } = this;
    this.isShort = false;
    return isShort;
  }

  close(): void {
    this.events.close();
  }
}

/**
 * The kernel's table, of the network namespace that the process is in.
 * @throws Failure where that cannot be, as without CAP_NET_ADMIN
 */
export async function kernelSource(): Promise<TableSource> {
  try {
    const live = await loadLive();
    const table = new KernelTable(live);
    try {
      // Whoever may not look is told before the screen is taken.
      table.count();
      const happened = new Counter(live);
      return new TableSource(table, {
        title: "the kernel's table",
        max: kernelMax,
        happened,
        close: () => happened.close(),
      });
    } catch (error) {
      table.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof ToolError) throw new Failure(error.message);
    const { errno } = error as { errno?: number };
    if (errno === 1) throw new Failure('--kernel: watching the table needs CAP_NET_ADMIN');
    throw error;
  }
}
