// Before the first paint, so that nothing flashes: the theme and the size this browser chose.
const root = document.documentElement;
const theme = localStorage.getItem('revenge.theme');
const isLight =
  theme === 'light' || (theme !== 'dark' && matchMedia('(prefers-color-scheme: light)').matches);
root.dataset.theme = isLight ? 'light' : 'dark';
const onTelevision = /\b(TV|SmartTV|Tizen|Web0S|AFT\w+|CrKey|BRAVIA)\b/i.test(navigator.userAgent);
root.dataset.scale = localStorage.getItem('revenge.scale') ?? (onTelevision ? 'large' : 'normal');
