import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../deploy/healthcheck.js', import.meta.url));

async function check(port: number, ...args: string[]): Promise<{ code: unknown; said: string }> {
  const env = { PATH: process.env['PATH'], REVENGE_SERVER_PORT: String(port) };
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 2] });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: said.trim() };
}

async function withServer<T>(answer: RequestListener, use: (port: number) => Promise<T>) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the health check of the image', () => {
  const cases: [string, number, number, string][] = [
    ['keeps a node that says yes', 200, 0, '/health/swarm: 200'],
    ['gives up one that says no', 503, 1, '/health/swarm: 503'],
    ['does not follow elsewhere', 302, 1, '/health/swarm: 302'],
    ['takes no other program for a node', 404, 1, '/health/swarm: 404'],
  ];
  for (const [name, status, code, said] of cases) {
    it(name, async () => {
      const asked: (string | undefined)[] = [];
      const result = await withServer((req, res) => {
        asked.push(req.url);
        res.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('{}');
      }, check);
      expect(result).to.deep.equal({ code, said });
      expect(asked).to.deep.equal(['/health/swarm']);
    });
  }

  it('asks for another path when told', async () => {
    const result = await withServer(
      (req, res) => res.writeHead(req.url === '/health/ready' ? 200 : 404).end(),
      (port) => check(port, '/health/ready'),
    );
    expect(result).to.deep.equal({ code: 0, said: '/health/ready: 200' });
  });

  it('says that nothing listens', async () => {
    const port = await withServer(
      () => undefined,
      async (open) => open,
    );
    const { code, said } = await check(port);
    expect(code).to.equal(1);
    expect(said).to.contain('ECONNREFUSED');
  });

  it('does not wait for ever for a node that hangs', async () => {
    const { code, said } = await withServer(() => undefined, check);
    expect(code).to.equal(1);
    expect(said).to.contain('no answer within');
  });

  it('is done with the first word of an answer that never ends', async () => {
    const { code } = await withServer((_req, res) => res.writeHead(200).write('{'), check);
    expect(code).to.equal(0);
  });
});
