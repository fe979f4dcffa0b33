/** What is done again and again may take a twentieth of the time. */
const TIMES = 20;
/** Bounds of the wait between two times (ms). */
const LEAST = 100;
const MOST = 5_000;

/** Paces something that holds up packets and is asked for at any rate: soon where it is quick, seldom where it is slow. */
export class Pace {
  private next = 0;

  /** Whether it may be done again. @param now ms of any clock that never goes back */
  isDue(now: number): boolean {
    return now >= this.next;
  }

  /** It was done. @param begin when it began, `end` when it ended (ms of the same clock) */
  done(begin: number, end: number): void {
    this.next = end + Math.min(MOST, Math.max(LEAST, TIMES * (end - begin)));
  }
}
