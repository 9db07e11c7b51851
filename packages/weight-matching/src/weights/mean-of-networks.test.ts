import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import type { WeightInfo } from "@isthmus/graph";
import fc from "fast-check";
import { expect, test } from "vitest";
import { meanOfNetworks } from "./mean-of-networks.ts";

const values = fc.float32Array({ minLength: 3, maxLength: 3, noNaN: true, noDefaultInfinity: true });

test("meanOfNetworks() rounds sums in doubles once, and takes whole numbers from the first", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 5 }), async (networks) => {
      const steps = (i: number): Tensor => createTensor("i64", [1], BigInt64Array.of(BigInt(i + 7)));
      const checkpoints = networks.map((data, i) =>
        createCheckpoint({ w: createTensor("f32", [3], data), steps: steps(i) }),
      );
      const weights = new Map(["w", "steps"].map((name): [string, WeightInfo] => [name, INFO]));
      const mean = await meanOfNetworks({ weights }, checkpoints);
      const sums = networks.reduce(
        (sum, data) => sum.map((x, i) => x + (data[i] as number)),
        new Float64Array(3),
      );
      expect((await mean.read("w")).data).toEqual(Float32Array.from(sums, (sum) => sum / networks.length));
      expect(await mean.read("steps")).toEqual(steps(0));
    }),
  );
});

const INFO: WeightInfo = { dtype: "f32", shape: [3], role: "parameter" };
