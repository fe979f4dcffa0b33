import { FragQueue } from './queue.ts';

/**
 * The queues of one family, with their timers and their memory. Bounded as in Linux: once memory is above the high
 * threshold nothing is taken in any more, not even for queues that exist, until some time out. The low threshold
 * plays no part since Linux 4.17 (measured: set to 1 it changes nothing).
 */
export class FragQueues {
  /** Bytes of memory that all queues are charged with. */
  memory = 0;
  private readonly queueSize: number;
  private readonly byKey = new Map<string, FragQueue>();
  private oldest: FragQueue | null = null;
  private newest: FragQueue | null = null;

  /** @param queueSize memory charged for a queue without fragments, in bytes */
  constructor(queueSize: number) {
    this.queueSize = queueSize;
  }

  /** Queues alive. */
  get count(): number {
    return this.byKey.size;
  }

  /** The queue with a key, undefined if there is none. */
  find(key: string): FragQueue | undefined {
    return this.byKey.get(key);
  }

  /** Makes a queue that lives until `deadline` (ms). */
  create(key: string, deadline: number): FragQueue {
    const queue = new FragQueue(key);
    queue.deadline = deadline;
    queue.memory = this.queueSize;
    this.memory += this.queueSize;
    this.byKey.set(key, queue);
    this.link(queue);
    return queue;
  }

  /** Charges a queue with the memory of a fragment that it took in. */
  charge(queue: FragQueue, bytes: number): void {
    queue.memory += bytes;
    this.memory += bytes;
  }

  /** Empties a queue and starts its timer anew. */
  restart(queue: FragQueue, deadline: number): void {
    this.charge(queue, this.queueSize - queue.memory);
    this.unlink(queue);
    queue.deadline = deadline;
    this.link(queue);
    queue.restart();
  }

  /** Forgets a queue and all its fragments. */
  kill(queue: FragQueue): void {
    this.byKey.delete(queue.key);
    this.unlink(queue);
    this.memory -= queue.memory;
  }

  /**
   * The queue that timed out first, undefined if none has; for the caller to kill. Linux's timers are never early
   * and up to an eighth late (measured: 1004 to 1030 ms for 1 s, so a queue is alive at its very deadline.
   */
  expired(now: number): FragQueue | undefined {
    return this.oldest !== null && this.oldest.deadline < now ? this.oldest : undefined;
  }

  /** Puts a queue in its place by deadline: at the end, unless the timeout was lowered meanwhile. */
  private link(queue: FragQueue): void {
    let before = this.newest;
    while (before !== null && before.deadline > queue.deadline) before = before.older;
    const after = before === null ? this.oldest : before.newer;
    queue.older = before;
    queue.newer = after;
    if (before === null) this.oldest = queue;
    else before.newer = queue;
    if (after === null) this.newest = queue;
    else after.older = queue;
  }

  private unlink(queue: FragQueue): void {
    if (queue.older === null) this.oldest = queue.newer;
    else queue.older.newer = queue.newer;
    if (queue.newer === null) this.newest = queue.older;
    else queue.newer.older = queue.older;
  }
}
