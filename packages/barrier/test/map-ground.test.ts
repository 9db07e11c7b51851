import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Checkpoint } from "@isthmus/core";
import { OutOfRangeError } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { average } from "@isthmus/interpolation";
import { alignMany } from "@isthmus/weight-matching";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomExamples } from "../../../test/helpers/random-examples.ts";
import { randomNetwork } from "../../../test/helpers/random-network.ts";
import { smallMlp } from "../../../test/helpers/small-networks.ts";
import { type MapNetworksOptions, mapNetworks, measurePlane } from "../src/index.ts";

const engine = createOnnxRuntimeEngine();
const mlp = smallMlp();
const data = randomExamples([6], { size: 20, classes: 3, seed: 1, name: "random" });
const networks = [1, 2, 3, 4].map((seed) => randomNetwork(mlp, seed));

const map = (options: Partial<MapNetworksOptions>, of: readonly Checkpoint[] = networks) =>
  mapNetworks({ graph: mlp, engine }, of, data, { seed: 0, points: 3, ...options });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isthmus-ground-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the ground of a map", () => {
  test("is the plane through three aligned networks, on which all others and their mean have a place", async () => {
    const { ground } = await map({ ground: 4, through: [2, 1, 4] });
    const { networks: aligned } = await alignMany({ graph: mlp, engine }, networks, { seed: 0 });
    const subject = (i: number, network = aligned[i]!) => ({ label: String(i), network });
    const plane = await measurePlane({ graph: mlp, engine }, [subject(1), subject(0), subject(3)], data, {
      points: 4,
      placed: [subject(2), subject(4, average(aligned))],
    });
    expect(ground).toMatchObject({ xs: plane.xs, ys: plane.ys, loss: plane.loss, error: plane.error });
    expect(ground?.networks).toEqual(
      plane.models.map(({ label, x, y, distance }) => ({ network: Number(label), x, y, distance })),
    );
    // At the corners of the triangle the plane has the distances of the networks themselves.
    const [one, other] = [ground?.networks[0], ground?.networks[1]];
    const apart = Math.hypot((one?.x ?? 0) - (other?.x ?? 0), (one?.y ?? 0) - (other?.y ?? 0));
    expect(apart).toBeCloseTo((await map({})).after.pairs[0]?.distance ?? 0, 5);
  });

  test("is kept row by row in the journal of the map, beside grounds through other networks", async () => {
    const journalPath = join(folder, "journal.json");
    const rows = async () => {
      const pieces = Object.keys(JSON.parse(await readFile(journalPath, "utf8")).pieces);
      return pieces.filter((key) => key.startsWith("ground ")).length;
    };
    const stop = new AbortController();
    const stopped = map({
      ...{ ground: 3, journalPath, signal: stop.signal },
      onProgress: ({ phase, done }) => phase === "ground" && done > 0.8 && stop.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(await rows()).toBeGreaterThan(0);
    expect(await rows()).toBeLessThan(3);
    expect(await map({ ground: 3, journalPath })).toEqual(await map({ ground: 3 }));
    await map({ ground: 3, through: [2, 3, 4], journalPath });
    expect(await rows()).toBe(6);
  });

  test("needs three networks that span a plane, which is said before anything is measured", async () => {
    for (const options of [
      { ground: 3, through: [1, 2] },
      { ground: 3, through: [1, 2, 5] },
      { ground: 3, through: [1, 2, 2] },
      { through: [1, 2, 3] },
      { ground: 1 },
    ]) {
      const refused = map(options);
      await expect(refused).rejects.toThrow(OutOfRangeError);
      await expect(refused).rejects.toThrow(
        /Cannot map networks as .*: got .*; name three of them by --through/,
      );
    }
    await expect(map({ ground: 3 }, networks.slice(0, 2))).rejects.toThrow(/at least three networks: got 2/);
    const [one, two] = networks as [Checkpoint, Checkpoint];
    await expect(map({ ground: 3 }, [one, two, one])).rejects.toThrow(
      /not lie on one line once aligned: 1 2 3/,
    );
  });
});
