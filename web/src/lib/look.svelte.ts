/** How the app looks in this browser: `static/look.js` reads the same before the first paint. */
export type Theme = 'system' | 'light' | 'dark';
/** Text and controls: for a desk and a hand, or for a sofa. */
export type Scale = 'normal' | 'large';
/** Works as posters side by side, or a line each. */
export type View = 'grid' | 'list';

const themeSlot = 'revenge.theme';
const scaleSlot = 'revenge.scale';
const viewSlot = 'revenge.view';

function createLook() {
  const root = document.documentElement;
  const prefersLight = matchMedia('(prefers-color-scheme: light)');
  let theme = $state((localStorage.getItem(themeSlot) ?? 'system') as Theme);
  let scale = $state((root.dataset['scale'] ?? 'normal') as Scale);
  let view = $state<View>(localStorage.getItem(viewSlot) === 'list' ? 'list' : 'grid');

  const show = () => {
    const isLight = theme === 'light' || (theme === 'system' && prefersLight.matches);
    root.dataset['theme'] = isLight ? 'light' : 'dark';
    const colour = getComputedStyle(root).getPropertyValue('--background').trim();
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', colour);
  };
  prefersLight.addEventListener('change', show);
  show();
  return {
    get theme() {
      return theme;
    },
    set theme(next: Theme) {
      theme = next;
      localStorage.setItem(themeSlot, next);
      show();
    },
    get scale() {
      return scale;
    },
    set scale(next: Scale) {
      scale = next;
      localStorage.setItem(scaleSlot, next);
      root.dataset['scale'] = next;
    },
    get view() {
      return view;
    },
    set view(next: View) {
      view = next;
      localStorage.setItem(viewSlot, next);
    },
  };
}

export const look = createLook();
