export {};

/** Paths of the files to keep, relative to this script, and a hash of their contents. */
declare const KEPT: readonly string[];
declare const KEPT_VERSION: string;

/** Names of the caches of this page begin so; other parts of the site may have their own. */
const PREFIX = "isthmus-page-";
const CACHE = PREFIX + KEPT_VERSION;

const scope = self as unknown as ServiceWorkerGlobalScope;
const base = new URL("./", scope.location.href);
const kept = new Set(KEPT.map((path) => new URL(path, base).href));

scope.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const address = url.origin + url.pathname;
  if (request.method !== "GET") return;
  if (address === base.href) event.respondWith(newest(new URL("index.html", base).href));
  else if (kept.has(address)) event.respondWith(stored(address));
});

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...kept]);
  await scope.skipWaiting();
}

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await scope.clients.claim();
}

/** Answers with the page of the host, or with the kept one if the host cannot be reached. */
async function newest(address: string): Promise<Response> {
  try {
    return await fetch(base.href);
  } catch {
    return stored(address);
  }
}

/** Answers with a kept file; names of files carry their hash, so it cannot be an old one. */
async function stored(address: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? fetch(address);
}
