/**
 * Figures of a run, shown when REVENGE_TEST_REPORT is set; what must hold is asserted
 * elsewhere.
 */
export function report(what: string, facts: Readonly<Record<string, unknown>>): void {
  if (process.env['REVENGE_TEST_REPORT'] === undefined) return;
  process.stdout.write(`      ${what} ${JSON.stringify(facts)}\n`);
}
