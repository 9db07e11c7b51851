import { expect, test } from "vitest";
import { assertCheckpoint } from "./assert-checkpoint.ts";
import { createCheckpoint } from "./create-checkpoint.ts";

test("assertCheckpoint() lets checkpoints pass, and says what else it got", () => {
  expect(() => assertCheckpoint("average", createCheckpoint({}))).not.toThrow();
  expect(() => assertCheckpoint("average", Promise.resolve(createCheckpoint({})))).toThrow(
    "Cannot average as it needs a checkpoint: got a promise; write await openCheckpoint(...)",
  );
  expect(() => assertCheckpoint("average", "a.pt")).toThrow("got string; open it with openCheckpoint(path)");
  for (const value of [null, undefined, {}])
    expect(() => assertCheckpoint("average", value)).toThrow(TypeError);
});
