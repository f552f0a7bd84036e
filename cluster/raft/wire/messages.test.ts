import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './messages.ts';
import type { EncodeOptions } from './messages.ts';

interface Exchange {
  readonly id: string;
  readonly request: string;
  readonly response: string;
}

const file = new URL('../../../test/fixtures/raft/exchanges.json', import.meta.url);
const exchanges = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('exchanges captured between hashicorp/raft nodes', () => {
  for (const { id, request, response } of exchanges) {
    it(`${id} is read, and written to the same bytes`, () => {
      const options: EncodeOptions = { isUnsigned: id.startsWith('112') };
      const asked = decodeRequest(bytesOf(request));
      expect(hexOf(Buffer.concat(encodeRequest(asked, options)))).to.equal(request);
      const answered = decodeResponse(asked.kind, bytesOf(response));
      expect(hexOf(encodeResponse(answered, options))).to.equal(response);
    });
  }
});
