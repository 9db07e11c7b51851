// Writes FEATURES.md: every operator with the parts that handle it, and every format, family and method, each
// with its test; and the table of kinds of data in docs/data.md, between `<!-- data -->` and `<!-- /data -->`.
//
//   npx tsx --conditions=@isthmus/source tools/write-features.ts [--check]
//
// Operators come from the tables of the sources. With `--check` nothing is written: it fails if the page is
// stale, or if a test that it names does not exist.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DATA_KINDS } from "../packages/data/src/kinds/data-kinds.ts";
import { type FeatureList, listFeatures } from "./features/lists.ts";
import { listOperators, type OperatorRow, type Support } from "./features/operators.ts";
import { readTestFiles } from "./features/test-files.ts";
import { root } from "./packages.mjs";

const COLUMNS = ["symmetries", "gradient", "secondGradient", "tfjs", "batch"] as const;
const path = join(root, "FEATURES.md");
const operators = listOperators(readTestFiles());
const lists = listFeatures();
const named = [
  ...lists.flatMap(({ rows }) => rows.map(({ test }) => test)),
  ...operators.flatMap((row) => COLUMNS.flatMap((column) => row[column]?.test ?? [])),
];
const findings = [...new Set(named)]
  .filter((test) => !existsSync(join(root, test)))
  .map((test) => `names ${test}, which does not exist`);
const dataPath = join(root, "docs/data.md");
const pages = [
  { path, text: formatPage(operators, lists) },
  {
    path: dataPath,
    text: readFileSync(dataPath, "utf8").replace(
      /(<!-- data -->\n)[\s\S]*?(<!-- \/data -->)/,
      (_, begin: string, end: string) => `${begin}\n${formatKinds()}\n\n${end}`,
    ),
  },
];
for (const { path: file, text } of pages) {
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    findings.push(
      `${relative(root, file)} is stale: run "npx tsx --conditions=@isthmus/source tools/write-features.ts"`,
    );
  }
}
for (const finding of findings) console.error(`write-features: ${finding}`);
console.log(`write-features: ${findings.length === 0 ? "passed" : `${findings.length} findings`}`);
process.exitCode = findings.length === 0 ? 0 : 1;

function formatPage(rows: readonly OperatorRow[], sections: readonly FeatureList[]): string {
  const counts = COLUMNS.map((column) => rows.filter((row) => row[column] !== undefined).length);
  const operatorTable = [
    "| operator | symmetries | gradient | gradient of gradient | TensorFlow.js | any batch |",
    "|---|---|---|---|---|---|",
    `| **${rows.length}** | ${counts.map((count) => `**${count}**`).join(" | ")} |`,
    ...rows.map(
      (row) => `| ${row.op} | ${COLUMNS.map((column) => formatSupport(row[column])).join(" | ")} |`,
    ),
  ];
  return `${[
    "# Features",
    "What Isthmus handles, and the test that covers it. `tools/write-features.ts` writes this page; do not edit it.",
    ...sections.map(formatList),
    "## Operators of ONNX",
    [
      "onnxruntime runs every operator. The columns say what else Isthmus can do with it: discover symmetries through it,",
      "differentiate it (`zero` if its gradient is zero everywhere), differentiate that gradient again, run it on",
      "TensorFlow.js, and free a graph with it from a fixed size of batch. A link leads to a test that names the operator;",
      "a plain yes has a rule, but no test of that rule names the operator.",
    ].join("\n"),
    operatorTable.join("\n"),
  ].join("\n\n")}\n`;
}

function formatKinds(): string {
  const rows = DATA_KINDS.flatMap(({ forms }) =>
    forms.map(({ form, what, example }) => `| \`${form}\` | ${what} | \`${example}\` |`),
  );
  return ["| name | what it reads | for example |", "|---|---|---|", ...rows].join("\n");
}

function formatSupport(support: Support | undefined): string {
  if (support === undefined) return "";
  if (support.stops) return "zero";
  return support.test === undefined ? "yes" : `[yes](${support.test})`;
}

function formatList({ title, rows }: FeatureList): string {
  const lines = rows.map(({ name, test, what }) => `| \`${name}\` | ${what} | [test](${test}) |`);
  return [`## ${title}`, "", "| name | what it is | covered by |", "|---|---|---|", ...lines].join("\n");
}
