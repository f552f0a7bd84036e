import { explain } from './explain';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'bad';
}

const shownMs = 6_000;
const most = 4;

function createToasts() {
  let list = $state.raw<readonly Toast[]>([]);
  let count = 0;
  const drop = (id: number) => (list = list.filter((toast) => toast.id !== id));
  const show = (text: string, tone: Toast['tone']) => {
    const id = ++count;
    list = [...list.slice(1 - most), { id, text, tone }];
    setTimeout(() => drop(id), shownMs);
  };
  return {
    get list() {
      return list;
    },
    drop,
    say: (text: string) => show(text, 'plain'),
    /** Says what went wrong, in words for who did it. */
    fail: (error: unknown) => show(explain(error), 'bad'),
  };
}

/** Short messages at the edge of the screen. */
export const toasts = createToasts();
