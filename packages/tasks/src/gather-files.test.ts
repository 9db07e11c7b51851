import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gatherFiles } from "./gather-files.ts";

const part = fc.constantFrom("a", "b", "c.json", "..");
const anyPath = fc
  .tuple(fc.constantFrom("", "/", "/x/y/", `${process.cwd()}/`), fc.array(part, { maxLength: 5 }))
  .map(([root, parts]) => `${root}${[...parts, "d"].join("/")}`);

describe("gatherFiles()", () => {
  it("leaves paths below the working folder, and gives others new ones", () => {
    const files = gatherFiles({ isElsewhere: true });
    expect(files.place("nets/./a.bin")).toBe("nets/./a.bin");
    expect(files.place(join(process.cwd(), "nets/a.bin"))).toBe("nets/a.bin");
    expect(files.place("/x/model")).toBe(".outside/0/model");
    expect(files.place("/x/model/config.json")).toBe(".outside/0/model/config.json");
    expect(files.place("/x/b.bin")).toBe(".outside/0/b.bin");
    expect(files.place("/y/b.bin")).toBe(".outside/1/b.bin");
    for (const path of ["/y/b.bin", "c/./d.bin", "c/d.bin"]) files.add(path);
    expect(files.list()).toEqual([
      { name: ".outside/1/b.bin", path: "/y/b.bin" },
      { name: "c/d.bin", path: "c/d.bin" },
    ]);
  });

  it("changes nothing for tasks that run here", () => {
    const files = gatherFiles({ isElsewhere: false });
    expect(files.place("../x/a.bin")).toBe("../x/a.bin");
    files.add("../x/a.bin");
    expect(files.list()).toEqual([{ name: undefined, path: "../x/a.bin" }]);
  });

  it("gives every file a name below the working folder, and no two the same", () => {
    fc.assert(
      fc.property(fc.array(anyPath, { maxLength: 12 }), (paths) => {
        const files = gatherFiles({ isElsewhere: true });
        for (const path of paths) {
          files.add(path);
          // Its place means the same file as its name.
          const added = files.list().find((file) => resolve(file.path) === resolve(path));
          expect(join(files.place(path))).toBe(added?.name);
          expect(added?.name).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/);
        }
        const names = files.list().map(({ name }) => name);
        expect(new Set(names).size).toBe(new Set(paths.map((path) => resolve(path))).size);
      }),
    );
  });
});
