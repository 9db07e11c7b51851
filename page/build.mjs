// Builds the page into page/dist, with the same bytes each time: bundles, the engine's files, the digits, and the list that the
// service worker keeps for use offline. Names of files carry a hash of their content, except for those that others link to.
//
//   node page/build.mjs [folder]
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { packDigits } from "./build/digits.mjs";
import { renderHtml, showCode } from "./build/render-html.mjs";

const page = dirname(fileURLToPath(import.meta.url));
const root = dirname(page);
const engineFolder = join(root, "node_modules", "onnxruntime-web", "dist");
const ENGINE_FILES = ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

/** Builds the page into a folder, which is emptied first. */
export async function buildPage(folder = join(page, "dist")) {
  rmSync(folder, { recursive: true, force: true });
  /** Files that the page needs offline, by path, with a hash of each. */
  const written = new Map();
  const write = (path, contents) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
    written.set(path, hashOf(contents));
    return path;
  };
  const { version, repository } = manifest();
  const engine = copyEngine(write);
  const digits = packDigits();
  const workers = ["src/worker/worker.ts", "src/worker/lab-worker.ts", "src/worker/lab/report-figure.ts"];
  const [worker, labWorker, figures] = await bundle(workers, { VERSION: JSON.stringify(version) });
  const assets = {
    worker: write(`assets/worker-${hashOf(worker)}.js`, worker),
    labWorker: write(`assets/lab-worker-${hashOf(labWorker)}.js`, labWorker),
    figures: write(`assets/report-figure-${hashOf(figures)}.js`, figures),
    examples: copyExamples(write),
    digits: write(`assets/digits-${hashOf(digits)}.bin`, digits),
    ...engine,
  };
  const [script, style] = await bundle(["src/main.ts", "src/page.css"], { ASSETS: JSON.stringify(assets) });
  const names = {
    script: write(`assets/main-${hashOf(script)}.js`, script),
    style: write(`assets/page-${hashOf(style)}.css`, style),
  };
  await buildFigures(write);
  write("icon.svg", readFileSync(join(page, "src", "icon.svg")));
  const picture = write("barrier.svg", readFileSync(join(root, "docs", "barrier.svg")));
  write("index.html", renderHtml({ ...names, ...shownCode(), version, repository, picture }));
  const kept = JSON.stringify([...written].map(([path, hash]) => [path, hash]).sort());
  const [serviceWorker] = await bundle(["src/offline/service-worker.ts"], {
    KEPT: JSON.stringify([...written.keys()].sort()),
    KEPT_VERSION: JSON.stringify(hashOf(kept)),
  });
  write("service-worker.js", serviceWorker);
  return folder;
}

/** Builds the figures of the documents: one script and one style, under names that documents link to. */
export async function buildFigures(write) {
  const [script, style] = await bundle(["src/figures/figures.ts", "src/figures/figures.css"], {});
  write("figures.js", script);
  write("figures.css", style);
}

/** Bundles entries, each into one file, and returns their contents in that order. */
async function bundle(entries, define) {
  const contents = [];
  for (const entry of entries) {
    const { outputFiles } = await build({
      entryPoints: [join(page, entry)],
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: ["chrome109", "firefox115", "safari16.4"],
      conditions: ["@isthmus/source", "browser"],
      legalComments: "none",
      logLevel: "warning",
      define,
    });
    contents.push(Buffer.from(outputFiles[0].contents));
  }
  return contents;
}

/** Numbers in the shown code before the page fills in others. */
const FIRST_SHOWN = { "seed-a": 0, "seed-b": 1, width: 64 };

/** Reads the code that the page shows. */
function shownCode() {
  const read = (file) => showCode(readFileSync(join(page, "src", "shown", file), "utf8"), FIRST_SHOWN);
  return { shell: read("shell.sh"), typescript: read("script.ts"), python: read("network.py.txt") };
}

/** Copies the engine's files, under their own names, into a folder whose name carries their hash. */
function copyEngine(write) {
  const files = ENGINE_FILES.map((name) => [name, readFileSync(join(engineFolder, name))]);
  const folder = `assets/engine-${hashOf(Buffer.concat(files.map(([, bytes]) => bytes)))}/`;
  for (const [name, bytes] of files) write(folder + name, bytes);
  return { engine: folder, engineBytes: files.at(-1)[1].length };
}

/** Files of two networks that readers without files of their own can try. */
const EXAMPLES = ["s0.safetensors", "s1.safetensors", "graph.onnx"];

/** Copies the example networks, and returns the path of each by its own name. */
function copyExamples(write) {
  const files = EXAMPLES.map((name) => [name, readFileSync(join(root, "examples", "mnist-mlp", name))]);
  const folder = `assets/mnist-mlp-${hashOf(Buffer.concat(files.map(([, bytes]) => bytes)))}/`;
  return files.map(([name, bytes]) => ({ path: write(folder + name, bytes), bytes: bytes.length }));
}

/** Returns the first characters of the SHA-256 of bytes or a text, in letters that file names may have. */
function hashOf(contents) {
  return createHash("sha256").update(contents).digest("hex").slice(0, 12);
}

function manifest() {
  const { version } = JSON.parse(readFileSync(join(root, "packages", "isthmus", "package.json"), "utf8"));
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { version, repository: addressOf(repository) };
}

function addressOf(repository) {
  const address = typeof repository === "object" ? repository.url : repository;
  return (address ?? "https://github.com/isthmus-merge/isthmus").replace(/^git\+|\.git$/g, "");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder] = process.argv.slice(2);
  process.stdout.write(`${await buildPage(folder === undefined ? undefined : resolve(folder))}\n`);
}
