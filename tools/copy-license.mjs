// Copies the repository's LICENSE into the calling package before it is packed: each tarball must carry the license.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

copyFileSync(join(root, "LICENSE"), join(process.cwd(), "LICENSE"));
