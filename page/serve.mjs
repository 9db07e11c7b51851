// Builds the page and serves it on this machine, as any host of static files would.
//
//   node page/serve.mjs [port]
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { buildPage } from "./build.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
};

/** Serves a folder on localhost and returns the server's address and a function that stops it. */
export async function serveFolder(folder, port = 0) {
  const server = createServer(({ url = "/", method }, response) => {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const file = findFile(folder, normalize(path));
    if (file === undefined || (method !== "GET" && method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found");
      return;
    }
    const isHashed = /-[0-9a-f]{12}[./]/.test(file);
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": statSync(file).size,
      "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    });
    if (method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { url: `http://localhost:${server.address().port}/`, close };
}

function findFile(folder, path) {
  const named = join(folder, path);
  if (!named.startsWith(folder)) return undefined;
  const file = path.endsWith("/") ? join(named, "index.html") : named;
  return existsSync(file) && statSync(file).isFile() ? file : undefined;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { url } = await serveFolder(await buildPage(), Number(process.argv[2] ?? 4173));
  process.stdout.write(`${url}\n`);
}
