import type { Plot } from "@isthmus/findings";
import { expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { OTHER_RESULTS } from "../../test/other-results.ts";
import { describeResult } from "../result/describe-result.ts";
import { drawSvg } from "./draw-svg.ts";
import { drawingOf } from "./drawers.ts";

const RESULTS = [barrierCurve("as trained", 1.387, true).result, ...OTHER_RESULTS];

it.each(RESULTS)("drawingOf() draws the figures of a $kind from their JSON alike", async (result) => {
  const figures = (await describeResult(result)).sections.flatMap((section) => section.figures);
  expect(figures.length).toBeGreaterThan(0);
  for (const { name, words, plot } of figures) {
    const draw = (shown: Plot) => drawSvg(words, (library) => drawingOf(shown)(library, 480), { name });
    expect(await draw(JSON.parse(JSON.stringify(plot)))).toBe(await draw(plot));
  }
});
