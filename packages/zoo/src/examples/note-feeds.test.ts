import { createTensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import type { DataSet, Graph, Scaling } from "@isthmus/graph";
import { expect, test } from "vitest";
import { parseNetwork } from "../short-string/parse-network.ts";
import { noteFeeds } from "./note-feeds.ts";

const images = createTensor("u8", [2, 3, 2, 2], new Uint8Array(24));
const dataOf = (scaling: Scaling) => createDataSet(images, Int32Array.of(0, 1), { name: "photos", scaling });
const { graph } = parseNetwork("mlp:4", dataOf({ mean: 0, std: 1 }));

/** Notes how examples are fed to a network, and returns the notes. */
function notesOn(graph: Graph, data: DataSet, isScaled: boolean): string[] {
  const notes: string[] = [];
  noteFeeds("measure", { graph }, data, { isScaled, onNote: (text) => notes.push(text) });
  return notes;
}

test.each<readonly [Scaling, boolean, string]>([
  [
    { mean: 0.5, std: 0.25 },
    false,
    "(byte / 255 - 0.5) / 0.25; for networks trained on others, such as byte / 255, add --mean 0 --std 1.",
  ],
  [
    { mean: 0, std: 1 },
    false,
    "byte / 255; for networks trained on others, such as (byte / 255 - m) / s, add --mean m --std s.",
  ],
  [{ mean: 0, std: 1 }, true, "byte / 255."],
  [
    { mean: [0.1, 0.2, 0.3], std: 0.5 },
    true,
    "(byte / 255 - mean) / std by channel, mean 0.1, 0.2, 0.3, std 0.5, 0.5, 0.5.",
  ],
])("noteFeeds() says how bytes scaled by %j are fed, whoever chose it", (scaling, isScaled, words) => {
  expect(notesOn(graph, dataOf(scaling), isScaled)).toEqual([`Bytes of photos are fed as ${words}`]);
});

test("noteFeeds() says how examples were made, and nothing of floats", () => {
  const notes = ["Pictures of photos are resized."];
  const floats = createDataSet(createTensor("f32", [2, 12], new Float32Array(24)), Int32Array.of(0, 1));
  expect(notesOn(parseNetwork("mlp:4", floats).graph, { ...floats, notes }, false)).toEqual(notes);
});
