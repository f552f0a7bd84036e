/** One file of the page that makes the first administrator. */
export interface SetupFile {
  readonly type: string;
  readonly body: Buffer;
}

// The password leaves by JSON, as with every client: a form of its own would need a second way in.
const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Revenge: set up</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/setup.css">
<script src="/setup.js" defer></script>
<main>
<h1>Revenge</h1>
<form id="form">
<p>Choose the name and password of the administrator.</p>
<label>Name <input name="username" autocomplete="username" required autofocus></label>
<label>Password
<input name="password" type="password" autocomplete="new-password" required></label>
<label>Again
<input name="again" type="password" autocomplete="new-password" required></label>
<button>Make the administrator</button>
</form>
<p id="said" role="status"></p>
<noscript><p>Without scripts: <code>npx revenge setup --username NAME</code></p></noscript>
</main>
</html>
`;

const css = `body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #222; background: #fff }
main { max-width: 24rem; margin: 10vh auto; padding: 0 1rem }
label { display: block; margin: 0.75rem 0 }
input { display: block; box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit }
button { margin-top: 0.75rem; padding: 0.5rem 1rem; font: inherit }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } a { color: #8bf } }
`;

// The token leaves the address bar, and so the history, as soon as it is read; the tab keeps it for
// when the page is loaded anew, until there is an administrator. web/src/lib/setup.ts does the same.
const script = `const slot = 'revenge.setup-token';
const given = new URLSearchParams(location.search).get('token');
if (given) sessionStorage.setItem(slot, given);
const token = given || sessionStorage.getItem(slot);
history.replaceState(null, '', '/setup');
const form = document.getElementById('form');
const said = document.getElementById('said');
const say = (text) => { said.textContent = text; };
const done = (text) => {
  sessionStorage.removeItem(slot);
  form.remove();
  say(text + ' ');
  const link = document.createElement('a');
  link.href = '/api/docs';
  link.textContent = 'What the API can do';
  said.append(link);
};
if (!token) say('Open the whole link that the node printed when it started.');
fetch('/api/v1/auth/setup').then((answer) => answer.json()).then(({ required }) => {
  if (!required) done('This server has its administrator.');
}).catch(() => say('The node does not answer.'));
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, again, password } = Object.fromEntries(new FormData(form));
  if (password !== again) return say('The two passwords differ.');
  say('');
  try {
    const answer = await fetch('/api/v1/auth/setup', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...(token ? { token } : {}), username, password }),
    });
    const body = await answer.json();
    if (answer.ok) done(body.username + ' is the administrator.');
    else say(body.detail || body.title);
  } catch {
    say('The node does not answer.');
  }
});
`;

const file = (type: string, text: string): SetupFile => ({ type, body: Buffer.from(text) });

/** By path: what a browser needs to make the first administrator where there is no web app. */
export const setupFiles: ReadonlyMap<string, SetupFile> = new Map([
  ['/setup', file('text/html; charset=utf-8', html)],
  ['/setup.css', file('text/css; charset=utf-8', css)],
  ['/setup.js', file('text/javascript; charset=utf-8', script)],
]);
