import { LRUCache } from 'lru-cache';
import type { OperationValidator, RawRequest, ValidRequest } from './validate.ts';

const entriesMax = 200;
const keyMaxLength = 512;

/** A validator that may be told where the raw request came from, to recognise it. */
export interface RememberingValidator extends OperationValidator {
  /** As `request`; `search` is the query string that `raw.query` was parsed from. */
  read(raw: RawRequest, search: string): Promise<ValidRequest>;
}

/**
 * Whether a request without a body is valid depends on nothing but its address, and a home asks
 * for the same few addresses again and again: what the validator has once accepted is accepted
 * without asking it anew. What it refuses is not remembered. Each caller gets its own copy.
 */
export function rememberValid(validator: OperationValidator): RememberingValidator {
  const accepted = new LRUCache<string, ValidRequest>({ max: entriesMax });
  return {
    ...validator,
    async read(raw, search) {
      const plain = raw.contentType === undefined && Object.keys(raw.headers).length === 0;
      const key = plain ? keyOf(raw.params, search) : undefined;
      if (key === undefined || key.length > keyMaxLength) return validator.request(raw);
      const known = accepted.get(key);
      if (known) return copyOf(known);
      const valid = await validator.request(raw);
      for (const value of Object.values(valid.query)) freezeDeep(value);
      accepted.set(key, copyOf(valid));
      return valid;
    },
  };
}

/** Path parameters in their order, then the query; no decoded value can imitate the separator. */
function keyOf(params: Record<string, string>, search: string): string {
  let key = '';
  for (const name in params) key += `${encodeURIComponent(params[name] ?? '')}/`;
  return `${key}?${search}`;
}

const copyOf = ({ params, query }: ValidRequest): ValidRequest => ({
  params: { ...params },
  query: { ...query },
  body: undefined,
});

/** Lists and objects are shared among callers, so nobody may change them. */
function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const entry of Object.values(value)) freezeDeep(entry);
  Object.freeze(value);
}
