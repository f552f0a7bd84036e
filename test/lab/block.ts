// Keeps the event loop of another process on this host busy: node block.ts PID MS.
import { setTimeout as pause } from 'node:timers/promises';

const [pid = 0, ms = 0] = process.argv.slice(2).map(Number);
/** Where Node opens its inspector on SIGUSR1. */
const inspector = 'http://127.0.0.1:9229/json/list';
const openMaxMs = 5_000;

async function openInspector(): Promise<WebSocket> {
  process.kill(pid, 'SIGUSR1');
  for (const end = Date.now() + openMaxMs; Date.now() < end; await pause(50)) {
    const found = await fetch(inspector).catch(() => undefined);
    if (!found) continue;
    const [target] = (await found.json()) as { webSocketDebuggerUrl: string }[];
    if (!target) continue;
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error('the inspector takes no connection'));
    });
    return socket;
  }
  throw new Error(`process ${pid} opens no inspector`);
}

/** Resolves to the value of the expression. */
function evaluate(socket: WebSocket, expression: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      const { result, error } = JSON.parse(String(data)) as {
        result?: { result?: { value?: unknown } };
        error?: { message: string };
      };
      if (error) reject(new Error(error.message));
      else resolve(result?.result?.value);
    };
    socket.onclose = () => resolve(undefined);
    const params = { expression, returnByValue: true };
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
  });
}

const socket = await openInspector();
if ((await evaluate(socket, 'process.pid')) !== pid) throw new Error('that is another process');
await evaluate(
  socket,
  `for (const until = performance.now() + ${ms}; performance.now() < until;);`,
);
// So that the next one on this host finds the port free.
await evaluate(socket, `process.getBuiltinModule('node:inspector').close()`);
socket.close();
