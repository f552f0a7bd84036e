#!/usr/bin/env node
// The `revenge` command. The program is TypeScript that Node 24 runs as it stands; `npm ci` brings
// that Node as a package, so a machine whose own Node is older re-executes under the right one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
// Not by name: Node 20 has no compile cache, and would refuse this file before its first line.
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { fileURLToPath } from 'node:url';

const oldestMajor = 24;

/** The first word that is no option, nor the value of one, names the command. */
function isWitness() {
  const words = process.argv.slice(2);
  const takesValue = (word) => word === '--data' || word === '--config';
  const at = words.findIndex((word, nth) => !word.startsWith('-') && !takesValue(words[nth - 1]));
  return words[at] === 'witness';
}

function runUnderOwnNode() {
  const own = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (!existsSync(own)) {
    process.stderr.write(
      `revenge: needs Node ${oldestMajor} or newer, this is ${process.version}; run "npm ci" in ` +
        'the project folder (without --omit=optional), it brings its own Node\n',
    );
    process.exit(78);
  }
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}

if (Number(process.versions.node.split('.')[0]) < oldestMajor) {
  runUnderOwnNode();
} else {
  module.enableCompileCache();
  // A home server's memory is for its films: collect earlier, for a few percent of speed.
  setFlagsFromString('--heap-growing-percent=30');
  const { main } = await import(isWitness() ? './cli/witness.ts' : './cli/main.ts');
  process.exitCode = await main(process.argv.slice(2));
}
