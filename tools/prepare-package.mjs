// Makes the calling package ready to be packed: copies the repository's LICENSE into it, which each tarball must carry,
// and removes what earlier builds and their cache left in dist/: only what entries lead to is published.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, posix } from "node:path";
import { findEntries, toPosix } from "./package-entries.mjs";
import { root } from "./packages.mjs";

copyFileSync(join(root, "LICENSE"), "LICENSE");
const reached = new Set();
for (const entry of findEntries()) follow(entry.replace(/\.ts$/, ".js"));
for (const path of readdirSync("dist", { recursive: true }).map(toPosix)) {
  const [, name, ending] = /^(.+?)(\.d\.ts|\.js)(?:\.map)?$/.exec(path) ?? [];
  const isStale = ending === ".js" ? !reached.has(`${name}.js`) : !existsSync(join("src", `${name}.ts`));
  if (name !== undefined && isStale) rmSync(join("dist", path));
}

/** Notes a built file and the files of this package that it imports. */
function follow(path) {
  if (reached.has(path)) return;
  reached.add(path);
  for (const [, imported] of readFileSync(join("dist", path), "utf8").matchAll(/"(\.\.?\/[^"]+\.js)"/g)) {
    const target = posix.join(posix.dirname(path), imported);
    if (existsSync(join("dist", target))) follow(target);
  }
}
