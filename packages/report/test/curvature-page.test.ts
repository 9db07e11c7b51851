import { describe, expect, it } from "vitest";
import { renderResultPage } from "../src/page/render-result-page.ts";
import type { DrawableResult } from "../src/result/drawable-result.ts";
import { curvatureResult } from "./curvature-result.ts";
import { allOf, parsePage } from "./parse-page.ts";

const pageOf = (result: DrawableResult): Promise<string> => renderResultPage({ title: "", result });

describe("describeCurvature()", () => {
  it("describeCurvature() says what of a curvature has not converged, and why its products are not exact", async () => {
    const result = curvatureResult();
    const document = parsePage(await pageOf(result));
    expect(document.querySelector(".lead")?.textContent).toBe(
      "The largest eigenvalue of the Hessian is 23.40, the smallest -0.3100. The trace is 61.30, with a standard error of 1.700.",
    );
    const notes = allOf(document, ".notes li").map(({ textContent }) => textContent);
    expect(notes).toEqual([
      'Products with the Hessian are differences of gradients 0.001 to either side, as exact ones cannot be had: operator "Gelu" has no second derivative.',
      "Eigenvalues have not all converged after 40 products: true ones are within the residual of each, which is up to 0.0468. --steps allows more products.",
      "The trace has not reached the precision asked for after 60 products: it is estimated from 12 random vectors, with a standard error of 1.700. --trace-products allows more products.",
      "The chains of the learning coefficient have not settled: the second half of the draws says 2.100 more than the first. Take a larger step, or more burn-in.",
    ]);
    expect(allOf(document, "#table-eigenvalues tbody tr")).toHaveLength(6);
    const { reason: _, step: __, learningCoefficient: ___, trace, eigenvalues, ...others } = result;
    if (!trace || !eigenvalues) throw new TypeError("Cannot test without a trace and eigenvalues");
    const converged = parsePage(
      await pageOf({
        ...{ ...others, derivatives: "exact" },
        trace: { ...trace, converged: true },
        eigenvalues: { ...eigenvalues, converged: true },
      }),
    );
    expect(converged.querySelector("#notes")).toBeNull();
  });

  it("describeCurvature() draws what a curvature has: a part of it, or nothing but its numbers", async () => {
    const { eigenvalues, density, trace, canonical, ...measured } = curvatureResult();
    const { layers, sharpness, criticalSharpness: _, learningCoefficient, settling, ...others } = measured;
    const figuresOf = async (result: DrawableResult) =>
      allOf(parsePage(await pageOf(result)), "figure").map((figure) => figure.getAttribute("id"));
    expect(await figuresOf({ ...others, ...(density && { density }) })).toEqual(["figure-density"]);
    expect(await figuresOf({ ...others, ...(eigenvalues && { eigenvalues }) })).toEqual([
      "figure-eigenvalues",
    ]);
    expect(await figuresOf({ ...others, ...(trace && { trace }) })).toEqual([]);
    expect(await figuresOf({ ...others, ...(layers && { layers }) })).toEqual([
      "figure-layer-traces",
      "figure-layer-eigenvalues",
    ]);
    expect(await figuresOf({ ...others, ...(sharpness && { sharpness }) })).toEqual(["figure-sharpness"]);
    expect(await figuresOf({ ...others, ...(learningCoefficient && { learningCoefficient }) })).toEqual([
      "figure-learning-coefficient",
    ]);
    expect(await figuresOf({ ...others, ...(settling && { settling }) })).toEqual([
      "figure-settling-change",
      "figure-settling-eigenvalue",
      "figure-settling-trace",
    ]);
    const settled = parsePage(await pageOf({ ...others, ...(settling && { settling }) }));
    expect(settled.querySelector(".lead")?.textContent).toBe(
      "One more example changes the loss like the number of examples to the power of -0.9840.",
    );
    expect(allOf(settled, "#table-settling tbody tr")).toHaveLength(4);
    const document = parsePage(await pageOf({ ...others, ...(canonical && { canonical }) }));
    expect(allOf(document, "#table-canonical tbody tr").map(({ textContent }) => textContent)).toEqual([
      "mean loss0.21400.2140",
      "length of the gradient0.03720.0203",
    ]);
  });

  it("describeCurvature() ends the line of a density where less than a hundredth of an eigenvalue is", async () => {
    const document = parsePage(await pageOf(curvatureResult()));
    const path =
      allOf(document, '#figure-density .full g[aria-label="line"] path')[0]?.getAttribute("d") ?? "";
    // Around 0, and around each of three eigenvalues far from it.
    expect(path.match(/M/g)).toHaveLength(4);
  });

  it("describeCurvature() draws densities that are as large as numbers get", async () => {
    for (const peak of [1e308, Number.MAX_VALUE, 1e-320]) {
      const density = {
        ...{ range: [0, 1] as const, density: [peak / 2, peak, 0], width: 1, runs: 1, steps: 1 },
        nodes: { values: [0], weights: [1] },
      };
      const { canonical: _, ...result } = curvatureResult();
      expect(await pageOf({ ...result, density })).toContain("figure-density");
    }
  });

  it("describeCurvature() refuses a density of nothing", async () => {
    const density = {
      ...{ range: [0, 1] as const, density: [0, 0], width: 1, runs: 1, steps: 1 },
      nodes: { values: [], weights: [] },
    };
    await expect(pageOf({ ...curvatureResult(), density })).rejects.toThrow(
      "one of its values must be above 0: of 2 none is",
    );
  });
});
