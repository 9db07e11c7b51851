// Reads docs/reproductions.json: the numbers of README and docs/, each with the command that gives it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./packages.mjs";

/** All numbers, in the order of the page. */
export const reproductions = JSON.parse(readFileSync(join(root, "docs", "reproductions.json"), "utf8"));

/** Words of a command for the program, which is told to print JSON alone. */
export function wordsOf({ command }) {
  return [...command.split(" ").slice(1), "--quiet", "--json"];
}

/** What a result says at each path of a reproduction, and whether that is within what it may differ by. */
export function compareNumbers({ numbers }, result) {
  return numbers.map(({ path, value, within }) => {
    const found = path.split(".").reduce((part, key) => part?.[key], result);
    return { path, value, within, found, holds: Math.abs(found - value) <= within };
  });
}

/** The table of docs/reproductions.md. */
export function formatReproductions() {
  const rows = reproductions.map(({ name, claim, pages, command, seed, time = "", test }) => {
    const places = Object.keys(pages).map((page) => `[${titleOf(page)}](${addressOf(page)})`);
    const held = [...places, ...(test === undefined ? [] : [`[test](${addressOf(test)})`])].join(", ");
    return `| \`${name}\` | ${claim} | \`${command}\` | ${seed} | ${time} | ${held} |`;
  });
  return [
    "| name | what it shows | command | seed | time | where it stands |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

const titleOf = (page) => page.replace(/^docs\//, "").replace(/\.md$/, "");

const addressOf = (page) => (page.startsWith("docs/") ? page.slice("docs/".length) : `../${page}`);
