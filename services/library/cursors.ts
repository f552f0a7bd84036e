import { problem } from '../errors.ts';
import type { ProblemPlace } from './problems-store.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const smallNumber = /^\d{1,9}$/;

/** The cursor after what its id places. */
export const idCursor = (id: string): string => encode(id);

/** The id such a cursor stands for; throws `invalid-cursor`. */
export function readIdCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = decode(cursor);
  if (!uuid.test(id)) throw invalid();
  return id;
}

/** The cursor after a problem. */
export const problemCursor = ({ stage, id, ordinal }: ProblemPlace): string =>
  encode(`${stage}:${id}:${ordinal}`);

/** The place a cursor of problems stands for; throws `invalid-cursor`. */
export function readProblemCursor(cursor: string | undefined): ProblemPlace | undefined {
  if (cursor === undefined) return undefined;
  const [stage = '', id = '', ordinal = ''] = decode(cursor).split(':', 3);
  if (!smallNumber.test(stage) || !uuid.test(id) || !smallNumber.test(ordinal)) throw invalid();
  return { stage: Number(stage), id, ordinal: Number(ordinal) };
}

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const decode = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('latin1');
const invalid = () => problem('invalid-cursor', 'Start again without a cursor.');
