// Makes the calling package ready to be packed: puts the repository's LICENSE into it, which each tarball must carry, and a
// NOTICE of what is installed with it, and removes what earlier builds and their cache left in dist/: only what entries lead to is published.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { noticeOf } from "./notice.mjs";
import { findEntries, toPosix } from "./package-entries.mjs";
import { root } from "./packages.mjs";

copyFileSync(join(root, "LICENSE"), "LICENSE");
writeFileSync("NOTICE", noticeOf([basename(process.cwd())]));
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
