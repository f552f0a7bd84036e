/// <reference types="@sveltejs/kit" />
/// <reference no-default-lib="true"/>
/// <reference lib="esnext" />
/// <reference lib="webworker" />
import { build, files, version } from '$service-worker';

// The shell without a network: the app itself, never what it shows.
const self = globalThis.self as unknown as ServiceWorkerGlobalScope;
const cacheName = `app-${version}`;
const assets = ['/', ...build, ...files];

self.addEventListener('install', (event) => {
  const fill = async () => (await caches.open(cacheName)).addAll(assets);
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const clear = async () => {
    const old = (await caches.keys()).filter((name) => name !== cacheName);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(clear());
});

const patienceMs = 4_000;

/**
 * Its name holds a hash, so what is kept is right; the page is asked for first, as it may be new. A
 * node that neither answers nor refuses is not waited for: the app finds out what is the matter.
 */
async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const isAsset = path !== '/' && assets.includes(path);
  if (isAsset) return (await cache.match(path)) ?? fetch(request);
  const kept = request.mode === 'navigate' ? await cache.match('/') : undefined;
  if (!kept) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(resolve, patienceMs, kept));
  return Promise.race([fetch(request), late]).catch(() => kept);
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const isOurs = url.origin === location.origin && request.method === 'GET';
  if (!isOurs || /^\/(api|health)\//.test(url.pathname)) return;
  event.respondWith(answer(request, url.pathname));
});
