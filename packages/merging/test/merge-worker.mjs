// Worker of merges that run from sources, as tests and tools do.
import { register } from "tsx/esm/api";

register();
await import("../src/executor/merge-worker.ts");
