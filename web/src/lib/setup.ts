import { api, read } from './api';

/** Of this tab alone: a page that is loaded anew finds the token that has left its address. */
const slot = 'revenge.setup-token';
let isAsked = false;
let isRequired = false;

/** Whether the server waits for its first administrator, as far as it was asked. */
export const isSetupRequired = (): boolean => isRequired;

/** Asks whether it does, unless that is known. */
export async function askSetup(): Promise<void> {
  if (isAsked) return;
  ({ required: isRequired } = await read(api.GET('/api/v1/auth/setup')));
  if (!isRequired) noteSetUp();
}

/** There is an administrator from now on. */
export function noteSetUp(): void {
  [isAsked, isRequired] = [true, false];
  forgetToken();
}

/** The token of the link that led to this page, also when the page is loaded anew. */
export function keptToken({ searchParams }: URL): string | undefined {
  const given = searchParams.get('token');
  if (given !== null) sessionStorage.setItem(slot, given);
  return given ?? sessionStorage.getItem(slot) ?? undefined;
}

/** Nobody can use it any more, or nobody is to. */
export const forgetToken = (): void => sessionStorage.removeItem(slot);
