// The baseline of bench/http.ts: Express returning the bytes it was given on standard input.
import { text } from 'node:stream/consumers';
import express from 'express';

const body = await text(process.stdin);
const app = express();
app.get('/', (_request, response) => {
  response.type('application/json').send(body);
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
