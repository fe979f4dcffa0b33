/** Kinds of metrics, as Prometheus has them. */
export type MetricKind = 'counter' | 'gauge';

/** Labels of one sample. */
export type Labels = Readonly<Record<string, string>>;

/** A label's value as it stands in quotes. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Number.isNaN(value) ? 'NaN' : String(value);
}

/** Puts together a page in Prometheus' text format 0.0.4. */
export class MetricsPage {
  private text = '';

  /** A metric with its samples; one without any is left out. */
  metric(
    name: string,
    kind: MetricKind,
    help: string,
    samples: readonly (readonly [labels: Labels, value: number])[],
  ): void {
    if (samples.length === 0) return;
    this.text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`;
    for (const [labels, value] of samples) {
      const inside = Object.entries(labels).map(([key, word]) => `${key}="${escaped(word)}"`);
      this.text += `${name}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${numberText(value)}\n`;
    }
  }

  /** A metric with one sample. */
  one(name: string, kind: MetricKind, help: string, value: number): void {
    this.metric(name, kind, help, [[{}, value]]);
  }

  toString(): string {
    return this.text;
  }
}
