import type { Readable } from 'node:stream';
import type { HandlersOf, RequestFacts, StreamReply } from '#api/handler.ts';
import { MediaError } from '#storage/media/media.ts';
import type { OpenFile, Reader } from '#storage/media/reader.ts';
import { problem, type ProblemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { callerOf } from '../principal.ts';
import type { Files } from './files.ts';
import { contentDisposition, contentType, entityTag } from './headers.ts';
import { decide, type Decision } from './range.ts';
import type { PlayableFile } from './store.ts';

export interface ContentDeps {
  readonly files: Pick<Files, 'get'>;
  readonly reader: Reader;
  readonly log: Log;
  readonly now: () => number;
}

export interface Content {
  readonly handlers: HandlersOf<'getPlaybackContent'>;
  /** How many files are being sent now. */
  readonly streams: () => number;
}

/** Sends originals, whole or in part. */
export function createContent({ files, reader, log, now }: ContentDeps): Content {
  const active = new Set<Readable>();

  const watch = (stream: Readable, fileId: string): Readable => {
    active.add(stream);
    stream.once('error', (error) => {
      // A client that goes away is no news; a file that does is.
      if (error instanceof MediaError) log.warn('sending a file ended early', { fileId, error });
    });
    stream.once('close', () => active.delete(stream));
    return stream;
  };

  const send = async (file: PlayableFile, call: Wanted): Promise<StreamReply> => {
    const { request } = call;
    const isHead = request.method === 'HEAD';
    const opened = isHead
      ? await headOf(reader, file, request)
      : await reader.open(file.root, file.path, request.signal);
    try {
      const { facts } = opened;
      const etag = entityTag(facts);
      const asked = { method: request.method, headers: request.headers, nowMs: now() };
      const decision = decide(asked, { ...facts, etag });
      const headers = headersOf(file, { facts, etag, decision, download: call.download });
      const part = partOf(decision, facts.sizeBytes);
      if (isHead || part === undefined || part.end < part.start) {
        await opened.close();
        return { status: decision.status, headers, stream: undefined };
      }
      const stream = watch(opened.stream(part.start, part.end), file.id);
      return {
        status: decision.status,
        headers,
        stream,
        recheck: (caller) => files.get(file.id, caller),
      };
    } catch (error) {
      await opened.close();
      throw error;
    }
  };

  return {
    streams: () => active.size,
    handlers: {
      async getPlaybackContent({ params, query, principal, request }) {
        const file = await files.get(params.fileId, callerOf(principal));
        if (file.isMissing) throw problem('not-found', 'The file is no longer in its folder');
        try {
          return await send(file, { request, download: query.download === true });
        } catch (error) {
          throw error instanceof MediaError ? toProblem(error) : error;
        }
      },
    },
  };
}

interface Wanted {
  readonly request: RequestFacts;
  readonly download: boolean;
}

type Head = Pick<OpenFile, 'facts' | 'stream' | 'close'>;

/** For `HEAD` the file is not opened: its facts are enough. */
async function headOf(reader: Reader, file: PlayableFile, request: RequestFacts): Promise<Head> {
  const facts = await reader.facts(file.root, file.path, request.signal);
  const stream = () => {
    throw new Error('a HEAD has no body');
  };
  return { facts, stream, close: async () => undefined };
}

function partOf(decision: Decision, sizeBytes: number): { start: number; end: number } | undefined {
  if (decision.status === 200) return { start: 0, end: sizeBytes - 1 };
  return decision.status === 206 ? decision : undefined;
}

interface Told {
  readonly facts: OpenFile['facts'];
  readonly etag: string;
  readonly decision: Decision;
  readonly download: boolean;
}

/** Throws for the decisions that are failures: 412 and 416 (RFC 9110 §15.5.13, §15.5.17). */
function headersOf(file: PlayableFile, told: Told): Record<string, string | number> {
  const { facts, etag, decision, download } = told;
  const validators = {
    ETag: etag,
    'Last-Modified': new Date(facts.mtimeMs).toUTCString(),
    'Cache-Control': 'private',
    'Accept-Ranges': 'bytes',
  };
  const described = {
    ...validators,
    'Content-Type': contentType(file.name, file.probe?.container),
    'Content-Disposition': contentDisposition(download ? 'attachment' : 'inline', file.name),
  };
  switch (decision.status) {
    case 200:
      return { ...described, 'Content-Length': facts.sizeBytes };
    case 206: {
      const { start, end } = decision;
      const range = `bytes ${start}-${end}/${facts.sizeBytes}`;
      return { ...described, 'Content-Length': end - start + 1, 'Content-Range': range };
    }
    case 304:
      return validators;
    case 412:
      throw problem('precondition-failed', 'The file is not the one the request is about');
    case 416: {
      const headers = { 'Content-Range': `bytes */${facts.sizeBytes}`, 'Accept-Ranges': 'bytes' };
      throw problem('range-not-satisfiable', `The file has ${facts.sizeBytes} bytes`, { headers });
    }
  }
}

function toProblem(error: MediaError): ProblemError {
  const cause = error;
  switch (error.code) {
    case 'not-found':
    case 'forbidden':
      return problem('not-found', 'The file is not in its folder', { cause });
    case 'timeout':
    case 'unavailable': {
      const retryAfterSeconds = Math.ceil((error.retryAfterMs ?? 15_000) / 1_000);
      const detail = 'The folder that holds the file does not answer';
      return problem('media-unavailable', detail, { cause, retryAfterSeconds });
    }
    case 'cancelled':
      return problem('unavailable', 'The request was given up', { cause });
    case 'tool-missing':
      return problem('tool-missing', error.message, { cause });
    case 'unreadable':
    case 'too-large':
      return problem('unprocessable', `The file cannot be read: ${error.message}`, { cause });
  }
}
