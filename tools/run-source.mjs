// Runs a tool in TypeScript with the sources of the packages that it imports, bundled: to read and translate them one by
// one takes five times as long.
//
//   node tools/run-source.mjs TOOL.ts [ARGUMENT...]
import { pathToFileURL } from "node:url";
import { bundleScripts } from "../test/helpers/bundle-scripts.mjs";

const [tool] = process.argv.splice(2, 1);
const [bundle] = await bundleScripts([pathToFileURL(tool)]);
await import(bundle.href);
