import { tick } from 'svelte';

/** To the first field of a form that something is said against: it may be out of sight. */
export async function toFault(form: HTMLElement): Promise<void> {
  await tick();
  form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
}
