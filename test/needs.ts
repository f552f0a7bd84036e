import { constants, accessSync, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a run left out, and for want of what. */
const missing = new Map<string, number>();

const complete = () => process.env['REVENGE_TEST_COMPLETE'] === '1' || process.env['CI'] === 'true';

/**
 * Call inside `describe`: leaves its tests out, and counts them, when a tool is not on this
 * machine (`root`, or any command on PATH). Where completeness is asked for it fails instead.
 */
export function needs(...tools: string[]): void {
  before(function () {
    const absent = tools.filter((tool) => !has(tool));
    if (absent.length === 0) return;
    const suite = this.test?.parent;
    const count = suite ? countTests(suite) : 1;
    if (complete()) throw new Error(`these tests need ${absent.join(', ')}`);
    for (const tool of absent) missing.set(tool, (missing.get(tool) ?? 0) + count);
    this.skip();
  });
}

/** Whether a tool is on this machine. */
export function has(tool: string): boolean {
  if (tool === 'root') return process.getuid?.() === 0;
  return findTool(tool) !== undefined;
}

/** The path of a command, looked for like a shell does. */
export function findTool(tool: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders
    .filter(Boolean)
    .map((folder) => join(folder, tool))
    .find((path) => existsSync(path) && executable(path));
}

/** One line on what was left out, or undefined when all ran. */
export function leftOut(): string | undefined {
  if (missing.size === 0) return undefined;
  const parts = [...missing].map(([tool, count]) => `${count} tests (no ${tool})`);
  return `left out: ${parts.join(', ')}`;
}

function countTests(suite: Mocha.Suite): number {
  return suite.tests.length + suite.suites.reduce((sum, child) => sum + countTests(child), 0);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // present but not for us to run is the same as absent
  }
}
