// Worker of the tests: runs from sources, as vitest does.
import { register } from "tsx/esm/api";

register();
await import("./sum-tasks.ts");
