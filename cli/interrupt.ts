/**
 * Notes Ctrl-C instead of dying of it. Whoever stops `tcpdump -w - | keepstate flows -` means tcpdump, and wants to
 * see what there was until then; the terminal tells both.
 */
export class Interrupt {
  /** Whether somebody wants it to end. */
  asked = false;
  private readonly on: boolean;
  private readonly note = (): void => {
    this.asked = true;
  };

  /** @param on false to leave Ctrl-C as it is */
  constructor(on: boolean) {
    this.on = on;
    if (on) process.on('SIGINT', this.note);
  }

  /** From now on Ctrl-C is again what it was. */
  end(): void {
    if (this.on) process.off('SIGINT', this.note);
  }
}
