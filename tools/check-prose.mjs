// Checks how sources read: comments that fit a line, doc comments that open with a plain sentence, a doc comment on every field of an
// exported interface, names that say what they hold, and no fallback value in place of an element that cannot be missing.
//
//   node tools/check-prose.mjs [package...] [--count]
//
// Without packages all are checked. With `--count` only the number of findings of each kind is printed, for each package.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "oxc-parser";
import { packageNames, report, root, sourceFiles } from "./packages.mjs";

const WIDTH = 110;
const PHRASES =
  /\b(the same of|those that|those of|what is told|is told|are told|foretold|comes to|goes by|stands for itself|where there is one|begun anew|has it|of its own kind)\b/i;
/** Beginnings of sentences that leave out what they are about. */
const SENTENCES = /(?:^|[.!?]\s+|\n\s*\n)\s*(Of|Told|What|Where) /g;
const VAGUE = "own|each|given|found|wanted|kept|known";
const DECLARATIONS = [
  new RegExp(`\\b(?:const|let)\\s+(${VAGUE})\\b`, "g"),
  new RegExp(`[{,[]\\s*\\w+:\\s*(${VAGUE})\\s*(?=[,}])`, "g"),
  new RegExp(
    `[(,]\\s*(${VAGUE})(?=\\s*(?::\\s*(?:readonly|number|string|boolean|unknown|[A-Z{])|[,)]\\s*(?:=>|:)))`,
    "g",
  ),
];
/** Element access with a value in place of a missing element. */
const FALLBACK = /\[[^\]\n]+\] \?\? (?:-?\d+\b|""|\[\]|new \w+|"")/g;
/** Words that end like a verb in the third person and are none. */
const NOUNS = new Set(
  "Units Names Values Options Bytes Axes Weights Nodes Tensors Elements Positions Results Losses Examples Rows Columns Errors Statistics Defaults Symmetries Inputs Outputs Points Networks Sums Tasks Tables Figures Pages Shares Places Operators Shapes Types Files Labels Steps Epochs Means Gradients Products Sides Sites Lines Layers Numbers Its This Those Was As".split(
    " ",
  ),
);

/** Tables of one type for each sort, whose own comments speak for all of their fields. */
const TABLES = new Set(["SubjectOptions"]);

const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const findings = [];
const counts = new Map();
for (const name of chosen.length > 0 ? chosen : packageNames) {
  for (const path of sourceFiles(name)) checkSource(name, path, readFileSync(join(root, path), "utf8"));
}
if (process.argv.includes("--count")) {
  for (const [name, kinds] of counts) console.log(name, JSON.stringify(Object.fromEntries(kinds)));
} else report("check-prose", findings);

function checkSource(name, path, text) {
  const say = (kind, index, problem) => {
    const kinds = counts.get(name) ?? counts.set(name, new Map()).get(name);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    findings.push(`${path}:${text.slice(0, index).split("\n").length} ${problem}`);
  };
  let start = 0;
  for (const line of text.split("\n")) {
    const isComment = /^\s*(?:\/\/|\/\*\*|\*)/.test(line);
    if (isComment && line.length > WIDTH && !line.includes("http"))
      say("width", start, `has a comment of ${line.length} characters: wrap at ${WIDTH}`);
    if (isComment && PHRASES.test(line))
      say("phrase", start, `says "${PHRASES.exec(line)[0]}": name what is meant`);
    start += line.length + 1;
  }
  for (const { index, 1: comment } of text.matchAll(/\/\*\*\s((?:(?!\*\/)[\s\S])*?)\*\//g)) {
    const words = comment.replace(/```[\s\S]*?```/g, "").replace(/^\s*\* ?/gm, "");
    for (const [, first] of words.matchAll(SENTENCES))
      say("start", index, `begins a sentence with "${first}": begin with the thing that it is about`);
  }
  const documented = /\/\*\*\s*((?:(?!\*\/)[\s\S])*?)\*\/\nexport (?:declare )?(?:async )?function\*? (\w+)/g;
  for (const { index, 1: comment, 2: called } of text.matchAll(documented)) {
    const [, first = ""] = /^\W*(\w+)/.exec(comment) ?? [];
    if (!/s$/.test(first) || NOUNS.has(first))
      say("verb", index, `${called}() is described from "${first}" on: begin with a verb, "Reads ..."`);
  }
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, " "));
  for (const pattern of DECLARATIONS) {
    for (const match of code.matchAll(pattern))
      say("name", match.index, `declares "${match[1]}": say what it holds`);
  }
  for (const match of code.matchAll(FALLBACK))
    say("fallback", match.index, `falls back in "${match[0]}": use at() or entry() of core`);
  for (const { start, end } of bareFields(path, text))
    say(
      "field",
      start,
      `has no comment on "${text.slice(start, end).split("\n")[0]}": say what the field holds`,
    );
}

/** Lists the fields of exported interfaces that have no doc comment, with their positions. */
function bareFields(path, text) {
  const { program, comments } = parseSync(path, text);
  const ends = comments
    .filter(({ type, value }) => type === "Block" && value.startsWith("*"))
    .map(({ end }) => end);
  const isListed = ({ typeAnnotation }) => typeAnnotation?.typeAnnotation.type === "TSTypeQuery";
  const hasComment = ({ start }) => ends.some((end) => end <= start && text.slice(end, start).trim() === "");
  return program.body
    .map((statement) => (statement.type === "ExportNamedDeclaration" ? statement.declaration : undefined))
    .filter(
      (declaration) => declaration?.type === "TSInterfaceDeclaration" && !TABLES.has(declaration.id.name),
    )
    .flatMap(({ body }) => body.body)
    .filter(
      (member) =>
        /^TS(?:Property|Method)Signature$/.test(member.type) && !hasComment(member) && !isListed(member),
    );
}
