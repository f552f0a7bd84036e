/** One figure of a benchmark beside the baseline it was measured with, in the same run. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, and that one's figure in the same unit. */
  readonly baseline?: { readonly name: string; readonly value: number };
  readonly note?: string;
}

const short = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

/** Prints rows as `name: value unit — ratio × baseline (value)`. */
export function report(title: string, rows: readonly Row[]): void {
  process.stdout.write(`\n${title}\n`);
  for (const { name, value, unit, baseline, note } of rows) {
    const against =
      baseline === undefined
        ? ''
        : `  =  ${(value / baseline.value).toFixed(2)} × ${baseline.name} (${short(baseline.value)})`;
    const more = note === undefined ? '' : `  [${note}]`;
    process.stdout.write(`  ${name}: ${short(value)} ${unit}${against}${more}\n`);
  }
}

/** The middle of a list; for an even count the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
