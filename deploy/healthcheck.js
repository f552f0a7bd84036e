// Asks the node in this container whether its orchestrator should keep it. Exits 0 when it should,
// 1 when not; the one line it prints is what `docker inspect` shows. Needs no shell, curl, package.
//
//   node healthcheck.js [path or URL]     default: /health/swarm, at REVENGE_SERVER_PORT or 8080
import { get } from 'node:http';
import process from 'node:process';
import { setTimeout } from 'node:timers';

// Shorter than the 5 s after which the engine kills a check: an answer of our own says more.
const patienceMs = 4_000;
const port = process.env['REVENGE_SERVER_PORT'] ?? '8080';
const url = new URL(process.argv[2] ?? '/health/swarm', `http://127.0.0.1:${port}`);

/** @param {boolean} isWell @param {string} why */
function end(isWell, why) {
  process.stdout.write(`${url.pathname}: ${why}\n`, () => process.exit(isWell ? 0 : 1));
}

setTimeout(() => end(false, `no answer within ${patienceMs} ms`), patienceMs);
get(url, { agent: false }, ({ statusCode }) => end(statusCode === 200, String(statusCode))).on(
  'error',
  (error) => end(false, error.message || String(error)),
);
