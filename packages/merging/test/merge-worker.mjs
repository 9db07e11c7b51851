// Worker of merges that run from sources, as tests and tools do.
import { workerData } from "node:worker_threads";
import { bundleScripts } from "../../../test/helpers/bundle-scripts.mjs";

const { source } = workerData;
const modules = [source.module, source.products].filter((module) => module !== undefined);
const [worker, module, products] = await bundleScripts(
  [new URL("../src/executor/merge-worker.ts", import.meta.url), ...modules].map(
    (address) => new URL(address),
  ),
);
Object.assign(source, { module: module.href }, products && { products: products.href });
await import(worker.href);
