import { t } from './i18n.svelte';
import { toasts } from './toasts.svelte';

/** Copies a text; without the clipboard, which plain HTTP has not, by way of a selection. */
export async function copy(text: string): Promise<void> {
  const isCopied = navigator.clipboard
    ? await navigator.clipboard.writeText(text).then(
        () => true,
        () => copySelected(text),
      )
    : copySelected(text);
  toasts.say(isCopied ? t('action.copied') : t('action.notCopied'));
}

function copySelected(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  // In a dialog the focus may not leave it.
  const within = document.querySelector('[role=dialog][data-state=open]') ?? document.body;
  within.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
