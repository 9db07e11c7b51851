import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { Scaling } from "@isthmus/graph";
import { parseNetwork } from "@isthmus/zoo";
import { expect, test } from "vitest";
import { describeFeeds } from "./describe-feeds.ts";

const images = createTensor("u8", [2, 3, 2, 2], new Uint8Array(24));
const dataOf = (scaling: Scaling) => createDataSet(images, Int32Array.of(0, 1), { name: "photos", scaling });
const { graph } = parseNetwork("mlp:4", dataOf({ mean: 0, std: 1 }));

test.each<readonly [Scaling, number | undefined, string]>([
  [
    { mean: 0.5, std: 0.25 },
    undefined,
    "(byte / 255 - 0.5) / 0.25; for networks trained on others, such as byte / 255, add --mean 0 --std 1.",
  ],
  [
    { mean: 0, std: 1 },
    undefined,
    "byte / 255; for networks trained on others, such as (byte / 255 - m) / s, add --mean m --std s.",
  ],
  [{ mean: 0, std: 1 }, 0, "byte / 255."],
  [
    { mean: [0.1, 0.2, 0.3], std: 0.5 },
    1,
    "(byte / 255 - mean) / std by channel, mean 0.1, 0.2, 0.3, std 0.5, 0.5, 0.5.",
  ],
])("describeFeeds() says how bytes scaled by %j are fed, whoever chose it", (scaling, mean, words) => {
  const data = dataOf(scaling);
  expect(describeFeeds("measure", graph, data, { mean })).toEqual([`Bytes of photos are fed as ${words}`]);
});

test("describeFeeds() says how examples were made, and nothing of floats", () => {
  const notes = ["Pictures of photos are resized."];
  const floats = createDataSet(createTensor("f32", [2, 12], new Float32Array(24)), Int32Array.of(0, 1));
  expect(describeFeeds("measure", parseNetwork("mlp:4", floats).graph, { ...floats, notes })).toEqual(notes);
});
