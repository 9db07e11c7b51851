// Which files of tests a system cannot run, because they use what only others have.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

/** Words in a test that need a POSIX system: links, pipes, devices, permissions, and signals that a program can handle. */
const POSIX =
  /symlink|mkfifo|["'`]\/(?:dev|proc|etc|usr)\/|chmod|0o[0-7]{3}\b|getuid|"SIG(?!KILL)[A-Z]+"|published-folder/;

/** Lists the files of tests that cannot run on a system, each with the word that shows it: all run on POSIX systems. */
export function listSkipped(platform) {
  if (platform !== "win32") return [];
  return ["packages", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
      .map((path) => join(folder, path).replaceAll("\\", "/"))
      .flatMap((path) => {
        const [word] = POSIX.exec(readFileSync(join(root, path), "utf8")) ?? [];
        return word === undefined ? [] : [{ path, word }];
      }),
  );
}
