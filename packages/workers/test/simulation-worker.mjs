// Runs the script from its source, as tests and tools do.
import { bundleScripts } from "../../../test/helpers/bundle-scripts.mjs";

const [script] = await bundleScripts([new URL("../src/simulation-worker.ts", import.meta.url)]);
await import(script.href);
