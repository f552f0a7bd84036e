import { api, read } from './api';

let isDone = false;

/** Whether the server still waits for its first administrator. */
export async function isSetupRequired(): Promise<boolean> {
  if (isDone) return false;
  const { required } = await read(api.GET('/api/v1/auth/setup'));
  isDone = !required;
  return required;
}
