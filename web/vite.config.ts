import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, type Plugin } from 'vite';

/** Where `npm run dev -w web` finds a node. */
const node = process.env['REVENGE_NODE'] ?? 'http://localhost:8080';

/**
 * SvelteKit's own root announces pages in an element with a style attribute, which a policy without
 * exceptions forbids: the class does the same.
 */
const announcerWithoutStyle: Plugin = {
  name: 'announcer-without-style',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('/generated/root.svelte')) return undefined;
    return code.replace(/style="position: absolute[^"]*"/, 'class="sr-only"');
  },
};

export default defineConfig({
  plugins: [announcerWithoutStyle, tailwindcss(), sveltekit()],
  server: { proxy: { '/api': node, '/health': node } },
  build: { target: 'es2022', reportCompressedSize: false },
  environments: {
    client: {
      // What ten places share comes in one file: left to itself the first page takes 63 files and a
      // tenth more bytes, as small ones hardly compress.
      build: {
        rolldownOptions: {
          output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 10 }] } },
        },
      },
    },
  },
});
