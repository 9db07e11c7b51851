import { describe, expect, it } from "vitest";
import { hasSwiftShader, NO_DRIVER, runScript, SWIFTSHADER } from "../../../test/helpers/swiftshader.ts";
import type { DeviceAnswer } from "./devices/ask-device.ts";
import type { TrainedFamily } from "./devices/train-families.ts";

const FAMILIES = new URL("./devices/train-families.ts", import.meta.url);
const ASK = new URL("./devices/ask-device.ts", import.meta.url);

/**
 * Networks that are trained, of which SwiftShader compiles hundreds of programs first: `ISTHMUS_DEVICE_NETS`
 * names others, separated by spaces, as `lenet resnet8:w0.25 gpt:d1:w16:h2 llama:d1:w16:h4:kv2` take a minute more.
 */
const NETS = (process.env["ISTHMUS_DEVICE_NETS"] ?? "mlp:16 vit:d1:w16:h2:p8").split(" ");

/** A minute is long for any of these, and machines may be busy. */
const PATIENCE = { timeout: 600_000 };

describe.skipIf(!hasSwiftShader)("a graphics card in software", PATIENCE, () => {
  it("trains networks to the losses of the processor, and copies data and losses alone", async () => {
    const [there, here] = await Promise.all(
      ["webgpu", "cpu"].map((device) => runScript<readonly TrainedFamily[]>(FAMILIES, [device, ...NETS])),
    );
    expect(there?.map(({ net }) => net)).toEqual(NETS);
    for (const [i, { net, losses, fed, returned, placed }] of (there ?? []).entries()) {
      for (const [epoch, loss] of losses.entries()) {
        const expected = here?.[i]?.losses[epoch] ?? Number.NaN;
        expect(Math.abs(loss - expected), `${net}, epoch ${epoch}`).toBeLessThan(1e-5 * Math.abs(expected));
      }
      expect(["x", "labels", "ids", "learningRate"]).toEqual(expect.arrayContaining([...fed]));
      expect(["loss", "correct"]).toEqual(expect.arrayContaining([...returned]));
      expect(fed).toContain("learningRate");
      // The device takes all but what chooses the target's probability, whose tensors are small.
      const left = Object.values(placed.onProcessor).reduce((sum, count) => sum + count, 0);
      expect(left, JSON.stringify(placed)).toBeLessThan(12);
      expect(placed.onDevice).toBeGreaterThan(4 * left);
    }
  });

  it("computes convolutions of any number of channels as the processor does", async () => {
    const { differences } = await runScript<DeviceAnswer>(ASK, ["webgpu"], SWIFTSHADER);
    expect(differences).toHaveLength(2);
    for (const difference of differences ?? []) expect(difference).toBeLessThan(1e-4);
  });

  it.each([
    ["no driver", NO_DRIVER],
    [
      "a driver that is no library",
      { ...NO_DRIVER, VK_ICD_FILENAMES: `${import.meta.dirname}/devices/no-driver.json` },
    ],
  ])("with %s says what is missing, and auto goes on with the processor", async (_, env) => {
    const named = await runScript<DeviceAnswer>(ASK, ["webgpu"], env);
    expect(named.failure).toMatch(
      /^Cannot compute on device "webgpu" as it needs a driver of the graphics card that onnxruntime can use \(the Vulkan loader says: .*driver.json.*\), which is not here; get it \(on Debian and Ubuntu mesa-vulkan-drivers/,
    );
    const auto = await runScript<DeviceAnswer>(ASK, ["auto"], env);
    expect(auto.differences).toEqual([0, 0]);
    expect(auto.engine).toBe("onnxruntime");
    expect(auto.notes).toHaveLength(1);
    expect(auto.notes[0]).toContain(
      "Graphs run on the processor, as no other device works here: webgpu needs a driver",
    );
  });
});
