import { planeOf, topologyOf } from "@isthmus/curvature";
import { describe, expect, it } from "vitest";
import { renderResultPage } from "../src/page/render-result-page.ts";
import type { DrawableResult } from "../src/result/drawable-result.ts";
import { initializationResult, landscapeResult, trajectoryResult } from "./landscape-result.ts";
import { allOf, parsePage } from "./parse-page.ts";
import { planeResult } from "./results.ts";

const pageOf = async (result: DrawableResult) => parsePage(await renderResultPage({ title: "", result }));
const figuresOf = async (result: DrawableResult) =>
  allOf(await pageOf(result), "figure").map((figure) => figure.getAttribute("id"));

describe("describeLandscape()", () => {
  it("draws lines, planes and slices, and the tree of their minima", async () => {
    const trees = ["figure-merge-tree", "figure-barcode"];
    expect(await figuresOf(landscapeResult(1))).toEqual(["figure-line-loss", "figure-line-error", ...trees]);
    expect(await figuresOf(landscapeResult(2))).toEqual([
      "figure-plane-loss",
      "figure-plane-error",
      ...trees,
    ]);
    expect(await figuresOf(landscapeResult(3))).toEqual([
      "figure-slices-loss",
      "figure-slices-error",
      ...trees,
    ]);
  });

  it("says what it shows, and whether the loss falls from the initialization", async () => {
    const leadOf = async (result: DrawableResult) =>
      (await pageOf(result)).querySelector(".lead")?.textContent;
    expect(await leadOf(landscapeResult(2))).toMatch(
      /^Along random directions the loss goes from 0\.\d+ to 3\.\d+ nats; it is 0\.1000 at s0\. Its losses have 9 minima inside; 8 saddles between them, on average 0\.\d+ nats higher\.$/,
    );
    expect(await leadOf(initializationResult())).toContain(
      "the loss does not fall all the way: it rises by 0.0800 nats from 0.1 to 0.3 of it; the barrier above the chord is 0.9000 nats.",
    );
    const { interpolation, ...others } = initializationResult();
    const monotone = interpolation && { ...interpolation, monotone: true, largestRise: 0 };
    expect(await leadOf({ ...others, ...(monotone && { interpolation: monotone }) })).toContain(
      "the loss falls all the way, up to rounding",
    );
  });

  it("draws a trajectory in the order of its snapshots, and marks minima and saddles", async () => {
    const result = trajectoryResult();
    const [path] = planeOf(result)?.paths ?? [];
    expect(path?.points[0]).toEqual(result.networks[1]?.place);
    expect(path?.points.at(-1)).toEqual([0, 0]);
    expect(path?.points).toHaveLength(5);
    const titles = allOf(await pageOf(result), "#figure-plane-loss .full title").map(
      ({ textContent }) => textContent,
    );
    const { networks } = result;
    const names = networks.map(({ label }, i) =>
      i === 0 ? `end: ${label}` : i === 1 ? `start: ${label}` : label,
    );
    expect(titles).toEqual(expect.arrayContaining(names.map((name) => name.replace(/^\d+$/, "snapshot $&"))));
    expect(titles.filter((title) => title === "minimum")).toHaveLength(9);
    // Drawn twice, as white on black.
    expect(titles.filter((title) => title === "saddle")).toHaveLength(2 * 8);
  });

  it("tells minima on the edge, in words and as hollow marks within the frame", async () => {
    const result = trajectoryResult();
    const lower = { ...result, loss: result.loss.map((value, i) => (i === 0 ? 0 : value)) };
    const document = await pageOf({ ...lower, topology: topologyOf(lower) });
    expect(document.querySelector(".lead")?.textContent).toContain(
      "Its losses have 9 minima inside, 1 on the edge, where the loss may fall further; 9 saddles between them",
    );
    const titles = allOf(document, "#figure-plane-loss .full title");
    expect(titles.filter(({ textContent }) => textContent === "minimum")).toHaveLength(9);
    const hollow = titles.filter(({ textContent }) => textContent === "minimum on the edge");
    expect(hollow).toHaveLength(2);
    // Place 0 is at the lower left: marks are moved to the right and upwards.
    expect(allOf(document, '#figure-plane-loss .full g[transform="translate(7,-7)"] title')).toHaveLength(2);
    expect(document.querySelector("#table-minima tbody tr")?.textContent).toContain("edge");
  });

  it("says what could not be computed exactly, and where nothing is", async () => {
    const notesOf = async (result: DrawableResult) =>
      allOf(await pageOf(result), ".notes li").map(({ textContent }) => textContent);
    const base = landscapeResult(1);
    const loss = base.loss.map((value, i) => (i === 0 ? Number.NaN : value));
    const notes = await notesOf({
      ...{ ...base, loss, derivatives: "finite-differences", reason: "Gelu has none", converged: false },
    });
    expect(notes[0]).toMatch(/are differences of gradients, as exact ones cannot be had: Gelu has none\.$/);
    expect(notes[1]).toMatch(/^Eigenvectors have not all converged/);
    expect(notes.at(-1)).toMatch(/^Minima and saddles are of the places that have a loss/);
    const { derivatives: _, ...without } = base;
    expect((await notesOf({ ...without, reason: "of batch norms" }))[0]).toBe(
      "Slope and curvature at the network are not measured: of batch norms.",
    );
  });

  it("shows the most persistent of very many minima", async () => {
    const base = landscapeResult(1);
    const axis = Array.from({ length: 201 }, (_, i) => i);
    const loss = axis.map((i) => (i % 2 === 0 ? 1 : 2 + i / 1000));
    const document = await pageOf({ ...base, axes: [axis], loss, error: loss.map(() => 0.5) });
    const rows = allOf(document, "#table-minima tbody tr");
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.length).toBeLessThanOrEqual(41);
    expect(document.querySelector("#figure-barcode figcaption")?.textContent).toMatch(
      /minima that persist least are left out/,
    );
  });

  it.each([
    [{ axes: [[0, 0, 1]] }, /"axes" must be lists of at least 2 ascending numbers/],
    [{ loss: [1, 2] }, /"loss" must have a value for each of 21 places: it has 2/],
    [{ loss: Array.from({ length: 21 }, () => Number.NaN) }, /"loss" must have a finite value/],
    [{ basis: [] }, /"basis" must have one direction for every axis: it has 0/],
    [{ networks: [] }, /"networks" has none/],
  ])("refuses %j", async (part, message) => {
    await expect(pageOf({ ...landscapeResult(1), ...part })).rejects.toThrow(message);
  });

  it("finds minima of planes through networks, too", async () => {
    const document = await pageOf(planeResult());
    expect(allOf(document, "#table-minima tbody tr").length).toBeGreaterThan(0);
  });
});
