// Reads a great many damaged and hostile files with every reader, and reports what must never happen: an
// error that is not one of our own, a file that takes more than 2 s or 200 MB to read, a crash, a promise
// that fails unheard, a file that stays open.
//
//   npx tsx --conditions=@isthmus/source tools/fuzz/run.ts [--inputs 100000] [--seed 1] [--targets safetensors,onnx] [--failures DIR]
//
// The same seed makes the same inputs. The files of failing inputs are kept in DIR, in a folder for each.
// Every target runs in a process of its own; ends with 1 if anything was found.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Outcome, runTarget } from "./run-target.ts";
import { TARGETS } from "./targets.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    targets: { type: "string", default: Object.keys(TARGETS).join(",") },
    failures: { type: "string", default: join(tmpdir(), "isthmus-fuzz-failures") },
  },
});

const COLUMNS: readonly (readonly [string, number, (name: string, outcome: Outcome) => string | number])[] = [
  ["target", -16, (name) => name],
  ["inputs", 8, (_, { tally }) => tally?.inputs ?? "?"],
  ["read", 8, (_, { tally }) => tally?.read ?? "?"],
  ["refused", 8, (_, { tally }) => tally?.refused ?? "?"],
  ["findings", 9, (_, { findings }) => findings.length],
  ["slowest ms", 11, (_, { tally }) => tally?.slowestMs.toFixed(0) ?? "?"],
  ["most MB", 8, (_, { tally }) => ((tally?.mostBytes ?? Number.NaN) / 1e6).toFixed(0)],
  ["files open", 11, (_, { tally }) => tally?.descriptors.join(" > ") ?? "?"],
  ["handles", 8, (_, { tally }) => tally?.handles.join(" > ") ?? "?"],
  ["seconds", 8, (_, { seconds }) => seconds.toFixed(0)],
];

const print = (cells: readonly (string | number)[]): void => {
  const padded = COLUMNS.map(([, width], i) => {
    return width < 0 ? String(cells[i]).padEnd(-width) : String(cells[i]).padStart(width);
  });
  console.log(padded.join(" "));
};

const names = values.targets.split(",");
const unknown = names.find((name) => TARGETS[name] === undefined);
if (unknown !== undefined) {
  console.error(`Cannot fuzz "${unknown}" as a target must be one of ${Object.keys(TARGETS).join(", ")}`);
  process.exit(2);
}
const shares = names.reduce((sum, name) => sum + TARGETS[name]!.share, 0);
let inputs = 0;
let findings = 0;
print(COLUMNS.map(([title]) => title));
for (const name of names) {
  const count = Math.ceil((Number(values.inputs) * TARGETS[name]!.share) / shares);
  const outcome = await runTarget({ name, seed: Number(values.seed), count, failures: values.failures });
  print(COLUMNS.map(([, , cell]) => cell(name, outcome)));
  for (const { what, input } of outcome.findings) console.log(`    input ${input} ${what}`);
  inputs += outcome.tally?.inputs ?? 0;
  findings += outcome.findings.length;
}
console.log(
  `seed ${values.seed}: ${inputs} inputs, ${findings === 0 ? "nothing found" : `${findings} findings in ${values.failures}`}`,
);
process.exit(findings === 0 ? 0 : 1);
