import adapter from '@sveltejs/adapter-static';

/** @type {import('@sveltejs/kit').Config} */
export default {
  kit: {
    // One page for every address: each node serves it, and the app finds its way by itself.
    adapter: adapter({ pages: 'build', fallback: 'index.html', precompress: true }),
    alias: { $api: '../api', $messages: 'messages' },
    // Not the manifest's file names but what they hold decides whether a client is out of date.
    version: { pollInterval: 0 },
    // On plain HTTP in a home there are no service workers; where there are, the app asks for it.
    serviceWorker: { register: false },
  },
};
