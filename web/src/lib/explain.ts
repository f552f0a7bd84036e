import { ApiError } from './api/problem';
import { t, type MessageKey } from './i18n.svelte';

const known: Readonly<Record<string, MessageKey>> = {
  unreachable: 'error.unreachable',
  'no-leader': 'error.noLeader',
  behind: 'error.behind',
  'invalid-credentials': 'error.credentials',
  'account-disabled': 'error.disabled',
  forbidden: 'error.forbidden',
  'not-found': 'error.notFound',
  'too-many-requests': 'error.tooMany',
  'media-unavailable': 'error.media',
  'database-unavailable': 'error.database',
  'outcome-unknown': 'error.unknownOutcome',
  internal: 'error.internal',
};

/** What went wrong, as a sentence; the server's own where it knows better. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    const key = known[error.code];
    return key ? t(key) : error.message;
  }
  return error instanceof Error ? error.message : t('error.internal');
}
