import type { BarrierCurve } from "@isthmus/barrier";
import { describe, expect, it } from "vitest";
import { barrierCurve } from "../../test/barrier-curve.ts";
import { renderBarrierSvg } from "./render-barrier-svg.ts";

const naive = barrierCurve("as trained", 1.387);
const aligned = barrierCurve("aligned", 0.0074);

describe("renderBarrierSvg()", () => {
  it("renderBarrierSvg() draws a mark for every point of every curve", async () => {
    const svg = await renderBarrierSvg([naive, aligned]);
    const titles = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map((match) => match[1]);
    expect(titles).toHaveLength(naive.result.points.length + aligned.result.points.length);
    expect(titles[0]).toBe("as trained, t = 0: loss 0.0650");
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  });

  it("renderBarrierSvg() says in words what it shows", async () => {
    const svg = await renderBarrierSvg([naive]);
    expect(svg).toContain('role="img"');
    expect(svg).toMatch(
      /aria-label="Mean loss along the path\. as trained: 0\.0650 at A, 0\.0690 at B, barrier 1\.387 at t = 0\.5"/,
    );
  });

  it("renderBarrierSvg() joins measurements by straight lines", async () => {
    const svg = await renderBarrierSvg([naive]);
    const lines = [...svg.matchAll(/<g [^>]*aria-label="line"[^>]*><path d="([^"]*)"/g)].map(
      ([, d = ""]) => d,
    );
    expect(lines.map((d) => d.match(/[A-Za-z]/g)?.join(""))).toEqual(["ML", `M${"L".repeat(24)}`]);
  });

  it("renderBarrierSvg() names the error of texts as that of the next token", async () => {
    const text = { ...naive, result: { ...naive.result, data: "text:book.txt:test" } };
    expect(await renderBarrierSvg([text], { measure: "error" })).toContain("Next-token error (%)");
    expect(await renderBarrierSvg([naive], { measure: "error" })).toContain("↑ Error (%)");
  });

  it("renderBarrierSvg() gives the same bytes for the same curves", async () => {
    const [first, second] = [
      await renderBarrierSvg([naive, aligned]),
      await renderBarrierSvg([naive, aligned]),
    ];
    expect(first === second).toBe(true);
  });

  it("renderBarrierSvg() keeps a curve's colour when it draws only some", async () => {
    const svg = await renderBarrierSvg([naive, aligned], { only: [1] });
    expect(svg).toContain('stroke="#0067a5"');
    expect(svg).not.toContain("#c85200");
    expect(svg).not.toContain("as trained");
  });

  it("renderBarrierSvg() escapes labels", async () => {
    const svg = await renderBarrierSvg([barrierCurve('<b>"&', 1)]);
    expect(svg.includes("<b>")).toBe(false);
    expect(svg).toContain("&lt;b&gt;");
  });

  it("renderBarrierSvg() draws flat, high and negative curves without NaN", async () => {
    for (const height of [0, 1e-12, -0.01, 1e9]) {
      const svg = await renderBarrierSvg([barrierCurve("curve", height)], { measure: "loss" });
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("renderBarrierSvg() refuses no curve, one point, values that are not finite and tiny figures", async () => {
    const broken: BarrierCurve = {
      label: "broken",
      result: { ...naive.result, points: [{ t: 0, loss: Number.NaN, error: 0 }, ...naive.result.points] },
    };
    const short: BarrierCurve = {
      label: "short",
      result: { ...naive.result, points: naive.result.points.slice(0, 1) },
    };
    await expect(renderBarrierSvg([])).rejects.toThrow("at least one curve is needed: got 0");
    await expect(renderBarrierSvg([broken])).rejects.toThrow("at t = 0 the loss is NaN");
    await expect(renderBarrierSvg([short])).rejects.toThrow("needs at least 2 points: it has 1");
    await expect(renderBarrierSvg([naive], { width: 100 })).rejects.toThrow(RangeError);
    await expect(renderBarrierSvg([naive], { theme: "auto" } as never)).rejects.toThrow(
      'its theme must be light or dark: it is "auto"',
    );
    await expect(renderBarrierSvg([naive], { colour: 1 } as never)).rejects.toThrow(
      'there is no option "colour"',
    );
  });
});
