import { describe, expect, it } from "vitest";
import { renderResultPage } from "../src/page/render-result-page.ts";
import { curvatureHistory } from "./curvature-result.ts";
import { allOf, parsePage } from "./parse-page.ts";

describe("describeCurvatureHistory()", () => {
  it("describeCurvatureHistory() draws a line of each number, and says how far they went", async () => {
    const result = curvatureHistory();
    const document = parsePage(await renderResultPage({ title: "", result }));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "From epoch 0 to 10, the largest eigenvalue of the Hessian goes from 4.000 to 19.00, its trace from 30.00 to 85.00.",
    );
    expect(allOf(document, "figure").map((figure) => figure.getAttribute("id"))).toEqual([
      ...["figure-largest", "figure-trace", "figure-gradient", "figure-loss"],
    ]);
    expect(allOf(document, "#table-history tbody tr")).toHaveLength(6);
  });

  it("describeCurvatureHistory() refuses a history without points", async () => {
    const result = { ...curvatureHistory(), points: [] };
    await expect(renderResultPage({ title: "", result })).rejects.toThrow("there must be a point");
  });
});
