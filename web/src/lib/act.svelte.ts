import { useQueryClient, type QueryKey } from '@tanstack/svelte-query';
import { toasts } from './toasts.svelte';

/** Does what a press asks for, has `queryKey` asked for again, and says what went wrong. */
export function useAct(queryKey: QueryKey) {
  const queries = useQueryClient();
  let isBusy = $state(false);
  return {
    get isBusy() {
      return isBusy;
    },
    async act(this: void, work: () => Promise<unknown>): Promise<void> {
      isBusy = true;
      try {
        await work();
        await queries.invalidateQueries({ queryKey });
      } catch (error) {
        toasts.fail(error);
      } finally {
        isBusy = false;
      }
    },
  };
}
