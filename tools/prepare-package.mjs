// Makes the calling package ready to be packed: copies the repository's LICENSE into it, which each tarball must carry,
// and removes what was compiled from sources that are gone, which builds leave in dist/.
import { copyFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

copyFileSync(join(root, "LICENSE"), "LICENSE");
for (const path of readdirSync("dist", { recursive: true })) {
  const compiled = /^(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(path);
  if (compiled !== null && !existsSync(join("src", `${compiled[1]}.ts`))) rmSync(join("dist", path));
}
