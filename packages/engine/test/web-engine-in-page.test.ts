import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_FLAGS, CHROMIUM, hasBrowser } from "../../../test/helpers/browser.ts";
import { computeStep } from "./page/train-step.ts";

/** All that a page has to allow: WebAssembly beside what is its own. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** Headers without which a page has one thread. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

if (!hasBrowser) {
  console.warn(
    `SKIPPED: no engine was run in a browser, as there is none at ${CHROMIUM}: apt-get install chromium`,
  );
}

describe.skipIf(!hasBrowser)("createWebEngine() in a worker of a page", () => {
  const files = new Map<string, Uint8Array>();
  const asked: string[] = [];
  let folder: string;
  let server: Server;
  let origin: string;
  let context: BrowserContext;
  let isIsolated = false;

  beforeAll(async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [fileURLToPath(new URL("page/worker.ts", import.meta.url))],
      outdir: "/",
      bundle: true,
      splitting: true,
      minify: true,
      metafile: true,
      format: "esm",
      platform: "browser",
      conditions: ["@isthmus/source", "onnxruntime-web-use-extern-wasm"],
      write: false,
    });
    for (const { path, contents } of outputFiles) files.set(`/${basename(path)}`, contents);
    files.set("/page.html", Buffer.from("<!doctype html><title>page</title>"));
    expect(Object.keys(metafile.inputs).filter((path) => /engine\/src.*native/.test(path))).toEqual([]);
    const library = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/wasm")));
    for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"])
      files.set(`/onnxruntime/${name}`, readFileSync(join(library, name)));
    server = createServer(({ url = "" }, response) => {
      asked.push(url);
      const contents = files.get(url);
      response.writeHead(contents === undefined ? 404 : 200, {
        "content-type": TYPES[url.split(".").at(-1) ?? ""] ?? "text/plain",
        "content-security-policy": POLICY,
        ...(isIsolated ? ISOLATION : {}),
      });
      response.end(contents);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = mkdtempSync(join(tmpdir(), "isthmus-engine-"));
    context = await chromium.launchPersistentContext(folder, {
      executablePath: CHROMIUM,
      args: [...BROWSER_FLAGS],
    });
  });
  afterAll(async () => {
    await context?.close();
    server?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the worker in a new page, and returns what it posts, what the page asked other origins for, and its complaints. */
  async function runInPage(options: object) {
    asked.length = 0;
    const page = await context.newPage();
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`)) elsewhere.push(request.url());
    });
    await page.goto(`${origin}/page.html`);
    const posted = await page.evaluate(
      `new Promise((resolve) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => resolve({ error: message });
        worker.postMessage(${JSON.stringify(options)});
      })`,
    );
    await page.close();
    return { posted, complaints, elsewhere };
  }

  it.each([
    ["on one thread", false, 1],
    ["on several threads if the page is isolated", true, 2],
  ])(
    "computes a step of training %s under a strict policy, and asks only its own origin",
    async (_, isolated, loads) => {
      isIsolated = isolated;
      const { posted, complaints, elsewhere } = await runInPage({
        files: "/onnxruntime",
        threads: isolated ? 2 : 0,
      });
      expect({ complaints, elsewhere }).toEqual({ complaints: [], elsewhere: [] });
      expect(posted).toMatchObject({ name: "onnxruntime-wasm" });
      const { outputs } = posted as { readonly outputs: Record<string, number[]> };
      const wanted = await computeStep(createOnnxRuntimeEngine());
      expect(Object.keys(outputs)).toEqual(Object.keys(wanted));
      for (const [output, values] of Object.entries(wanted)) {
        const differences = values.map((value, i) => Math.abs(value - (outputs[output]?.[i] ?? Number.NaN)));
        expect(Math.max(...differences), output).toBeLessThan(1e-5);
      }
      const loaded = asked.filter((url) => url.startsWith("/onnxruntime/"));
      expect(loaded.filter((url) => url.endsWith(".mjs"))).toHaveLength(loads);
      expect(new Set(loaded)).toEqual(
        new Set(["/onnxruntime/ort-wasm-simd-threaded.mjs", "/onnxruntime/ort-wasm-simd-threaded.wasm"]),
      );
    },
  );

  it.each([
    ["files of another origin", { files: "https://cdn.example/" }, "must be of the page's own origin"],
    ["files that are not there", { files: "/nothing" }, "Cannot start onnxruntime-wasm with the files in"],
    [
      "WebGPU where there is none",
      { device: "webgpu", files: "/onnxruntime" },
      "Cannot run graphs on WebGPU",
    ],
  ])("refuses %s", async (_, options, message) => {
    const { posted, elsewhere } = await runInPage(options);
    expect({ posted, elsewhere }).toEqual({
      posted: { error: expect.stringContaining(message) },
      elsewhere: [],
    });
  });
});
