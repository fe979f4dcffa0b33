/** How bad a line is. */
export type LogLevel = 'info' | 'warning' | 'error';

/** How lines are written: one JSON object each, or for eyes. */
export type LogFormat = 'text' | 'json';

/** What a line says besides its message. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** A value as it stands in a line for eyes; what has blanks or quotes in it is quoted. */
function valueText(value: LogFields[string]): string {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/**
 * The log of a running keepstate, on standard error: `{"time":…,"level":…,"event":…,"message":…,…}`, or
 * `TIME LEVEL EVENT: MESSAGE KEY=VALUE…`. Events are short words that stay the same.
 */
export class Log {
  private readonly format: LogFormat;
  private readonly say: (line: string) => void;
  /** Lines by level, for metrics. */
  readonly counts: Record<LogLevel, number> = { info: 0, warning: 0, error: 0 };

  /** @param say writes a line */
  constructor(format: LogFormat, say: (line: string) => void) {
    this.format = format;
    this.say = say;
  }

  info(event: string, message: string, fields: LogFields = {}): void {
    this.write('info', event, message, fields);
  }

  warning(event: string, message: string, fields: LogFields = {}): void {
    this.write('warning', event, message, fields);
  }

  error(event: string, message: string, fields: LogFields = {}): void {
    this.write('error', event, message, fields);
  }

  private write(level: LogLevel, event: string, message: string, fields: LogFields): void {
    this.counts[level]++;
    const time = new Date().toISOString();
    if (this.format === 'json') {
      this.say(JSON.stringify({ time, level, event, message, ...fields }));
      return;
    }
    const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`);
    // Errors of rules have lines of their own below: a line, carets.
    this.say(`${time} ${level.padEnd(7)} ${event}: ${message}${rest.join('')}`);
  }
}
