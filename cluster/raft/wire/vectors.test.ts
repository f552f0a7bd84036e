import { createHash } from 'node:crypto';
import { expect } from 'chai';
import vectors from '#test/fixtures/raft/vectors.json' with { type: 'json' };
import { decodeConfiguration, encodeConfiguration } from './configuration.ts';
import { decodeGoTime, encodeGoTime } from './gotime.ts';
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Kind,
} from './messages.ts';
import {
  WireError,
  createWriter,
  openValue,
  readInt,
  readRaw,
  writeInt,
  writeNil,
  writeRaw,
  writeUint,
  written,
  type Int,
} from './msgpack.ts';
import { createRequestReader, createResponseReader } from './stream.ts';

const exchanges = vectors.exchanges as unknown as readonly Exchange[];
interface Exchange {
  readonly id: string;
  readonly kind: Kind;
  readonly request: { hex?: string; sha256?: string; bytes?: number; decoded: unknown };
  readonly response: { hex: string; error: string; decoded: unknown };
}

/** Decoded values as the fixture spells them: raw bytes in hex, long runs in short, times as bytes. */
function spelled(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value).toString('hex');
    const isRun = value.length > 250 && value.every((byte) => byte === value[0]);
    return isRun ? { byte: hex.slice(0, 2), times: value.length } : hex;
  }
  if (Array.isArray(value)) return value.map(spelled);
  if (value === null || typeof value !== 'object') return value;
  const present = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(present.map(([name, part]) => [name, spelled(part)]));
}

/** The fixture's spelling back to what the codec works on. */
function meant(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value, 'hex');
  if (Array.isArray(value)) return value.map(meant);
  if (value === null || typeof value !== 'object') return value;
  if ('byte' in value && 'times' in value) {
    return Buffer.alloc(Number(value.times), Buffer.from(String(value.byte), 'hex'));
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, meant(part)]));
}

/** Go 1.1.2 writes its `int` fields unsigned. */
const style = (id: string) => ({ isUnsigned: id.startsWith('112/') });

/** A captured request: its bytes, or, too long to keep, what encodes to the kept digest. */
function requestBytes({ id, kind, request }: Exchange): Buffer {
  if (request.hex !== undefined) return Buffer.from(request.hex, 'hex');
  const message = { kind, body: meant(request.decoded) } as never;
  return Buffer.concat(encodeRequest(message, style(id)));
}

describe('hashicorp vectors', () => {
  for (const exchange of exchanges) {
    const { id, kind, request, response } = exchange;
    it(`${id} decodes and encodes to the same bytes`, () => {
      const bytes = requestBytes(exchange);
      if (request.sha256 !== undefined) {
        expect(bytes.length).to.equal(request.bytes);
        expect(createHash('sha256').update(bytes).digest('hex')).to.equal(request.sha256);
      }
      const message = decodeRequest(bytes);
      expect(message.kind).to.equal(kind);
      expect(spelled(message.body)).to.deep.equal(request.decoded);
      expect(Buffer.concat(encodeRequest(message, style(id))).equals(bytes)).to.equal(true);

      const answer = decodeResponse(kind, Buffer.from(response.hex, 'hex'));
      expect(answer.error).to.equal(response.error);
      expect(spelled(answer.body)).to.deep.equal(response.decoded);
      expect(Buffer.from(encodeResponse(answer, style(id))).toString('hex')).to.equal(response.hex);
    });

    it(`${id} survives being cut anywhere`, () => {
      const bytes = requestBytes(exchange);
      // Long ones are the same byte over and over; their ends and a sample stand for the rest.
      const step = bytes.length > 5000 ? 977 : 1;
      for (let cut = 0; cut <= bytes.length; cut += cut < 500 ? 1 : step) {
        const reader = createRequestReader();
        reader.push(bytes.subarray(0, cut));
        const early = reader.next();
        if (cut < bytes.length) expect(early).to.equal(undefined);
        reader.push(bytes.subarray(cut));
        const message = early ?? reader.next();
        expect(Buffer.concat(encodeRequest(message!, style(id))).equals(bytes)).to.equal(true);
        expect(reader.next()).to.equal(undefined);
        if (cut < bytes.length) expect(() => decodeRequest(bytes.subarray(0, cut))).to.throw();
      }
      const answer = Buffer.from(response.hex, 'hex');
      for (let cut = 0; cut < answer.length; cut++) {
        const reader = createResponseReader();
        reader.push(answer.subarray(0, cut));
        expect(reader.next(kind)).to.equal(undefined);
        reader.push(answer.subarray(cut));
        expect(spelled(reader.next(kind)?.body)).to.deep.equal(response.decoded);
      }
    });
  }

  it('reads all of them from one stream, a byte at a time', () => {
    const reader = createRequestReader();
    const short = exchanges.filter(({ request }) => request.hex !== undefined);
    const seen: Kind[] = [];
    for (const byte of Buffer.concat(short.map(requestBytes))) {
      reader.push(Uint8Array.of(byte));
      for (let next = reader.next(); next; next = reader.next()) seen.push(next.kind);
    }
    expect(seen).to.deep.equal(short.map(({ kind }) => kind));
  });
});

describe('probes of running Go nodes', () => {
  for (const { id, byte, sent, response } of vectors.probes as readonly Probe[]) {
    it(id, () => {
      const bytes = Buffer.from(sent, 'hex');
      if (byte > 4) {
        expect(() => decodeRequest(bytes)).to.throw(WireError, 'begins no request');
        return;
      }
      const reader = createRequestReader();
      reader.push(bytes);
      const request = reader.next();
      expect(request).to.not.equal(undefined);
      if (response === undefined) return;
      const answer = decodeResponse(request!.kind, Buffer.from(response, 'hex'));
      expect(Buffer.from(encodeResponse(answer, style(id))).toString('hex')).to.equal(response);
    });
  }
});

interface Probe {
  readonly id: string;
  readonly byte: number;
  readonly sent: string;
  readonly response?: string;
}

describe('codec cases of go-msgpack', () => {
  for (const { dialect, cases } of vectors.codec) {
    for (const vector of cases as readonly Case[]) {
      it(`${dialect}: ${vector.name}`, () => {
        const bytes = encodeCase(vector, dialect === '0.5.5');
        if (vector.hex !== undefined) expect(bytes.toString('hex')).to.equal(vector.hex);
        else {
          expect(bytes.length).to.equal(vector.bytes);
          expect(bytes.toString('hex').startsWith(vector.head!)).to.equal(true);
        }
      });
    }
  }
});

interface Case {
  readonly name: string;
  readonly hex?: string;
  readonly head?: string;
  readonly bytes?: number;
}

/** The bytes of a case by our own encoder: from its name where that says it all, else from its decoding. */
function encodeCase({ name, hex = '' }: Case, isUnsigned: boolean): Buffer {
  const given = Buffer.from(hex, 'hex');
  const w = createWriter();
  const number = /^(u?)int64 (\d+)$/.exec(name);
  const raw = /^(\[\]byte|string) of (\d+)$/.exec(name);
  if (number) {
    const wide = BigInt(number[2]!);
    const value: Int = wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
    if (number[1] === 'u' || isUnsigned) writeUint(w, value);
    else writeInt(w, value);
    expect(readInt(openValue(given))).to.equal(value);
  } else if (raw) {
    writeRaw(w, Buffer.alloc(Number(raw[2]), raw[1] === 'string' ? 'y' : 'x'));
  } else if (/nil/.test(name) && hex === 'c0') writeNil(w);
  else if (/^(error string|time |\[\]byte nil)/.test(name)) writeRaw(w, readRaw(openValue(given)));
  else if (name.startsWith('Configuration'))
    return again(encodeConfiguration(decodeConfiguration(given)));
  else return encodeMessage(name, given, isUnsigned);
  return written(w);
}

const again = (bytes: Uint8Array) => Buffer.from(bytes);

function encodeMessage(name: string, given: Buffer, isUnsigned: boolean): Buffer {
  if (name.startsWith('Log')) {
    // An entry comes only inside a request.
    const around = Buffer.concat([Buffer.from('0081a7456e747269657391', 'hex'), given]);
    const [bytes] = encodeRequest(decodeRequest(around), { isUnsigned });
    expect(around.equals(bytes!)).to.equal(true);
    return again(bytes!.subarray(11));
  }
  const kind = name.startsWith('Append')
    ? 'append'
    : name.startsWith('Request')
      ? 'vote'
      : 'install';
  if (name.includes('Response')) {
    const answer = decodeResponse(kind, Buffer.concat([Buffer.from([0xa0]), given]));
    return again(encodeResponse(answer, { isUnsigned }).subarray(1));
  }
  const byte = kind === 'append' ? 0 : 2;
  const request = decodeRequest(Buffer.concat([Buffer.from([byte]), given]));
  return again(encodeRequest(request, { isUnsigned })[0]!.subarray(1));
}

describe('Go times', () => {
  const moment = 1_700_000_000_123;
  const forms = vectors.codec[0]!.cases.filter(({ name }) => name.startsWith('time 1700000000'));

  it('reads every form', () => {
    expect(forms).to.have.length(10);
    for (const { hex } of forms) {
      expect(decodeGoTime(readRaw(openValue(Buffer.from(hex!, 'hex'))))).to.equal(moment);
    }
    for (const { hex, unix, nanoseconds } of vectors.times) {
      const isZero = unix === '-62135596800';
      const expected = isZero ? undefined : Number(unix) * 1000 + Math.floor(nanoseconds / 1e6);
      expect(decodeGoTime(Buffer.from(hex, 'hex'))).to.equal(expected);
    }
    expect(decodeGoTime(null)).to.equal(undefined);
    expect(decodeGoTime(Buffer.alloc(7))).to.equal(undefined);
  });

  it('reads 1959 and the year 2600', () => {
    const at = (name: string) => {
      const { hex } = vectors.codec[0]!.cases.find((one) => one.name === name)!;
      return decodeGoTime(readRaw(openValue(Buffer.from(hex!, 'hex'))));
    };
    for (const form of ['false', 'true']) {
      expect(at(`time before 1970 newFormat=${form}`)).to.equal(-5000);
      expect(at(`time year 2600 newFormat=${form}`)).to.equal(Date.UTC(2600, 0, 1));
      expect(at(`time whole second newFormat=${form}`)).to.equal(1_700_000_000_000);
      expect(at(`time zero newFormat=${form}`)).to.equal(undefined);
    }
  });

  it('writes the form that every version reads', () => {
    expect(Buffer.from(encodeGoTime(1_700_000_000_123)).toString('hex')).to.equal(
      '010000000edce5e8000754d4c0ffff',
    );
    expect(Buffer.from(encodeGoTime(undefined)).toString('hex')).to.equal(
      '01000000000000000000000000ffff',
    );
    for (const ms of [0, -1, -5001, moment, Date.UTC(2600, 0, 1)]) {
      expect(decodeGoTime(encodeGoTime(ms))).to.equal(ms);
    }
  });
});
