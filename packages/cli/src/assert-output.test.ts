import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { assertOutput } from "./assert-output.ts";

const here = fileURLToPath(import.meta.url);

describe("assertOutput()", () => {
  it("assertOutput() wants a folder that exists and no input", async () => {
    await expect(assertOutput(join(here, "..", "new.html"), [here])).resolves.toBeUndefined();
    await expect(assertOutput(here, [here])).rejects.toThrow("must not be a file that is read from");
    await expect(assertOutput(join(here, "..", "missing", "x"), [])).rejects.toThrow("its folder must exist");
    await expect(assertOutput(join(here, "x"), [])).rejects.toThrow("its folder must exist");
  });
});
