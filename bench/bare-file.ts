// The baseline of bench/transfer.ts: node:http and createReadStream, and nothing else.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , film = ''] = process.argv;
const { size } = statSync(film);
const server = createServer((request, response) => {
  const [, start = '0', end = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
  const last = end === '' ? size - 1 : Number(end);
  response.writeHead(206, { 'content-length': last - Number(start) + 1 });
  // Node's own default of 64 KiB would be a weaker baseline than it has to be.
  const options = { start: Number(start), end: last, highWaterMark: 2 ** 20 };
  createReadStream(film, options).pipe(response);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
