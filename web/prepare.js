// Builds the web app when the project is installed, so that `npm ci && npm start` serves it. Where
// its tools were left out (`npm ci --omit=dev`) a node serves its API without it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const vite = fileURLToPath(new URL('../node_modules/vite', import.meta.url));

if (existsSync(vite)) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: here,
    encoding: 'utf8',
  });
  if (status === 0) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`the web app was built in ${seconds} s\n`);
  } else {
    // What a build says is worth reading only when it failed.
    process.stderr.write(`${stdout}${stderr}the web app could not be built\n`);
    process.exitCode = 1;
  }
} else {
  process.stdout.write('the web app is not built: its tools are not installed\n');
}
