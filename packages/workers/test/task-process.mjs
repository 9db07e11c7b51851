// Runs the script from its source, as tests and tools do.
import { bundleScripts } from "../../../test/helpers/bundle-scripts.mjs";

const [script] = await bundleScripts([new URL("../src/task-process.ts", import.meta.url)]);
await import(script.href);
