import { readFileSync } from "node:fs";

const PACKAGE = new URL("../../../packages/cli/package.json", import.meta.url);

/** Version of the command of this repository. */
export const VERSION = String(JSON.parse(readFileSync(PACKAGE, "utf8")).version);
