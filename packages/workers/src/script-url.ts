/** A script of threads or processes. */
type Script = "study" | "simulation" | "process";

/** Addresses of the built scripts. */
const SCRIPTS: Readonly<Record<Script, URL>> = {
  study: new URL("./study-worker.js", import.meta.url),
  simulation: new URL("./simulation-worker.js", import.meta.url),
  process: new URL("./task-process.js", import.meta.url),
};

/**
 * Finds the address of a script; for sources that are not built, as in tests, it is a file of the tests that
 * starts the script.
 */
export function scriptUrl(name: Script): URL {
  const built = SCRIPTS[name];
  if (!import.meta.url.endsWith(".ts")) return built;
  return new URL(built.href.replace(/\/src\/(.*)\.js$/, "/test/$1.mjs"));
}
