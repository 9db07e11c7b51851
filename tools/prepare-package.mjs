// Makes the calling package ready to be packed: copies the repository's LICENSE into it, which each tarball must carry,
// and removes what was compiled from sources that are gone, which builds and their cache leave in dist/.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

copyFileSync(join(root, "LICENSE"), "LICENSE");
const compiled = readdirSync("dist", { recursive: true }).flatMap((path) => {
  const parts = /^(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(path);
  return parts === null ? [] : [{ path, name: parts[1] }];
});
const chunks = new Set();
for (const { path, name } of compiled) {
  if (name.startsWith("chunks/")) continue;
  if (!existsSync(join("src", `${name}.ts`))) rmSync(join("dist", path));
  else if (path.endsWith(".js")) followChunks(path);
}
for (const { path, name } of compiled)
  if (name.startsWith("chunks/") && !chunks.has(name)) rmSync(join("dist", path));

/** Notes the chunks that a compiled file imports, and the chunks that these import. */
function followChunks(path) {
  for (const [, file] of readFileSync(join("dist", path), "utf8").matchAll(
    /"[^"]*?([\w.-]+-[A-Z0-9]{8})\.js"/g,
  )) {
    const name = `chunks/${file}`;
    if (chunks.has(name)) continue;
    chunks.add(name);
    followChunks(`${name}.js`);
  }
}
