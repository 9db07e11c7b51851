// Checks what is written in the sources: errors and their wording, randomness, private paths, example code.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageNames, report, root, sourceFiles } from "./packages.mjs";

/** Tagged errors and the two errors for wrong arguments; nothing else may be thrown. */
const ERRORS = [
  "FormatError",
  "UnsupportedError",
  "MismatchError",
  "InputError",
  "EngineError",
  "DivergenceError",
  "UsageError",
  "OutOfRangeError",
];
const findings = [];

/** A script for pages that tools/write-walk-script.mjs minifies from sources of its own. */
const MINIFIED = "packages/report/src/page/walk-script.ts";

for (const name of packageNames) {
  for (const path of sourceFiles(name))
    if (path !== MINIFIED) checkSource(path, readFileSync(join(root, path), "utf8"));
}
for (const path of trackedTextFiles()) checkTracked(path, readFileSync(join(root, path), "utf8"));
report("check-text", findings);

function checkSource(path, text) {
  const say = (index, problem) => findings.push(`${path}:${lineOf(text, index)} ${problem}`);
  for (const { index } of text.matchAll(/\bMath\.random\b/g)) say(index, "uses Math.random: take a seed");
  // Errors of the platform are those of a system, which core explains.
  for (const { index } of isOfPlatform(path) ? [] : text.matchAll(/\bnew Error\(/g))
    say(index, "makes a bare Error: use a tagged error");
  for (const { index, 1: name } of text.matchAll(/\bnew (TypeError|RangeError)\(/g))
    say(index, `makes a ${name}: use ${name === "TypeError" ? "UsageError" : "OutOfRangeError"}`);
  for (const { index } of text.matchAll(/\bTextDecoder\([^)]*\blatin1\b/g))
    say(index, "decodes windows-1252, from Node 22 on: use decodeLatin1 of @isthmus/platform");
  if (!path.startsWith("packages/core/src/") && !isOfPlatform(path)) checkReading(text, say);
  for (const { index } of text.matchAll(/\.\.\.\{/g))
    say(index, "spreads a literal: name its fields one by one");
  for (const { index } of text.matchAll(/\/\/ *(?:TODO|FIXME|XXX)\b/g)) say(index, "leaves work for later");
  const construction = new RegExp(`\\bnew (${ERRORS.join("|")})\\(\\s*([\`"'])`, "g");
  for (const match of text.matchAll(construction)) {
    const start = match.index + match[0].length;
    const { message, end } = readLiteral(text, start, match[2]);
    const continued = /^\s*\+/.test(text.slice(end + 1));
    const problem = wordingProblem(message, continued);
    if (problem) say(match.index, `${match[1]} ${problem}: ${JSON.stringify(message.slice(0, 80))}`);
  }
}

function isOfPlatform(path) {
  return path.startsWith("packages/platform/src/");
}

/**
 * Files that users name, and JSON in them, may be hostile: core has the one way to open a file and the one
 * limit of nesting.
 */
function checkReading(text, say) {
  // What ships with a package is found from the source that reads it.
  for (const { index } of text.matchAll(
    /\b(readFile|readFileSync|createReadStream|openSync)\((?!\s*new URL\()/g,
  ))
    say(
      index,
      "opens a file by itself: use openFileSource, readFileBytes, readTextFile or readJsonFile of core",
    );
  for (const { index } of text.matchAll(/\bJSON\.parse\((?!\s*readFileSync\()/g))
    say(index, "parses JSON by itself: use parseJson or readJsonFile of core");
}

/** The text and the end of a string or template that starts at `start`; interpolations are shown as a word. */
function readLiteral(text, start, quote) {
  let message = "";
  let index = start;
  while (index < text.length && text[index] !== quote) {
    if (text[index] === "\\") message += text[++index];
    else if (quote === "`" && text.startsWith("${", index)) {
      index = skipInterpolation(text, index + 2);
      message += "VALUE";
      continue;
    } else message += text[index];
    index++;
  }
  return { message, end: index };
}

function skipInterpolation(text, start) {
  let depth = 1;
  let index = start;
  for (; index < text.length && depth > 0; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}") depth--;
  }
  return index;
}

/** What was attempted, on what, the rule, the value, what to do next; a sentence without a final period. */
function wordingProblem(message, continued) {
  if (!/^(Cannot |VALUE)/.test(message)) return 'must say what was attempted: "Cannot ..."';
  if (!continued && /[.!]$/.test(message)) return "must end without a period";
  return undefined;
}

function checkTracked(path, text) {
  for (const match of text.matchAll(/\/work\/(?:shared|main|pyenv)\b|\/root\/|\/tmp\/helper/g)) {
    findings.push(`${path}:${lineOf(text, match.index)} names a private path: ${match[0]}`);
  }
  if (!path.endsWith(".test.ts")) return;
  // Files of tests share their modules: one that another file has loaded is not replaced.
  for (const match of text.matchAll(/\bvi\.(mock|doMock|resetModules)\(/g)) {
    findings.push(
      `${path}:${lineOf(text, match.index)} replaces a module: change its functions, and restore`,
    );
  }
}

function trackedTextFiles() {
  const binary = /\.(onnx|safetensors|npz|npy|gz|pt|bin|wasm|png)$/;
  const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).split("\n");
  return files.filter(
    (path) =>
      path !== "" && !binary.test(path) && path !== "tools/check-text.mjs" && existsSync(join(root, path)),
  );
}

function lineOf(text, index) {
  return text.slice(0, index).split("\n").length;
}
