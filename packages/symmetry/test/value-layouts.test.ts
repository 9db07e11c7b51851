import { at, sizeOf } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { discoverSymmetries, identityAlignment, randomAlignment, type Symmetries } from "@isthmus/symmetry";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../test/helpers/graph-builder.ts";
import { smallNetworks } from "../../../test/helpers/small-networks.ts";
import type { Field } from "../src/labels/field.ts";
import { layOutValues } from "../src/value-layouts.ts";

const engine = createOnnxRuntimeEngine();

describe("layOutValues()", () => {
  test.each(smallNetworks())("moves the units of each value to their places: $name", async (graph) => {
    const permutations = await discoverSymmetries({ graph, engine });
    const { spec, labels } = permutations;
    const layouts = layOutValues(permutations);
    const alignment = randomAlignment(spec, 3);
    const [motion, still] = [alignment, identityAlignment(spec)].map((each) => layouts.motionOf(each));
    let moved = 0;
    for (const [name, components] of layouts.components) {
      expect(components.length).toBeGreaterThan(0);
      for (const { axes, extents, units, move } of components) {
        expect(extents).toEqual(axes.map((axis) => labels.values.get(name)?.shape[axis]));
        const positions = Array.from({ length: sizeOf(extents) }, (_, position) => position);
        const target = [...(move(motion ?? { image: new Int32Array() }) ?? [])];
        expect([...target].sort((a, b) => a - b)).toEqual(positions);
        expect([...(move(still ?? { image: new Int32Array() }) ?? [])]).toEqual(positions);
        expect(units.length).toBeGreaterThan(0);
        for (const table of units) {
          expect(table).toHaveLength(positions.length);
          expect(table.some((unit) => unit >= 0)).toBe(true);
          for (const position of positions) {
            const [unit, place] = [at(table, position, "unit"), at(table, at(target, position), "unit")];
            expect(place < 0 ? -1 : at(alignment.source, place)).toBe(unit);
          }
        }
        if (target.some((place, position) => place !== position)) moved++;
      }
    }
    expect(moved).toBeGreaterThan(0);
  });

  test("repeats units along the axes that are connected to theirs", () => {
    const free = (axes: readonly number[], ...data: number[]): Field => ({
      frozen: false,
      axes,
      data: Int32Array.from(data),
    });
    const labels = Int32Array.from({ length: 8 }, (_, label) => label);
    const fieldsOf = [free([0], 0, 1), free([0, 1], 2, 3, 4, 5, 6, 7)];
    const unitsOf = (...units: number[]) => {
      const permutations = {
        labels: { values: new Map([["v", { shape: [2, 3], fields: fieldsOf }]]) },
        group: { classes: { classOf: labels } },
        units: { unitOf: Int32Array.from(units) },
      } as unknown as Symmetries;
      return layOutValues(permutations)
        .components.get("v")
        ?.map((component) => component.units.map((u) => [...u]));
    };
    // Labels 0 and 1 have units, the others none, or all have, or only one has, whose number is 0.
    expect(unitsOf(10, 11, -1, -1, -1, -1, -1, -1)).toEqual([[[10, 10, 10, 11, 11, 11]]]);
    expect(unitsOf(10, 11, 1, 2, 3, 4, 5, 6)).toEqual([
      [
        [10, 10, 10, 11, 11, 11],
        [1, 2, 3, 4, 5, 6],
      ],
    ]);
    expect(unitsOf(-1, -1, -1, -1, 0, -1, -1, -1)).toEqual([[[-1, -1, 0, -1, -1, -1]]]);
    expect(unitsOf(-1, -1, -1, -1, -1, -1, -1, -1)).toBeUndefined();
  });

  test("lists values with units alone, and repeats units along axes that move with them", async () => {
    const b = new GraphBuilder();
    const hidden = b.op("Relu", [b.conv(b.input("x", [3, 4, 4]), "stem", [3, 5])]);
    const flat = b.reshape(hidden, 0, 5 * 16);
    const graph = b.output(b.linear(flat, "head", 5 * 16, 3)).build();
    const permutations = await discoverSymmetries({ graph, engine });
    const { components } = layOutValues(permutations);
    expect(components.has("x")).toBe(false);
    expect(components.has(at(graph.outputs, 0).name)).toBe(false);
    const [ofHidden] = components.get(hidden) ?? [];
    expect(ofHidden).toMatchObject({ axes: [1], extents: [5], units: [Int32Array.of(0, 1, 2, 3, 4)] });
    const [ofFlat] = components.get(flat) ?? [];
    expect(ofFlat).toMatchObject({ axes: [1], extents: [80] });
    expect(components.get("head.weight")?.map(({ axes }) => axes)).toEqual([[0]]);
  });
});
