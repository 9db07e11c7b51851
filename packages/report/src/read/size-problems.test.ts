import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIsthmusError, isUsageError } from "@isthmus/core";
import { SIMILARITY } from "@isthmus/similarity";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { mapResult } from "../../../barrier/test/map-result.ts";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { attackResult } from "../../test/ensemble-results.ts";
import { initializationResult, landscapeResult } from "../../test/landscape-result.ts";
import { OTHER_RESULTS } from "../../test/other-results.ts";
import { similarityResult } from "../../test/similarity-result.ts";
import { type DrawableResult, renderFigures, renderResultPage, renderTables } from "../index.ts";
import { readResult } from "./read-result.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-sizes-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads a result and draws it as a page and as tables. */
async function draw(text: string): Promise<DrawableResult> {
  const path = join(folder, "x.json");
  writeFileSync(path, text);
  const result = await readResult(path);
  await renderResultPage({ title: "t", result });
  renderTables(result);
  return result;
}

/** Draws a result as files of figures, too: they are the page's, so that few changes show how they fail. */
async function drawFigures(text: string): Promise<void> {
  await renderFigures(await draw(text));
}

/** Of so many changes one is drawn as files of figures, too. */
const FIGURES_EVERY = 8;

/** Most changes that are drawn of one result, spread over all of them: each run draws others, but on CI. */
const MOST = 10;

/** Returns the result with one list shorter, longer or empty, or one whole number far larger, each in turn. */
function changed(result: object): readonly string[] {
  const texts: string[] = [];
  const change = (holder: Record<string, unknown>, key: string): void => {
    const value = holder[key];
    const write = (other: unknown): void => {
      holder[key] = other;
      texts.push(JSON.stringify(document));
      holder[key] = value;
    };
    if (Array.isArray(value))
      for (const list of [value.slice(0, -1), [...value, ...value.slice(-1)], []]) write(list);
    else if (Number.isInteger(value)) write(Number(value) + 1000);
    if (typeof value !== "object" || value === null) return;
    for (const name of Object.keys(value)) change(value as Record<string, unknown>, name);
  };
  const document = { result: JSON.parse(JSON.stringify(result)) };
  change(document, "result");
  const step = Math.max(1, texts.length / MOST);
  const [first = 0] = fc.sample(fc.nat(Math.floor(step) - 1), 1);
  return Array.from({ length: Math.min(MOST, texts.length) }, (_, i) => {
    const text = texts[Math.floor(first + i * step)] ?? "";
    return JSON.stringify(JSON.parse(text).result);
  });
}

describe("findSizeProblems()", () => {
  it.each([barrierCurve("", 1, true).result, landscapeResult(1), initializationResult(), ...OTHER_RESULTS])(
    "a $kind of which a list is shorter or longer is drawn, or refused by name",
    async (result) => {
      await drawFigures(JSON.stringify(result));
      for (const [i, text] of changed(result).entries())
        await (i % FIGURES_EVERY === 0 ? drawFigures : draw)(text).catch((error: unknown) => {
          // Figures refuse what they cannot draw in words of their own; all else is a fault of the program.
          if (isUsageError(error)) return;
          if (!isIsthmusError(error)) throw new Error(text.slice(0, 500), { cause: error });
          expect(error.message).toMatch(/^Cannot (draw|read) ".*x\.json" as .*"[\w.-]+"/);
        });
    },
    120_000,
  );

  it("asks the definition of a kind for its problems", async () => {
    vi.spyOn(SIMILARITY, "findSizeProblems").mockReturnValue(['"tables": must be as the definition says']);
    const drawn = draw(JSON.stringify(similarityResult()));
    await expect(drawn).rejects.toThrow('kind "similarity": "tables": must be as the definition says');
  });

  it("says of lists that belong together which has another size than which", async () => {
    const { tables, ...similarity } = similarityResult();
    const longer = tables.map((table) => ({ ...table, values: [...table.values, []] }));
    await expect(draw(JSON.stringify({ ...similarity, tables: longer }))).rejects.toThrow(
      /kind "similarity": "tables\.0\.values": must have \d+ entries, as "layersA" and "layersB": it has \d+/,
    );
    const attack = attackResult();
    await expect(draw(JSON.stringify({ ...attack, targets: attack.targets.slice(1) }))).rejects.toThrow(
      /"sources\.0\.targets": must have \d+ entries, as "targets": it has \d+/,
    );
    const map = mapResult();
    const order = map.before.tree.order.map(() => 99);
    const strange = { ...map, before: { ...map.before, tree: { ...map.before.tree, order } } };
    await expect(draw(JSON.stringify(strange))).rejects.toThrow(
      /"before\.tree\.order\.0": must be a position among the \d+ of "networks": it is 99/,
    );
  });
});
