/**
 * A snapshot that goes on where its stream broke off, between Revenge nodes. The leader asks how
 * much is kept of it, and on the same connection sends the rest. Both requests are installs of a
 * version that Go does not know and refuses before it looks at anything else: should one ever reach
 * a Go node, nothing happens there.
 */
import type { InstallRequest, PeerRef, Response } from '../core/types.ts';
import {
  RefusedError,
  installSize,
  requestFromWire,
  requestToWire,
  responseToWire,
} from './convert.ts';
import type { WireInstallRequest, WireRequest, WireResponse } from './messages.ts';
import type { Int } from './msgpack.ts';

/** What a snapshot's bytes are, whoever sends them: CRC-32 and length of the whole. */
export interface Content {
  readonly size: number;
  readonly crc: number;
}

/** The bytes of it from here on. */
export interface Rest extends Content {
  readonly from: number;
}

export interface Resumed {
  /** With the size of the whole. */
  readonly request: InstallRequest;
  readonly rest: Rest;
  /** No bytes come with it: it asks how many are there. */
  readonly isQuestion: boolean;
}

/** "RV": above every version of hashicorp's. */
const version = 0x5256;
const question = 1;
const rest = 2;

export const questionToWire = (request: InstallRequest, crc: number): WireRequest =>
  toWire(request, { Revenge: question, RevengeCrc: crc, Size: 0 });

export const restToWire = (request: InstallRequest, { from, crc }: Rest): WireRequest =>
  toWire(request, {
    Revenge: rest,
    RevengeCrc: crc,
    RevengeFrom: from,
    Size: request.size - from,
  });

function toWire(request: InstallRequest, ours: WireInstallRequest): WireRequest {
  const { body } = requestToWire(request);
  const both = { RevengeSize: request.size, SnapshotVersion: version };
  return { kind: 'install', body: { ...body, ...ours, ...both } };
}

/** Undefined: an install like any other. @throws RefusedError */
export function resumedFromWire(wire: WireRequest): Resumed | undefined {
  if (wire.kind !== 'install' || wire.body.SnapshotVersion !== version) return undefined;
  const { body } = wire;
  const isQuestion = body.Revenge === question;
  const size = whole(body.RevengeSize);
  const from = isQuestion ? 0 : whole(body.RevengeFrom);
  if (!isQuestion && body.Revenge !== rest) throw new RefusedError('an unknown kind of install');
  if (installSize(body) !== (isQuestion ? 0 : size - from)) {
    throw new RefusedError(
      `${installSize(body)} bytes from ${from} on are not the rest of ${size}`,
    );
  }
  const plain = { ...body, SnapshotVersion: 1, Size: size };
  const request = requestFromWire({ kind: 'install', body: plain }) as InstallRequest;
  return { request, rest: { from, size, crc: whole(body.RevengeCrc) }, isQuestion };
}

function whole(value: Int | undefined): number {
  if (typeof value === 'number') return value;
  throw new RefusedError('an install that says too little about its stream');
}

/** How many bytes are there. */
export const keptToWire = (from: number, self: PeerRef): WireResponse =>
  signed({ kind: 'install', term: 0, isSuccess: false }, self, { RevengeFrom: from });

/** The answer to the rest of a snapshot. Unlike hashicorp's it says who answers. */
export const resumedToWire = (response: Response, self: PeerRef): WireResponse =>
  signed(response, self, {});

function signed(response: Response, self: PeerRef, ours: { RevengeFrom?: number }): WireResponse {
  const wire = responseToWire(response, self);
  if (wire.kind !== 'install' || !wire.body) return wire;
  const { id = '', address } = self;
  const header = { ID: Buffer.from(id), Addr: Buffer.from(address), Revenge: 1 };
  return { ...wire, body: { ...wire.body, ...header, ...ours } };
}

/** How many of these bytes the peer has; undefined: it does not know the question. */
export function keptFromWire({ kind, error, body }: WireResponse, size: number) {
  if (kind !== 'install' || error !== '' || !body?.Revenge) return undefined;
  const { RevengeFrom: from } = body;
  return typeof from === 'number' && from <= size ? from : undefined;
}
