// Makes a fresh clone ready: installs packages and builds kernels and packages, each only when needed.
//
//   node tools/setup.mjs [bundle]
//
// With `bundle` it builds what the command runs, without the declarations of types, which take most of the time.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";
import { runInstalled, runNpm } from "./programs.mjs";

const [major] = process.versions.node.split(".").map(Number);
if (major < 20) {
  console.error(`Cannot set up as Node 20 or newer is needed: this is Node ${process.versions.node}`);
  process.exit(2);
}

const [task = "build"] = process.argv.slice(2);
const options = {
  stdio: ["ignore", 2, 2],
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
};

if (!existsSync(join(root, "node_modules", ".package-lock.json"))) runNpm(["ci"], options);
runInstalled("turbo/bin/turbo", ["run", task, "--output-logs=errors-only"], options);
