// The newest releases of Node, for tools that try this project on each. Binaries are npm packages, kept in a cache outside the repository.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** First major that runs files of TypeScript in every release, without a flag. */
export const RUNS_TYPESCRIPT = 24;

const MAJORS = [20, 22, 24, 26];
const BINARIES = `node-${process.platform}-${process.arch}`;
const cache = join(homedir(), ".cache", "isthmus-node");

/**
 * Returns the newest release of each major version that is asked for, with its binary, downloaded if it is not in the cache.
 * @param majors - numbers of versions; none for all that are supported
 */
export function nodeVersions(majors) {
  const released = JSON.parse(npm("view", BINARIES, "versions", "--json"));
  return (majors.length > 0 ? majors : MAJORS).map((major) => {
    const version = newest(released, major);
    return { major, version, node: installNode(version) };
  });
}

function npm(...args) {
  return execFileSync("npm", args, { cwd: tmpdir(), encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Picks the newest release of a major version; releases are compared by their numbers. */
function newest(versions, major) {
  const ofMajor = versions.filter((version) => new RegExp(`^${major}\\.\\d+\\.\\d+$`).test(version));
  const [last] = ofMajor.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  if (last === undefined)
    throw new Error(`Cannot run Node ${major} as ${BINARIES} must have it: it has no such release`);
  return last;
}

/** Returns the path of the binary of one release, downloaded if it is not in the cache. */
function installNode(version) {
  const folder = join(cache, version);
  const binary = join(folder, "node_modules", BINARIES, "bin", "node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    npm(
      "install",
      "--prefix",
      folder,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      `${BINARIES}@${version}`,
    );
  }
  return binary;
}
