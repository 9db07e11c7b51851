// Starts the programs of npm packages, on any system.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./packages.mjs";

/** Runs npm and returns what it prints. */
export function runNpm(args, options) {
  const [program, ...before] = findNpm();
  return execFileSync(program, [...before, ...args], { cwd: root, ...options });
}

/** Runs a program of an installed package, by the path of its script in the package. */
export function runInstalled(script, args, options) {
  return execFileSync(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    ...options,
  });
}

/** Finds npm: on Windows the command of this name is a script of the shell, which no other program can start. */
function findNpm() {
  const beside = join(dirname(process.execPath), "node_modules", "npm", "bin", "npm-cli.js");
  const { npm_execpath: running = "" } = process.env;
  const script = [running, beside].find((path) => path.endsWith("npm-cli.js") && existsSync(path));
  return script === undefined ? ["npm"] : [process.execPath, script];
}
