import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import { BROWSER_FLAGS, CHROMIUM } from "../../../../test/helpers/browser.ts";
import type { COMMANDS } from "./commands.ts";

/** Script of the page: it asks its worker, and waits for the answer. */
const PAGE = `<!doctype html><title>page</title><input type="file" multiple><script type="module" src="/page.js"></script><script type="module">
  const worker = new Worker("/worker.js", { type: "module" });
  const waiting = new Map();
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(\`\${error.kind}: \${error.message}\`));
  };
  worker.onerror = (event) => console.error(event.message);
  globalThis.ask = (name, ...args) => new Promise((resolve, reject) => {
    const id = waiting.size + Math.random();
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, name, args });
  });
</script>`;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** A browser with pages of one origin, and the storage of that origin. */
export interface Browser {
  /** Opens a page with a worker of its own. */
  openPage(): Promise<AskingPage>;
  /** Ends the browser, and removes its files. */
  close(): Promise<void>;
}

/** A page whose worker does what it is asked for. */
export interface AskingPage {
  readonly page: Page;
  /** Calls a function in the worker, and returns what it returns. */
  ask<K extends keyof typeof COMMANDS>(
    name: K,
    ...args: Parameters<(typeof COMMANDS)[K]>
  ): Promise<Awaited<ReturnType<(typeof COMMANDS)[K]>>>;
}

/** Starts a browser, and a server for its pages, which also has the given files. */
export async function startBrowser(files: ReadonlyMap<string, Uint8Array>): Promise<Browser> {
  const { outputFiles } = await build({
    entryPoints: [
      fileURLToPath(new URL("worker.ts", import.meta.url)),
      fileURLToPath(new URL("page.ts", import.meta.url)),
    ],
    outdir: "/",
    bundle: true,
    format: "esm",
    platform: "browser",
    splitting: true,
    conditions: ["@isthmus/source", "onnxruntime-web-use-extern-wasm"],
    write: false,
  });
  const library = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/wasm")));
  const engine = ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map(
    (name) => [`/${name}`, readFileSync(join(library, name))] as const,
  );
  const served = new Map<string, Uint8Array>([...files, ...engine, ["/page.html", Buffer.from(PAGE)]]);
  for (const { path, contents } of outputFiles) served.set(`/${basename(path)}`, contents);
  const server = createServer(({ url = "" }, response) => {
    const contents = served.get(url);
    const type = TYPES[url.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    response.writeHead(contents === undefined ? 404 : 200, { "content-type": type });
    response.end(contents);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = mkdtempSync(join(tmpdir(), "isthmus-platform-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    args: [...BROWSER_FLAGS],
  });
  return {
    async openPage() {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/page.html`);
      const ask = (name: string, ...args: readonly unknown[]): Promise<unknown> =>
        page.evaluate(
          ([called, given]) =>
            (
              globalThis as unknown as { ask(name: string, ...args: readonly unknown[]): Promise<unknown> }
            ).ask(called, ...given),
          [name, args] as const,
        );
      return { page, ask: ask as AskingPage["ask"] };
    },
    async close() {
      await context.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Reads files of the repository, by their last names, for the server. */
export function readFixtures(paths: readonly string[]): Map<string, Uint8Array> {
  const root = new URL("../../../../", import.meta.url);
  return new Map(paths.map((path) => [`/${basename(path)}`, readFileSync(new URL(path, root))]));
}
