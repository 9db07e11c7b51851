import { GraphBuilder, matMul } from "@isthmus/graph/builder";
import * as onnxruntime from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { createRuntimeEngine } from "./create-runtime-engine.ts";
import { type Installation, lookForRuntime } from "./find-runtime.ts";
import { PLATFORM_PACKAGE } from "./systems.ts";

/** Packages that are installed, with what loading each of native code gives. */
function installed(packages: Readonly<Record<string, unknown>>): Installation {
  return {
    has: (name) => name in packages,
    load(name) {
      if (packages[name] instanceof Error) throw packages[name];
      return packages[name];
    },
  };
}

const OLD = new Error(
  "/lib/libc.so.6: version `GLIBC_2.28' not found\nRequire stack:\n- /somewhere/binding.js",
);

describe("lookForRuntime()", () => {
  it("takes the native library of this system before the package with those of all systems", () => {
    const both = installed({ [PLATFORM_PACKAGE]: onnxruntime, "onnxruntime-node": onnxruntime });
    expect(lookForRuntime(both)).toMatchObject({ engine: "onnxruntime", library: PLATFORM_PACKAGE });
    const one = installed({ "onnxruntime-node": onnxruntime, "onnxruntime-web": {} });
    expect(lookForRuntime(one)).toMatchObject({ engine: "onnxruntime", library: "onnxruntime-node" });
    expect(lookForRuntime(one).note).toBeUndefined();
  });

  it("takes another native library if the first cannot be loaded", () => {
    const found = lookForRuntime(installed({ [PLATFORM_PACKAGE]: OLD, "onnxruntime-node": onnxruntime }));
    expect(found.library).toBe("onnxruntime-node");
  });

  it("computes in WebAssembly if no native library can be loaded, and says why in one line", async () => {
    const found = lookForRuntime(installed({ [PLATFORM_PACKAGE]: OLD, "onnxruntime-web": {} }));
    expect(found).toMatchObject({ engine: "onnxruntime-wasm", library: "onnxruntime-web" });
    expect(found.note).toBe(
      `Graphs run in WebAssembly, by onnxruntime-web, several times slower than by a native library, as ${PLATFORM_PACKAGE} cannot be loaded (/lib/libc.so.6: version \`GLIBC_2.28' not found).`,
    );
    const engine = createRuntimeEngine(await found.start());
    expect(engine.name).toBe("onnxruntime-wasm");
    const builder = new GraphBuilder("product", 17);
    const x = builder.input("x", { dtype: "f32", shape: [2, 2] });
    const session = await engine.load(builder.build([builder.rename(matMul(x, x), "y")]));
    const data = Float32Array.of(1, 2, 3, 4);
    const outputs = await session.run(new Map([["x", { dtype: "f32", shape: [2, 2], data }]]));
    expect(outputs.get("y")?.data).toEqual(Float32Array.of(7, 10, 15, 22));
    await session.release();
  });

  it("names the package to install if there is none that works", () => {
    expect(() => lookForRuntime(installed({}))).toThrow(`run npm install ${PLATFORM_PACKAGE}`);
    expect(() => lookForRuntime(installed({ "onnxruntime-node": OLD }))).toThrow(
      "onnxruntime-node cannot be loaded (/lib/libc.so.6: version `GLIBC_2.28' not found); run npm install @isthmus/onnxruntime-wasm",
    );
  });
});
