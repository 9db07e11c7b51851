import { InputError } from "@isthmus/core";
import { describe, expect, it } from "vitest";
import { mapResult } from "../../../barrier/test/map-result.ts";
import { landscapeResult } from "../../test/landscape-result.ts";
import { curveResult, planeResult } from "../../test/results.ts";
import type { DrawableResult } from "./drawable-result.ts";
import { joinToMap } from "./join-map.ts";

const map = mapResult();
const sources = ["mlp/s0.safetensors", "mlp/s1.safetensors", "mlp/s2.safetensors"] as const;
const ofFile = (result: DrawableResult) => [{ file: "other.json", result }];

describe("joinToMap()", () => {
  it("puts a path between the networks of its ends, which longer or shorter paths of files name, too", async () => {
    const curve = { ...curveResult(), a: "/home/me/mlp/s2.safetensors", b: "./s0.safetensors" };
    const { paths = [], ...rest } = await joinToMap(map, ofFile(curve));
    expect(rest).toEqual(map);
    expect(paths).toEqual([
      {
        ...{ label: "trained curve", a: 3, b: 0, data: curve.data, examples: curve.examples },
        points: curve.path.points.map(({ t, loss, error }) => ({ t, loss, error })),
      },
    ]);
    const twice = await joinToMap(await joinToMap(map, ofFile(curve)), ofFile(curve));
    expect(twice.paths).toHaveLength(2);
  });

  it("takes a plane through three networks of the map as its ground", async () => {
    const plane = planeResult();
    const models = plane.models
      .slice(0, 3)
      .map((model, i) => ({ ...model, source: sources[i] ?? "", distance: 0 }));
    const { ground } = await joinToMap(map, ofFile({ ...plane, models }));
    expect(ground).toMatchObject({ stage: "before", xs: plane.xs, loss: plane.loss });
    expect(ground?.networks.map(({ network }) => network)).toEqual([0, 2, 3]);
  });

  it("finds minima and saddles of the ground, and the loss at which a minimum joins a deeper one", async () => {
    const plane = planeResult();
    const models = plane.models.slice(0, 3).map((model, i) => {
      return { ...model, source: sources[i] ?? "", distance: 0 };
    });
    const loss = [
      [0.1, 0.9, 0.2],
      [0.5, 1, 0.6],
    ];
    const small = { ...plane, models, xs: [-4, 2, 8], ys: [5, 7], loss, error: loss };
    const { ground } = await joinToMap(map, ofFile(small));
    expect(ground?.marks).toEqual([
      { kind: "minimum", x: -4, y: 5, loss: 0.1 },
      { kind: "minimum", x: 8, y: 5, loss: 0.2, joins: 0.9 },
      { kind: "saddle", x: 2, y: 5, loss: 0.9 },
    ]);
  });

  it("takes a landscape of two directions that are not at right angles, and keeps their angle", async () => {
    const landscape = landscapeResult();
    const [first, second] = landscape.basis;
    const places = [
      [0, 0],
      [1, 0],
      [0, 1],
    ];
    const networks = sources.map((source, i) => ({
      ...{ label: source, source, place: places[i] ?? [], distance: 0, loss: 0.1, error: 0.1 },
    }));
    const cosines = [
      [1, 0.6],
      [0.6, 1],
    ];
    const { ground } = await joinToMap(map, ofFile({ ...landscape, networks, cosines }));
    expect(ground?.basis[0]).toEqual([first?.length, 0]);
    expect(ground?.basis[1][0]).toBeCloseTo(0.6 * (second?.length ?? 0));
    expect(ground?.basis[1][1]).toBeCloseTo(0.8 * (second?.length ?? 0));
    const [xs = [], ys = []] = landscape.axes;
    expect(ground?.loss[1]?.[2]).toBe(landscape.loss[2 * ys.length + 1]);
    expect([ground?.loss.length, ground?.loss[0]?.length]).toEqual([ys.length, xs.length]);
  });

  it("refuses paths and planes of other networks, and results of other kinds", async () => {
    for (const [result, message] of [
      [curveResult(), /"other\.json" on the map as its path must lead between two networks of the map/],
      [planeResult(), /must go through three networks of the map: it goes through 0/],
      [map, /maps take results of isthmus curve, path and plane.*: it is of kind "map"/],
    ] as const) {
      const refused = joinToMap(map, ofFile(result));
      await expect(refused).rejects.toThrow(InputError);
      await expect(refused).rejects.toThrow(message);
    }
  });
});
