// Reads the inputs of one target in a process of its own: worker.ts TARGET SEED COUNT FOLDER FAILURES. See
// run.ts.
import { join } from "node:path";
import { createInputFolder } from "./input-folder.ts";
import { TARGETS } from "./targets.ts";
import { type Finding, type Tally, watchInputs } from "./watch-inputs.ts";

/** What a worker tells the process that started it. */
export type WorkerMessage =
  | { readonly kind: "input"; readonly input: number }
  | { readonly kind: "finding"; readonly finding: Finding }
  | { readonly kind: "end"; readonly tally: Tally };

/** Time between two signs of life, in milliseconds. */
const BEAT_MS = 500;

const [name = "", seed, count, path = "", failures = ""] = process.argv.slice(2);
const tell = (message: WorkerMessage): void => void process.send?.(message);

let current = 0;
let told = 0;
process.on("unhandledRejection", (error) => {
  tell({
    kind: "finding",
    finding: { what: `rejects where nobody waits: ${String(error)}`, input: current },
  });
});

const target = await TARGETS[name]?.create();
if (target === undefined) throw new TypeError(`Cannot fuzz "${name}" as there is no such target`);
const folder = createInputFolder(path);
const tally = await watchInputs(target, {
  seed: Number(seed),
  count: Number(count),
  folder,
  onInput(input) {
    current = input;
    if (performance.now() - told < BEAT_MS) return;
    told = performance.now();
    tell({ kind: "input", input });
  },
  onFinding(finding) {
    folder.keep(join(failures, `${name.replace(" ", "-")}-${finding.input}`));
    tell({ kind: "finding", finding });
  },
});
tell({ kind: "end", tally });
folder.remove();
process.disconnect?.();
