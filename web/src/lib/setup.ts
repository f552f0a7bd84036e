import { api, read } from './api';

let isAsked = false;
let isRequired = false;

/** Whether the server waits for its first administrator, as far as it was asked. */
export const isSetupRequired = (): boolean => isRequired;

/** Asks whether it does, unless that is known. */
export async function askSetup(): Promise<void> {
  if (isAsked) return;
  ({ required: isRequired } = await read(api.GET('/api/v1/auth/setup')));
  isAsked = !isRequired;
}

/** There is an administrator from now on. */
export function noteSetUp(): void {
  [isAsked, isRequired] = [true, false];
}
