import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { assertOutput } from "./assert-output.ts";

const here = fileURLToPath(import.meta.url);

describe("assertOutput()", () => {
  it("assertOutput() wants a file that is no input, in folders that are there or can be", async () => {
    await expect(assertOutput(join(here, "..", "new.html"), [here])).resolves.toBeUndefined();
    await expect(assertOutput(here, [here])).rejects.toThrow("must not be a file that is read from");
    await expect(assertOutput(join(here, "..", "missing", "below", "x"), [])).resolves.toBeUndefined();
    await expect(assertOutput("x", [])).resolves.toBeUndefined();
    for (const path of [join(here, "x"), join(here, "missing", "x")]) {
      await expect(assertOutput(path, [])).rejects.toThrow(`as "${here}" must be a folder: it is a file`);
    }
    await expect(assertOutput(join(here, ".."), [])).rejects.toThrow("it must be a file: it is a folder");
  });
});
