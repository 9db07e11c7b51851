/** Scripts of threads and processes, as they are built. */
const SCRIPTS = {
  study: "./study-worker.js",
  simulation: "./simulation-worker.js",
  process: "./task-process.js",
} as const;

/** Finds a script of threads or processes; tests, which are not built, start it through a file of their own. */
export function scriptUrl(name: keyof typeof SCRIPTS): URL {
  const script = SCRIPTS[name];
  const isBuilt = !import.meta.url.endsWith(".ts");
  return new URL(isBuilt ? script : script.replace(/^\.\/(.*)\.js$/, "../test/$1.mjs"), import.meta.url);
}
